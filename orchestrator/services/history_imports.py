"""Imports what phones told of the time before, oldest first: a batch is one transaction, in which it leaves the waiting
ones, so that a kill leaves no message out and none twice."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Final

from loguru import logger

from orchestrator.domain import errors
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError
from orchestrator.domain.imports import (
    ENDED,
    Import,
    ImportedMessage,
    ImportKind,
    ImportState,
    RawHistoryMessage,
)
from orchestrator.ending import end_tasks
from orchestrator.services.context import Context
from orchestrator.services.import_progress import MOST_FAULTS, ImportProgress
from orchestrator.services.import_writer import ImportWriter
from orchestrator.store import history as history_store
from orchestrator.store import imports as import_store
from orchestrator.store import messages as message_store
from orchestrator.store.database import SystemScope, Transaction
from orchestrator.store.imports import StoredImport

EVERY_S: Final = 1.0
"""Seconds between two looks for imports whose turn has come."""

AT_ONCE: Final = 2
"""Imports that one process works on at the same time; others wait their turn."""

BATCH: Final = 500


class HistoryImports:
    """The imports of one process. `read` gives what a kept message says, None where it is none to import."""

    def __init__(self, context: Context, read: Callable[[bytes], ImportedMessage | None]) -> None:
        self._context = context
        self._read = read
        self._writer = ImportWriter(context)
        self._progress = ImportProgress(context)
        self._running: dict[str, asyncio.Task[None]] = {}

    async def run_for_ever(self) -> None:
        """Begin what is due, every second, until cancelled; what fails is logged and tried again."""
        try:
            while True:
                try:
                    await self.run_once()
                except Exception as error:
                    logger.opt(exception=error).error("Imports could not be looked at.")
                await asyncio.sleep(EVERY_S)
        finally:
            await end_tasks(list(self._running.values()))

    async def run_once(self) -> None:
        """Begin the imports that are due, as far as there is room."""
        room = AT_ONCE - len(self._running)
        if room <= 0:
            return
        now = self._context.clock()
        async with self._context.database.reading(SystemScope()) as tx:
            due = await import_store.due(tx, SystemScope(), list(ImportKind), now, AT_ONCE)
        for scope, import_id in due[:room]:
            if import_id not in self._running:
                self._running[import_id] = asyncio.create_task(self._run(scope, import_id))

    async def idle(self) -> None:
        """Wait until what was begun has ended."""
        while self._running:
            await asyncio.wait(self._running.values())

    async def _run(self, scope: CompanyScope, import_id: str) -> None:
        try:
            if await self._begin(scope, import_id):
                while await self._take_batch(scope, import_id):
                    pass
        except Exception as error:
            logger.opt(exception=error).error("Import {} was interrupted.", import_id)
            with suppress(Exception):
                await self._end_badly(scope, import_id)
        finally:
            self._running.pop(import_id, None)

    async def _begin(self, scope: CompanyScope, import_id: str) -> bool:
        """Take an import up, unless somebody else did meanwhile."""
        async with self._context.database.transaction(scope) as tx:
            stored = await self._locked(tx, scope, import_id)
            if stored is None or stored.next_step_at > self._context.clock():
                return False
            if stored.value.state is ImportState.WAITING:
                total = await history_store.count(tx, scope, import_id)
                await self._progress.begin(tx, scope, stored, total)
            return True

    async def _take_batch(self, scope: CompanyScope, import_id: str) -> bool:
        """Import the oldest that wait; False where none does, or a person ended it."""
        async with self._context.database.transaction(scope) as tx:
            stored = await self._locked(tx, scope, import_id)
            if stored is None:
                return False
            raw = await history_store.oldest(tx, scope, import_id, BATCH)
            if not raw:
                await self._progress.complete(tx, scope, stored)
                return False
            value = stored.value
            wanted = self._wanted(value, raw)
            written = await self._writer.write(
                tx, scope, value.session_id, wanted, fetches_files=value.wish.media
            )
            await history_store.forget(tx, scope, import_id, raw)
            counts = value.counts.plus(
                added=written.added, known=written.known, skipped=len(raw) - len(wanted)
            )
            value = replace(value, counts=counts, percent=_percent(counts.read, counts.total))
            await self._progress.advance(tx, scope, replace(stored, value=value, faults=0))
            return True

    def _wanted(self, value: Import, raw: Sequence[RawHistoryMessage]) -> list[ImportedMessage]:
        since = value.created_at - timedelta(days=value.wish.days)
        read = [self._read(one.payload) for one in raw]
        return [
            message
            for message in read
            if message is not None
            and message.sent_at >= since
            and (value.wish.groups or not message.is_group)
        ]

    async def _end_badly(self, scope: CompanyScope, import_id: str) -> None:
        """Try again in a moment; after too many errors of our own it has failed."""
        async with self._context.database.transaction(scope) as tx:
            stored = await self._locked(tx, scope, import_id)
            if stored is None:
                return
            if stored.faults >= MOST_FAULTS:
                await history_store.forget_all(tx, scope, import_id)
                await self._progress.fail(tx, scope, stored, PonteError(errors.INTERNAL))
            else:
                await self._progress.postpone(tx, scope, stored)

    async def _locked(self, tx: Transaction, scope: CompanyScope, import_id: str) -> StoredImport | None:
        """The import while it has not ended; nothing of the company is recorded meanwhile."""
        await message_store.lock_company(tx, scope)
        stored = await import_store.lock(tx, scope, import_id)
        return stored if stored is not None and stored.value.state not in ENDED else None


def _percent(read: int, total: int) -> int:
    return min(99, read * 100 // total) if total else 0
