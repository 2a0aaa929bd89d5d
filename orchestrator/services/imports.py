"""Conversation imports as a company works with them: looked at, cancelled."""

from orchestrator.domain import errors
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError, not_found
from orchestrator.domain.ids import is_id
from orchestrator.domain.imports import ENDED, HistoryWish, Import, ImportKind
from orchestrator.domain.page import Page, PageRequest
from orchestrator.services.context import Context
from orchestrator.services.import_progress import ImportProgress
from orchestrator.services.session_life import wish_columns
from orchestrator.store import dispatch_leases, sessions
from orchestrator.store import imports as import_store
from orchestrator.store import messages as message_store


class ImportService:
    """The imports of a company. Those of phones begin by themselves (history.py), those of files in exports.py."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._progress = ImportProgress(context)

    async def get(self, scope: CompanyScope, import_id: str) -> Import:
        """Look an import up. Raises NOT_FOUND."""
        async with self._context.database.reading(scope) as tx:
            found = await import_store.get(tx, scope, import_id) if is_id(import_id) else None
        if found is None:
            raise not_found()
        return found.value

    async def list(self, scope: CompanyScope, session_id: str, page: PageRequest) -> Page[Import]:
        """List imports, newest first; of one session where one is given. Raises NOT_FOUND for a session that is not
        there, INVALID_PAGE_TOKEN."""
        async with self._context.database.reading(scope) as tx:
            if session_id and not (
                is_id(session_id) and await dispatch_leases.session_facts(tx, scope, [session_id])
            ):
                raise not_found()
            return await import_store.list_page(tx, scope, session_id, page)

    async def cancel(self, scope: CompanyScope, import_id: str) -> Import:
        """End an import; what it brought stays. After that of a phone's history its session wants no more.

        Raises NOT_FOUND, IMPORT_ENDED.
        """
        async with self._context.database.transaction(scope) as tx:
            await message_store.lock_company(tx, scope)
            stored = await import_store.lock(tx, scope, import_id) if is_id(import_id) else None
            if stored is None:
                raise not_found()
            if stored.value.state in ENDED:
                raise PonteError(errors.IMPORT_ENDED)
            if stored.value.kind is ImportKind.PAIRING:
                await sessions.change(tx, scope, stored.value.session_id, wish_columns(HistoryWish()))
            return (await self._progress.cancel(tx, scope, stored)).value
