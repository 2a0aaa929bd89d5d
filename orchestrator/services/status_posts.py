"""Statuses: what can be posted, and to whom it is shown."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from orchestrator.domain import errors
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.content import Content, Delete, Image, Text, Video, Voice
from orchestrator.domain.errors import PonteError, invalid_field
from orchestrator.domain.jid import ContactId, phone_number_to_jid
from orchestrator.services.contacts import ContactBook
from orchestrator.services.phone_numbers import check_phone_number
from orchestrator.store import consent
from orchestrator.store.database import Transaction

MOST_SHOWN_TO: Final = 1_000
"""A message says to whom it is shown: all of them stand in its events."""

_POSTED = Text | Image | Video | Voice


def check_status(content: Content) -> None:
    """Raise PonteError where a content cannot be posted: CONTENT_NOT_SUPPORTED, INVALID_ARGUMENT or
    INVALID_PHONE_NUMBER, naming the field."""
    if not isinstance(content.body, _POSTED):
        raise PonteError(errors.CONTENT_NOT_SUPPORTED, f"A {content.kind} cannot be posted as a status.")
    if content.reply_to:
        raise invalid_field(errors.INVALID_ARGUMENT, "reply_to", "A status quotes no message.")
    if content.view_once or content.expiration_s:
        field = "view_once" if content.view_once else "expiration_s"
        raise invalid_field(errors.INVALID_ARGUMENT, field, "A status is gone after 24 hours anyhow.")
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
    asked = [ContactId(phone_number_to_jid(number)) for number in dict.fromkeys(content.audience)]
    contacts = await book.complete(tx, scope, asked)
    listed = await consent.find_suppressed(tx, scope, set(contacts), now)
    shown_to = [
        contact.phone_number
        for contact in contacts
        if contact.pn_jid not in listed and contact.lid_jid not in listed
    ]
    if not shown_to:
        raise PonteError(errors.RECIPIENT_SUPPRESSED)
    return replace(content, audience=tuple(dict.fromkeys(shown_to)))
