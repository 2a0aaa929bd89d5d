"""Statuses: what can be posted, and to whom it is shown."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from orchestrator.domain import errors
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.content import Content, Delete, Image, Text, Video, Voice
from orchestrator.domain.errors import PonteError, invalid_field
from orchestrator.domain.jid import STATUS_JID, ContactId, phone_number_to_jid
from orchestrator.domain.message import Message
from orchestrator.services.contacts import ContactBook
from orchestrator.services.context import Context
from orchestrator.services.phone_numbers import check_phone_number
from orchestrator.store import consent
from orchestrator.store.database import Transaction
from orchestrator.store.messages import StoredMessage

MOST_SHOWN_TO: Final = 1_000
"""A message says to whom it is shown: all of them stand in its events."""

_POSTED = Text | Image | Video | Voice


def check_status(content: Content) -> None:
    """Raise PonteError where a content cannot be posted: CONTENT_NOT_SUPPORTED, INVALID_ARGUMENT or
    INVALID_PHONE_NUMBER, naming the field."""
    if not isinstance(content.body, _POSTED):
        raise PonteError(errors.CONTENT_NOT_SUPPORTED, f"A {content.kind} cannot be posted as a status.")
    for field in ("reply_to", "mentions", "mention_all", "view_once", "expiration_s"):
        if getattr(content, field):
            raise invalid_field(errors.INVALID_ARGUMENT, field, "A status has no such option.")
    if not 0 < len(content.audience) <= MOST_SHOWN_TO:
        raise invalid_field(
            errors.INVALID_ARGUMENT, "audience", f"Give the 1 to {MOST_SHOWN_TO} numbers that it is shown to."
        )
    for position, number in enumerate(content.audience):
        check_phone_number(number, f"audience[{position}]")


def about_status(content: Content, status: Content, field: str) -> Content:
    """Give a content about a status with its audience. Raises INVALID_ARGUMENT for all but its deletion."""
    if not isinstance(content.body, Delete):
        raise invalid_field(errors.INVALID_ARGUMENT, field, "A status can only be deleted.")
    return replace(content, audience=status.audience)


async def without_suppressed(
    tx: Transaction, scope: CompanyScope, book: ContactBook, content: Content, now: datetime
) -> Content:
    """Give a status, shown to nobody on the suppression list, each number as WhatsApp spells it.

    Raises PonteError(RECIPIENT_SUPPRESSED) where nobody is left.
    """
    shown_to = await _allowed(tx, scope, book, content.audience, now)
    if not shown_to:
        raise PonteError(errors.RECIPIENT_SUPPRESSED)
    return replace(content, audience=shown_to)


async def without_opted_out(
    context: Context, scope: CompanyScope, book: ContactBook, leaving: Sequence[StoredMessage]
) -> Sequence[StoredMessage]:
    """Give messages that leave now, their statuses shown to nobody who was put on the suppression list meanwhile.

    A status that nobody is left for goes to nobody.
    """
    if not any(_is_post(stored.message) for stored in leaving):
        return leaving
    async with context.database.reading(scope) as tx:
        return [await _shortened(tx, scope, book, stored, context.clock()) for stored in leaving]


async def _shortened(
    tx: Transaction, scope: CompanyScope, book: ContactBook, stored: StoredMessage, now: datetime
) -> StoredMessage:
    content = stored.message.content
    if content is None or not _is_post(stored.message):
        return stored
    shown_to = await _allowed(tx, scope, book, content.audience, now)
    return replace(stored, message=replace(stored.message, content=replace(content, audience=shown_to)))


def _is_post(message: Message) -> bool:
    """What deletes a status goes to all who may have seen it."""
    content = message.content
    return message.chat_jid == STATUS_JID and content is not None and not isinstance(content.body, Delete)


async def _allowed(
    tx: Transaction, scope: CompanyScope, book: ContactBook, audience: Sequence[str], now: datetime
) -> tuple[str, ...]:
    asked = [ContactId(phone_number_to_jid(number)) for number in dict.fromkeys(audience)]
    contacts = await book.complete(tx, scope, asked)
    listed = await consent.find_suppressed(tx, scope, set(contacts), now)
    shown_to = [
        contact.phone_number
        for contact in contacts
        if contact.pn_jid not in listed and contact.lid_jid not in listed
    ]
    return tuple(dict.fromkeys(shown_to))
