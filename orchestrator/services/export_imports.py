"""Imports exported chats. The file is read twice: to learn how its dates stand, and to write what is new.

A batch is one transaction that also says how far the file is read, so that after a kill the reading goes on there.
"""

import asyncio
import mimetypes
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from loguru import logger

from orchestrator.domain import errors
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import ErrorKind, PonteError
from orchestrator.domain.exported_chat.lines import DateOrder
from orchestrator.domain.exported_chat.reading import ExportedChat, ExportedMessage, read_messages
from orchestrator.domain.exported_chat.survey import Survey
from orchestrator.domain.imports import ExportWish, Import, ImportedMessage, ImportState
from orchestrator.domain.media import Media
from orchestrator.ending import end_tasks
from orchestrator.media.spool import CHUNK_BYTES
from orchestrator.services.context import Context
from orchestrator.services.export_files import ExportFile
from orchestrator.services.export_messages import KnownMessages, media_ref, to_imported, with_kind
from orchestrator.services.import_progress import ImportProgress
from orchestrator.services.import_writer import ImportWriter
from orchestrator.services.media import MediaService

BATCH: Final = 500
FILES_IN_BATCH: Final = 25
"""A batch ends after so many files, which take longer to store than words."""

_CHARACTERS_AT_ONCE: Final = 1_000_000
"""So much is read before somebody else may do something, and before it is written."""

_SHORTEST_LINE: Final = 50
"""What even an empty line costs, in characters."""

_HOLD_EVERY: Final = timedelta(seconds=2)
_NOBODYS_FAULT: Final = frozenset({ErrorKind.UNAVAILABLE, ErrorKind.INTERNAL, ErrorKind.DEADLINE_EXCEEDED})

Item = ExportedMessage | None


class _GivenUpError(Exception):
    """A person ended the import, or another process has it."""


@dataclass(slots=True)
class _Run:
    """One attempt at an import; `held_at` is when it was last said that it is being worked on."""

    scope: CompanyScope
    value: Import
    wish: ExportWish
    held_at: datetime
    stored: dict[str, Media | None] = field(default_factory=dict)
    """Files that were stored, by name: any number of messages may name the same. A zip has a bounded number of them."""


