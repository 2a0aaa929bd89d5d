"""The audit log of a company as people read it: page by page, or all of it in order."""

from collections.abc import AsyncIterator
from typing import Final

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.consent import AuditEntry
from orchestrator.domain.page import Page, PageRequest
from orchestrator.services.context import Context
from orchestrator.store import audit
from orchestrator.store.audit import AuditFilter

__all__ = ["AuditFilter", "AuditLog"]

_AT_ONCE: Final = 500


class AuditLog:
    """Reads what was noted. Nobody changes it: the database refuses that."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def page(self, scope: CompanyScope, wanted: AuditFilter, page: PageRequest) -> Page[AuditEntry]:
        """List entries, newest first. Raises INVALID_ARGUMENT, INVALID_PAGE_TOKEN."""
        async with self._context.database.reading(scope) as tx:
            return await audit.list_page(tx, scope, wanted, page)

    async def portions(self, scope: CompanyScope, wanted: AuditFilter) -> AsyncIterator[list[AuditEntry]]:
        """Give all entries, oldest first, in portions; a reader that is slow holds no transaction open."""
        last_id = ""
        while True:
            async with self._context.database.reading(scope) as tx:
                entries = await audit.list_after(tx, scope, wanted, last_id, _AT_ONCE)
            if not entries:
                return
            yield entries
            last_id = entries[-1].id
