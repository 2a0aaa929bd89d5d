"""Messages of exported chats as they are imported: whom they show, what they say, which of them are here already."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.content import (
    Audio,
    Contacts,
    Content,
    Document,
    Image,
    MediaRef,
    Sticker,
    Unknown,
    Video,
    Voice,
)
from orchestrator.domain.errors import PonteError
from orchestrator.domain.exported_chat.lines import without_marks
from orchestrator.domain.exported_chat.reading import AlikeKey, ExportedMessage, alike_key
from orchestrator.domain.imports import ImportedMessage
from orchestrator.domain.jid import ContactId, is_group, person_named, phone_number_to_jid
from orchestrator.domain.media import Media, MediaKind, MediaLimits, check_sendable
from orchestrator.domain.message import MessageStatus
from orchestrator.services.contacts import ContactBook
from orchestrator.services.context import Context
from orchestrator.services.phone_numbers import check_phone_number
from orchestrator.store import imported_messages
from orchestrator.store.database import Transaction
from orchestrator.store.imported_messages import Sent

_LEFT_OUT: Final = Unknown(name="left_out_of_the_export")
_APART: Final = timedelta(hours=1)
_NUMBER: Final = re.compile(r"\+[0-9][0-9\s().\u2010-\u2015-]{6,24}")
_NO_DIGITS: Final = re.compile(r"[^0-9]+")
_WITH_FILE: Final = frozenset({*(kind.value for kind in MediaKind), Contacts.kind, Unknown.kind})
"""An export has the card of a contact as a file."""

_NOT_IN_EXPORTS: Final = frozenset({"reaction", "edit", "delete", "pin", "poll_vote", "disappearing"})


def to_imported(message: ExportedMessage, chat_jid: str, media: MediaRef | None) -> ImportedMessage:
    """Give a message in the form in which it is written. `media` is its file, None where there is none to be had."""
    in_group = is_group(chat_jid)
    content = _content(message, media or MediaRef(file_name=_file_name(message)))
    return ImportedMessage(
        wa_message_id=message.wa_message_id,
        chat_jid=chat_jid,
        contact=_author(message) if in_group else person_named(chat_jid),
        from_me=message.is_own,
        is_group=in_group,
        push_name="" if message.is_own else message.author,
        sent_at=message.sent_at,
        status=MessageStatus.SENT if message.is_own else MessageStatus.RECEIVED,
        kind="text",
        text=message.text,
        place=message.place,
        content=content,
        names_itself=False,
    )


def media_ref(media: Media, kind: MediaKind, limits: MediaLimits) -> tuple[MediaRef, MediaKind]:
    """Say what is known of a stored file, and as what it is shown: as a document where its bytes are not of `kind`."""
    try:
        check_sendable(media, kind, limits)
    except PonteError:
        kind = MediaKind.DOCUMENT
    ref = MediaRef(
        media_id=media.id,
        mime_type=media.mime_type,
        size=media.size,
        sha256=media.sha256,
        file_name=media.file_name,
        width=media.facts.width,
        height=media.facts.height,
        seconds=media.facts.seconds,
    )
    return ref, kind


def with_kind(message: ExportedMessage, kind: MediaKind) -> ExportedMessage:
    """Give a message whose file is of another kind than its name says."""
    if message.attachment is None or message.attachment.kind is kind:
        return message
    return replace(message, attachment=replace(message.attachment, kind=kind))


class KnownMessages:
    """Recognises messages of one chat that came here by another way, or by an earlier import.

    The n-th of those in the file that are alike is known where the chat has n of them in the same second, or minute
    where the file has no seconds.
    """

    def __init__(self, context: Context, session_id: str, chat_jid: str) -> None:
        self._book = ContactBook(context)
        self._session_id = session_id
        self._chat_jid = chat_jid
        self._first_live: datetime | None = None
        self._looked = False

    async def unknown(
        self, tx: Transaction, scope: CompanyScope, batch: Sequence[ExportedMessage]
    ) -> list[ExportedMessage]:
        """Give those of a batch that are not here yet."""
        if not batch:
            return []
        chats = await self._names(tx, scope)
        if not self._looked:
            self._first_live = await imported_messages.first_live(tx, scope, self._session_id, chats)
            self._looked = True
        stored: list[Sent] = []
        for since, until in _spans(batch):
            stored += await imported_messages.sent_between(
                *(tx, scope, self._session_id, chats, since, until),
                imported_only=self._first_live is None or until < self._first_live,
            )
        counts = {exact: Counter(_keys(stored, exact=exact)) for exact in (True, False)}
        return [
            message
            for message in batch
            if message.alike_before >= counts[message.has_seconds][message.alike_key]
        ]

    async def with_known_names(
        self, tx: Transaction, scope: CompanyScope, messages: Sequence[ImportedMessage]
    ) -> list[ImportedMessage]:
        """Give each the names by which its contact is known: a person may write a number as WhatsApp does not."""
        contacts = await self._book.complete(tx, scope, [message.contact for message in messages])
        return [
            replace(message, contact=contact) for message, contact in zip(messages, contacts, strict=True)
        ]

    async def _names(self, tx: Transaction, scope: CompanyScope) -> set[str]:
        if is_group(self._chat_jid):
            return {self._chat_jid}
        [contact] = await self._book.complete(tx, scope, [person_named(self._chat_jid)])
        return {self._chat_jid, contact.pn_jid, contact.lid_jid} - {""}


def _spans(batch: Sequence[ExportedMessage]) -> list[tuple[datetime, datetime]]:
    """Whole minutes in which a batch's messages were sent, without the long times between them: a line that looks
    years old would otherwise ask for all that the chat has since."""
    spans: list[tuple[datetime, datetime]] = []
    for moment in sorted(message.sent_at for message in batch):
        until = moment.replace(second=59, microsecond=999_999)
        if spans and moment - spans[-1][1] < _APART:
            spans[-1] = (spans[-1][0], until)
        else:
            spans.append((moment.replace(second=0, microsecond=0), until))
    return spans


def _keys(stored: Sequence[Sent], *, exact: bool) -> list[AlikeKey]:
    return [
        alike_key(
            one.sent_at,
            one.text.rstrip(),
            is_own=one.is_own,
            has_file=one.kind in _WITH_FILE,
            exact=exact,
        )
        for one in stored
        if one.kind not in _NOT_IN_EXPORTS
    ]


def _file_name(message: ExportedMessage) -> str:
    return message.attachment.file_name if message.attachment else ""


def _content(message: ExportedMessage, media: MediaRef) -> Content | None:
    if message.attachment is None:
        return None
    caption = message.text
    match message.attachment.kind:
        case MediaKind.IMAGE:
            return Content(Image(media, caption))
        case MediaKind.VIDEO:
            return Content(Video(media, caption))
        case MediaKind.AUDIO:
            return Content(Audio(media))
        case MediaKind.VOICE:
            return Content(Voice(media))
        case MediaKind.STICKER:
            return Content(Sticker(media))
        case MediaKind.DOCUMENT:
            return Content(Document(media, caption))
        case None:
            return Content(_LEFT_OUT)


def _author(message: ExportedMessage) -> ContactId:
    """Who wrote in a group: known where the address book had no name for the number, so that it stands there itself."""
    name = without_marks(message.author).strip()
    if message.is_own or not _NUMBER.fullmatch(name):
        return ContactId()
    try:
        number = check_phone_number(f"+{_NO_DIGITS.sub('', name)}", "author")
    except PonteError:
        return ContactId()
    return ContactId(pn_jid=phone_number_to_jid(number))
