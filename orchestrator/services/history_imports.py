"""Imports what phones told of the time before, oldest first: a batch is one transaction, in which it leaves the waiting
ones, so that a kill leaves no message out and none twice."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

from orchestrator.domain import errors
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError
from orchestrator.domain.imports import (
    Import,
    ImportedMessage,
    ImportKind,
    ImportState,
    RawHistoryMessage,
)
from orchestrator.services.context import Context
from orchestrator.services.import_progress import ImportProgress
from orchestrator.services.import_writer import ImportWriter
from orchestrator.store import history as history_store

BATCH: Final = 500


class HistoryImports:
    """Imports of kept messages (see import_rounds.py). `read` gives what one says, None where it is none to import."""

    def __init__(self, context: Context, read: Callable[[bytes], ImportedMessage | None]) -> None:
        self._context = context
        self._read = read
        self._writer = ImportWriter(context)
        self._progress = ImportProgress(context)

    async def run(self, scope: CompanyScope, import_id: str) -> None:
        """Import what waits, unless somebody else does."""
        if await self._begin(scope, import_id):
            while await self._take_batch(scope, import_id):
                pass

    async def _begin(self, scope: CompanyScope, import_id: str) -> bool:
        """Take an import up, unless somebody else did meanwhile."""
        async with self._context.database.transaction(scope) as tx:
            stored = await self._progress.take_up(tx, scope, import_id)
            if stored is None:
                return False
            if stored.value.kind is ImportKind.ON_DEMAND and stored.told_at is None:
                await self._progress.fail(tx, scope, stored, PonteError(errors.PHONE_SILENT))
                return False
            if stored.value.state is ImportState.WAITING:
                total = await history_store.count(tx, scope, import_id)
                await self._progress.begin(tx, scope, stored, total)
            return True

    async def _take_batch(self, scope: CompanyScope, import_id: str) -> bool:
        """Import the oldest that wait; False where none does, or a person ended it."""
        async with self._context.database.transaction(scope) as tx:
            stored = await self._progress.open(tx, scope, import_id)
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
            await self._progress.advance(tx, scope, stored, counts)
            return True

    def _wanted(self, value: Import, raw: Sequence[RawHistoryMessage]) -> list[ImportedMessage]:
        read = [message for one in raw if (message := self._read(one.payload)) is not None]
        if value.kind is ImportKind.ON_DEMAND:
            return read
        since = value.created_at - timedelta(days=value.wish.days)
        return [
            message
            for message in read
            if message.sent_at >= since and (value.wish.groups or not message.is_group)
        ]
