"""Files of received messages: what is to be fetched, and what follows when it was, or cannot be."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from loguru import logger

from orchestrator.domain import errors
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.content import Audio, Content, Document, Image, MediaRef, Sticker, Video, Voice
from orchestrator.domain.errors import PonteError
from orchestrator.domain.events import EventType
from orchestrator.domain.media import Media
from orchestrator.domain.message import Direction, Message
from orchestrator.services.context import Context
from orchestrator.services.media import MediaService
from orchestrator.services.message_data import message_event
from orchestrator.store import events as event_store
from orchestrator.store import media_downloads, message_marks
from orchestrator.store import messages as message_store
from orchestrator.store.database import SystemScope, Transaction

RETRY_DELAYS_S: Final = (5.0, 30.0, 120.0, 600.0, 3600.0, 21600.0)
"""After each failed attempt; WhatsApp keeps files for weeks, phones answer when they are online."""

_HOPELESS: Final = frozenset({"NO_FILE", "TOO_LARGE"})
_CARRIERS: Final = (Image, Video, Audio, Voice, Document, Sticker)


def carries_file(content: Content | None) -> bool:
    """Tell whether a content has a file that is to be fetched."""
    return content is not None and isinstance(content.body, _CARRIERS)


@dataclass(frozen=True, slots=True)
class WantedFile:
    """A received message whose file is due, and the protobuf `Message` that says where it is."""

    message: Message
    message_proto: bytes
    attempts: int

    @property
    def scope(self) -> CompanyScope:
        """Whose it is."""
        return CompanyScope(self.message.company_id)

    @property
    def from_me(self) -> bool:
        """The company's own phone sent it."""
        return self.message.direction is Direction.OUTBOUND

    @property
    def participant_jid(self) -> str:
        """Who wrote it in a group; empty elsewhere."""
        return self.message.participant


class ReceivedFiles:
    """What gateways fetch. A row of its own says of each message that its file is missing, so a kill loses none."""

    def __init__(self, context: Context, media: MediaService) -> None:
        self._context = context
        self._media = media

    @property
    def largest(self) -> int:
        """Bytes above which no file is fetched."""
        return self._media.limits.largest

    def new_path(self) -> Path:
        """Where the bridge shall write the next file."""
        return self._media.spool.new_path()

    async def due(self, session_ids: Sequence[str], limit: int) -> list[WantedFile]:
        """List the files of these sessions that are to be fetched now."""
        if not session_ids:
            return []
        now = self._context.clock()
        async with self._context.database.reading(SystemScope()) as tx:
            rows = await media_downloads.list_due(tx, SystemScope(), session_ids, now, limit)
        wanted = [await self._read(row) for row in rows]
        return [file for file in wanted if file is not None]

    async def store(self, wanted: WantedFile, path: Path) -> None:
        """Keep a file that the bridge has written, put it into its message, and tell of it. Raises PonteError."""
        message, scope = wanted.message, wanted.scope
        told = _media_of(message)
        media = await self._media.adopt(scope, path, told.mime_type, told.file_name)
        known = _filled(media, told)

        async def work(tx: Transaction) -> None:
            await message_store.lock_company(tx, scope)
            locked = await message_store.lock_many(tx, scope, [message.id])
            if not await media_downloads.remove(tx, scope, message.id) or message.id not in locked:
                return
            now = locked[message.id].message
            if not carries_file(now.content):
                return
            stored = _with_media(now, known)
            await message_marks.save_said(tx, scope, [stored])
            await self._tell(tx, scope, EventType.MESSAGE_MEDIA_STORED, stored)

        await self._context.database.shared_transaction(scope, work)

    async def give_up_or_postpone(self, wanted: WantedFile, code: str) -> None:
        """A file could not be fetched, for the bridge's reason `code`; a session that is away costs no attempt."""
        scope, message = wanted.scope, wanted.message
        is_over = code in _HOPELESS or wanted.attempts >= len(RETRY_DELAYS_S)
        logger.bind(company_id=scope.company_id, session_id=message.session_id, message_id=message.id).info(
            "A received file was not fetched ({}){}", code, ", for good" if is_over else ""
        )

        async def work(tx: Transaction) -> None:
            if not is_over:
                until = self._context.clock() + timedelta(seconds=RETRY_DELAYS_S[wanted.attempts])
                await media_downloads.postpone(tx, scope, message.id, wanted.attempts + 1, until)
                return
            await message_store.lock_company(tx, scope)
            if await media_downloads.remove(tx, scope, message.id):
                await self._tell(tx, scope, EventType.MESSAGE_MEDIA_FAILED, message)

        await self._context.database.shared_transaction(scope, work)

    async def _read(self, row: media_downloads.DueDownload) -> WantedFile | None:
        async with self._context.database.reading(row.scope) as tx:
            found = await message_store.get(tx, row.scope, row.message_id)
            proto = await message_store.find_proto(
                tx, row.scope, row.session_id, found.message.wa_message_id if found else ""
            )
        if found is not None and proto is not None and carries_file(found.message.content):
            return WantedFile(found.message, proto, row.attempts)

        async def work(tx: Transaction) -> None:
            await media_downloads.remove(tx, row.scope, row.message_id)

        # It was deleted meanwhile.
        await self._context.database.shared_transaction(row.scope, work)
        return None

    async def _tell(self, tx: Transaction, scope: CompanyScope, type_: EventType, message: Message) -> None:
        now, rng = self._context.clock(), self._context.rng
        await event_store.append(tx, scope, [message_event(type_, message)], now, rng)

        async def ring() -> None:
            await self._context.bells.events_recorded(scope)

        tx.after_commit(ring)


def _media_of(message: Message) -> MediaRef:
    body = message.content.body if message.content else None
    if not isinstance(body, _CARRIERS):
        raise PonteError(errors.INTERNAL)
    return body.media


def _with_media(message: Message, media: MediaRef) -> Message:
    if message.content is None or not isinstance(message.content.body, _CARRIERS):
        raise PonteError(errors.INTERNAL)
    return replace(message, content=replace(message.content, body=replace(message.content.body, media=media)))


def _filled(media: Media, told: MediaRef) -> MediaRef:
    """What its sender said of the file, corrected by what it is."""
    return replace(
        told,
        media_id=media.id,
        mime_type=media.mime_type,
        size=media.size,
        sha256=media.sha256,
        width=media.facts.width or told.width,
        height=media.facts.height or told.height,
        seconds=media.facts.seconds or told.seconds,
    )
