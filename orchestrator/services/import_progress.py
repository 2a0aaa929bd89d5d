"""Where an import stands, moved on in the transaction that moves it, with its event."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from orchestrator.domain import errors
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError
from orchestrator.domain.events import EventType
from orchestrator.domain.imports import ENDED, Counts, Import, ImportState
from orchestrator.services.context import Context
from orchestrator.services.import_data import import_event
from orchestrator.store import events as event_store
from orchestrator.store import history as history_store
from orchestrator.store import imports as import_store
from orchestrator.store import messages as message_store
from orchestrator.store.database import Transaction
from orchestrator.store.imports import StoredImport

HELD: Final = timedelta(seconds=10)
"""So long nobody else takes an import up whose worker has not been heard of."""

TOLD_EVERY: Final = timedelta(seconds=1)
MOST_FAULTS: Final = 5
"""Attempts in a row that may bring nothing by our own errors, before the last."""

_FIRST_PAUSE: Final = timedelta(seconds=5)
"""After the first that failed; doubled after each that follows, so that a store may be away for minutes."""


class ImportProgress:
    """Writes where imports stand. The company and the import are locked, as `open` locks them."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def open(self, tx: Transaction, scope: CompanyScope, import_id: str) -> StoredImport | None:
        """Lock an import that has not ended; nothing of the company is recorded meanwhile."""
        await message_store.lock_company(tx, scope)
        stored = await import_store.lock(tx, scope, import_id)
        return stored if stored is not None and stored.value.state not in ENDED else None

    async def take_up(self, tx: Transaction, scope: CompanyScope, import_id: str) -> StoredImport | None:
        """Lock an import whose turn has come and begin an attempt, which counts as failed until it brings something.

        Gives None where it is not its turn, or where one attempt too many ended with its process.
        """
        stored = await self.open(tx, scope, import_id)
        if stored is None or stored.next_step_at > self._context.clock():
            return None
        if stored.faults > MOST_FAULTS:
            await self.fail(tx, scope, stored, PonteError(errors.INTERNAL))
            return None
        return await self.hold(tx, scope, replace(stored, faults=stored.faults + 1))

    async def hold(self, tx: Transaction, scope: CompanyScope, stored: StoredImport) -> StoredImport:
        """Let nobody else take it up for a while: it is being worked on."""
        return await self._write(tx, scope, stored, None)

    async def begin(
        self, tx: Transaction, scope: CompanyScope, stored: StoredImport, total: int
    ) -> StoredImport:
        """It runs from now on; `total` messages are in its source, 0 where nobody knows."""
        now = self._context.clock()
        value = replace(
            stored.value,
            state=ImportState.RUNNING,
            started_at=now,
            counts=replace(stored.value.counts, total=total),
        )
        return await self._write(tx, scope, replace(stored, value=value), EventType.IMPORT_STARTED)

    async def advance(
        self, tx: Transaction, scope: CompanyScope, stored: StoredImport, counts: Counts
    ) -> StoredImport:
        """Write what a batch brought; told at most once a second."""
        now = self._context.clock()
        value = replace(stored.value, counts=counts, percent=counts.percent)
        stored = replace(stored, value=value, faults=0)
        if stored.told_at is not None and now - stored.told_at < TOLD_EVERY:
            return await self._write(tx, scope, stored, None)
        return await self._write(tx, scope, replace(stored, told_at=now), EventType.IMPORT_PROGRESS)

    async def complete(self, tx: Transaction, scope: CompanyScope, stored: StoredImport) -> StoredImport:
        """Everything is imported."""
        value = replace(stored.value, state=ImportState.COMPLETED, percent=100)
        return await self._end(tx, scope, stored, value, EventType.IMPORT_COMPLETED)

    async def fail(
        self, tx: Transaction, scope: CompanyScope, stored: StoredImport, error: PonteError
    ) -> StoredImport:
        """It cannot go on; what was imported stays."""
        value = replace(
            stored.value,
            state=ImportState.FAILED,
            error_code=error.code.name,
            error_detail=error.sentence,
        )
        return await self._end(tx, scope, stored, value, EventType.IMPORT_FAILED)

    async def cancel(self, tx: Transaction, scope: CompanyScope, stored: StoredImport) -> StoredImport:
        """A person ends it; what was imported stays."""
        value = replace(stored.value, state=ImportState.CANCELLED)
        return await self._end(tx, scope, stored, value, EventType.IMPORT_CANCELLED)

    async def cancel_all(self, tx: Transaction, scope: CompanyScope, session_id: str = "") -> None:
        """End all imports of a company, or those of one session: it is being deleted."""
        await message_store.lock_company(tx, scope)
        for stored in await import_store.list_open(tx, scope, session_id):
            await self.cancel(tx, scope, stored)

    async def postpone(self, tx: Transaction, scope: CompanyScope, stored: StoredImport) -> None:
        """An error of our own ended an attempt: another follows later."""
        later = self._context.clock() + _FIRST_PAUSE * 2 ** max(0, stored.faults - 1)
        await import_store.save(tx, scope, replace(stored, next_step_at=later))

    async def _end(
        self, tx: Transaction, scope: CompanyScope, stored: StoredImport, value: Import, type_: EventType
    ) -> StoredImport:
        value = replace(value, ended_at=self._context.clock())
        await history_store.forget_all(tx, scope, value.id)
        return await self._write(tx, scope, replace(stored, value=value), type_)

    async def _write(
        self, tx: Transaction, scope: CompanyScope, stored: StoredImport, type_: EventType | None
    ) -> StoredImport:
        now = self._context.clock()
        value = replace(stored.value, updated_at=now)
        stored = replace(stored, value=value, next_step_at=now + HELD)
        await import_store.save(tx, scope, stored)
        if type_ is not None:
            await event_store.append(tx, scope, [import_event(type_, value)], now, self._context.rng)

            async def ring() -> None:
                await self._context.bells.events_recorded(scope)

            tx.after_commit(ring)
        return stored
