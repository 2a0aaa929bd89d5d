"""Messages from before as gateways hand them over: kept until the phone has told all (then see history_imports.py)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from orchestrator.domain import errors
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError
from orchestrator.domain.ids import make_id
from orchestrator.domain.imports import HistoryWish, Import, ImportKind, ImportState, RawHistoryMessage
from orchestrator.domain.jid import is_group, person_named
from orchestrator.services.contacts import ContactBook
from orchestrator.services.context import Context
from orchestrator.services.session_life import lock_session
from orchestrator.store import history as history_store
from orchestrator.store import imports as import_store
from orchestrator.store.database import Transaction
from orchestrator.store.imports import StoredImport

QUIET: Final = timedelta(seconds=120)
"""After so long without a chunk the phone is taken to have told all; Baileys waits as long."""


class HistoryService:
    """Records what phones tell of the time before they linked a number."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._book = ContactBook(context)

    async def record(
        self,
        scope: CompanyScope,
        session_id: str,
        fence: int,
        messages: Sequence[RawHistoryMessage],
        *,
        is_last: bool,
        on_demand: bool = False,
    ) -> None:
        """Keep a chunk, once however often it comes; with `is_last` the import begins now, and not after a quiet time.

        `on_demand`: the phone was asked for it (older_messages.py). What nobody wants any more is passed over. Raises
        PonteError(STALE_FENCE).
        """

        async def write(tx: Transaction) -> None:
            record = await lock_session(tx, scope, session_id)
            if record is None or record.fence != fence:
                raise PonteError(errors.STALE_FENCE)
            stored = (
                await self._asked_import(tx, scope, session_id, messages)
                if on_demand
                else await self._open_import(tx, scope, session_id, record.wish)
            )
            if stored is None:
                return
            await history_store.add(tx, scope, stored.value.id, messages)
            if stored.value.state is ImportState.WAITING:
                now = self._context.clock()
                begins_at = now if is_last else now + QUIET
                value = replace(stored.value, updated_at=now)
                told_at = now if on_demand else stored.told_at
                told = replace(stored, value=value, next_step_at=begins_at, told_at=told_at)
                await import_store.save(tx, scope, told)

        await self._context.database.shared_transaction(scope, write)

    async def _asked_import(
        self, tx: Transaction, scope: CompanyScope, session_id: str, messages: Sequence[RawHistoryMessage]
    ) -> StoredImport | None:
        """The import that a phone was asked for; None where it answers one that is over, of another chat."""
        stored = await import_store.find_open(tx, scope, session_id, ImportKind.ON_DEMAND)
        if stored is None or not messages:
            return stored
        chat = stored.value.chat_jid
        if is_group(chat):
            return stored if messages[0].chat_jid == chat else None
        told_of = person_named(messages[0].chat_jid)
        asked, told = await self._book.complete(tx, scope, [person_named(chat), told_of])
        same = bool({asked.pn_jid, asked.lid_jid} & {told.pn_jid, told.lid_jid} - {""})
        # Which number a hidden id belongs to may become known by this answer alone.
        may_be_the_same = bool(told_of.lid_jid) and not asked.lid_jid and not told.pn_jid
        return stored if same or may_be_the_same else None

    async def _open_import(
        self, tx: Transaction, scope: CompanyScope, session_id: str, wish: HistoryWish
    ) -> StoredImport | None:
        """The import of what a phone tells by itself; None where it is not wanted."""
        if wish.days <= 0:
            return None
        found = await import_store.find_open(tx, scope, session_id, ImportKind.PAIRING)
        if found is not None:
            return found
        now = self._context.clock()
        value = Import(
            id=make_id(now, self._context.rng),
            company_id=scope.company_id,
            session_id=session_id,
            kind=ImportKind.PAIRING,
            state=ImportState.WAITING,
            wish=wish,
            created_at=now,
            updated_at=now,
        )
        stored = StoredImport(value, next_step_at=now + QUIET)
        await import_store.add(tx, scope, stored)
        return stored