class ExportImports:
    """Imports of exported chats (see import_rounds.py)."""

    def __init__(self, context: Context, media: MediaService) -> None:
        self._context = context
        self._media = media
        self._writer = ImportWriter(context)
        self._progress = ImportProgress(context)

    async def run(self, scope: CompanyScope, import_id: str) -> None:
        """Import a file, unless somebody else does. What is wrong with the file ends it."""
        run = await self._take_up(scope, import_id)
        if run is None:
            return
        holding = asyncio.create_task(self._keep_held(run))
        try:
            await self._import(run)
        except _GivenUpError:
            return
        except PonteError as error:
            if error.code.kind in _NOBODYS_FAULT:
                raise
            await self._fail(run, error)
        finally:
            await end_tasks([holding])

    async def _take_up(self, scope: CompanyScope, import_id: str) -> _Run | None:
        async with self._context.database.transaction(scope) as tx:
            stored = await self._progress.take_up(tx, scope, import_id)
            if stored is None or stored.value.export is None:
                return None
            return _Run(scope, stored.value, stored.value.export, self._context.clock())

    async def _import(self, run: _Run) -> None:
        media = await self._file_of(run)
        async with self._media.local_path(media) as path:
            file = await asyncio.to_thread(ExportFile, path)
            try:
                order, total = await self._survey(run, file)
                await self._begin(run, total)
                await self._read(run, file, order)
            finally:
                file.close()

    async def _file_of(self, run: _Run) -> Media:
        try:
            return await self._media.get(run.scope, run.wish.media_id)
        except PonteError:
            raise PonteError(errors.MEDIA_NOT_STORED) from None

    async def _survey(self, run: _Run, file: ExportFile) -> tuple[DateOrder, int]:
        """Look through the file. Raises what is wrong with it."""
        zone = ZoneInfo(run.wish.time_zone)
        survey = Survey(run.wish.own_name, zone, run.wish.date_order, run.value.created_at)
        lines = file.lines()

        def look() -> bool:
            room = _CHARACTERS_AT_ONCE
            for line in lines:
                survey.take(line)
                room -= max(len(line), _SHORTEST_LINE)
                if room <= 0:
                    return True
            return False

        while await asyncio.to_thread(look):
            await self._hold(run)
        order = survey.order()
        survey.check_own_name()
        return order, survey.total

    async def _begin(self, run: _Run, total: int) -> None:
        async with self._context.database.transaction(run.scope) as tx:
            stored = await self._progress.open(tx, run.scope, run.value.id)
            if stored is None:
                raise _GivenUpError
            if stored.value.state is ImportState.WAITING:
                await self._progress.begin(tx, run.scope, stored, total)

    async def _read(self, run: _Run, file: ExportFile, order: DateOrder) -> None:
        wish = run.wish
        chat = ExportedChat(
            wish.chat_jid, wish.own_name, order, ZoneInfo(wish.time_zone), run.value.created_at
        )
        items = read_messages(file.lines(), chat)
        known = KnownMessages(self._context, run.value.session_id, wish.chat_jid)
        read = run.value.counts.read
        await self._pass_over(run, items, read)
        while batch := await asyncio.to_thread(_next_batch, items, BATCH):
            await self._take_batch(run, file, known, batch, read)
            read += len(batch)
        async with self._context.database.transaction(run.scope) as tx:
            stored = await self._progress.open(tx, run.scope, run.value.id)
            if stored is not None and stored.value.counts.read == read:
                await self._progress.complete(tx, run.scope, stored)

    async def _pass_over(self, run: _Run, items: Iterator[Item], read: int) -> None:
        """Go on where an attempt before this one was."""
        while read > 0 and (passed := await asyncio.to_thread(_next_batch, items, read)):
            read -= len(passed)
            await self._hold(run)

    async def _take_batch(
        self, run: _Run, file: ExportFile, known: KnownMessages, batch: Sequence[Item], read: int
    ) -> None:
        messages = [item for item in batch if item is not None]
        async with self._context.database.reading(run.scope) as tx:
            unknown = await known.unknown(tx, run.scope, messages)
        # Storing a file takes transactions of its own.
        imported = {message.wa_message_id: await self._with_file(run, file, message) for message in unknown}
        async with self._context.database.transaction(run.scope) as tx:
            stored = await self._progress.open(tx, run.scope, run.value.id)
            if stored is None or stored.value.counts.read != read:
                raise _GivenUpError
            # Another import of the chat may have written since.
            still_unknown = await known.unknown(tx, run.scope, unknown)
            new = [imported[message.wa_message_id] for message in still_unknown]
            new = await known.with_known_names(tx, run.scope, new)
            written = await self._writer.write(tx, run.scope, run.value.session_id, new, fetches_files=False)
            counts = stored.value.counts.plus(
                added=written.added,
                known=len(messages) - written.added,
                skipped=len(batch) - len(messages),
            )
            await self._progress.advance(tx, run.scope, stored, counts)
        run.held_at = self._context.clock()

    async def _with_file(self, run: _Run, file: ExportFile, message: ExportedMessage) -> ImportedMessage:
        attachment, ref = message.attachment, None
        if attachment is not None and attachment.kind is not None and file.has(attachment.file_name):
            if attachment.file_name not in run.stored:
                run.stored[attachment.file_name] = await self._stored(run, file, attachment.file_name)
            media = run.stored[attachment.file_name]
            if media is not None:
                ref, kind = media_ref(media, attachment.kind, self._media.limits)
                message = with_kind(message, kind)
            await self._hold(run)
        return to_imported(message, run.wish.chat_jid, ref)

    async def _stored(self, run: _Run, file: ExportFile, file_name: str) -> Media | None:
        """Store a file of the zip; None where it is none that is kept."""
        declared = mimetypes.guess_type(file_name)[0] or ""
        try:
            async with aclosing(_chunks(file, file_name)) as chunks:
                return await self._media.add(run.scope, chunks, declared, file_name)
        except PonteError as error:
            if error.code.kind in _NOBODYS_FAULT:
                raise
            logger.warning("Import {}: a file was left out: {}", run.value.id, error)
            return None

    async def _keep_held(self, run: _Run) -> None:
        """Hold it also while one step takes long: fetching the file, or storing one of a hundred megabytes."""
        while True:
            await asyncio.sleep(_HOLD_EVERY.total_seconds())
            # What goes wrong here goes wrong in the step under way too, which tells.
            with suppress(Exception):
                await self._hold(run)

    async def _hold(self, run: _Run) -> None:
        """Say now and then that the import is being worked on, and hear whether it shall be."""
        now = self._context.clock()
        if now - run.held_at < _HOLD_EVERY:
            return
        async with self._context.database.transaction(run.scope) as tx:
            stored = await self._progress.open(tx, run.scope, run.value.id)
            if stored is None:
                raise _GivenUpError
            await self._progress.hold(tx, run.scope, stored)
        run.held_at = now

    async def _fail(self, run: _Run, error: PonteError) -> None:
        async with self._context.database.transaction(run.scope) as tx:
            stored = await self._progress.open(tx, run.scope, run.value.id)
            if stored is not None:
                await self._progress.fail(tx, run.scope, stored, error)


def _next_batch(items: Iterator[Item], most: int) -> list[Item]:
    batch: list[Item] = []
    files, room = 0, _CHARACTERS_AT_ONCE
    for item in items:
        batch.append(item)
        if item is not None:
            room -= len(item.text)
            files += item.attachment is not None and bool(item.attachment.file_name)
        if len(batch) >= most or files >= FILES_IN_BATCH or room <= 0:
            break
    return batch


async def _chunks(file: ExportFile, file_name: str) -> AsyncGenerator[bytes, None]:
    stream = await asyncio.to_thread(file.open, file_name)
    try:
        while chunk := await asyncio.to_thread(file.read, stream, CHUNK_BYTES):
            yield chunk
    finally:
        stream.close()
