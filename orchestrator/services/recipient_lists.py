"""Recipient lists as a company keeps them."""

from orchestrator.domain.campaign.recipient_list import RecipientImport, RecipientList, ReportedLine
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import (
    INVALID_ARGUMENT,
    RECIPIENT_LIST_IN_USE,
    PonteError,
    invalid_field,
    not_found,
)
from orchestrator.domain.ids import is_id, make_id
from orchestrator.domain.page import Page, PageRequest
from orchestrator.services.context import Context
from orchestrator.services.names import checked_name
from orchestrator.services.recipient_numbers import is_region
from orchestrator.store import campaigns as campaign_store
from orchestrator.store import idempotency
from orchestrator.store import recipient_imports as import_store
from orchestrator.store import recipient_lists as list_store
from orchestrator.store.database import Transaction


class RecipientListService:
    """Lists, and the reports of their imports."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def create(
        self, scope: CompanyScope, name: str, region: str = "", idempotency_key: str = ""
    ) -> RecipientList:
        """Make an empty list. `region` (ISO 3166, such as BR) is that of numbers without a country code; where it is
        empty, such numbers are read with their country code.

        Raises INVALID_ARGUMENT, IDEMPOTENCY_KEY_REUSED.
        """
        name, region = checked_name(name), region.upper()
        if region and not is_region(region):
            raise invalid_field(INVALID_ARGUMENT, "region", "Give a region of two letters, such as BR.")
        now = self._context.clock()
        new = RecipientList(make_id(now, self._context.rng), scope.company_id, name, region, now)
        request = idempotency.hash_request(name, region)
        async with self._context.database.transaction(scope) as tx:
            earlier = await idempotency.remember(
                tx, scope, idempotency_key, "CreateRecipientList", request, new.id, now=now
            )
            if earlier is not None:
                return await found_list(tx, scope, earlier.resource_id)
            await list_store.add(tx, scope, new)
        return new

    async def get(self, scope: CompanyScope, list_id: str) -> RecipientList:
        """Give one list. Raises NOT_FOUND."""
        async with self._context.database.reading(scope) as tx:
            return await found_list(tx, scope, list_id)

    async def delete(self, scope: CompanyScope, list_id: str) -> None:
        """Remove a list. Raises NOT_FOUND, RECIPIENT_LIST_IN_USE while a campaign that has not ended uses it."""
        async with self._context.database.transaction(scope) as tx:
            await found_list(tx, scope, list_id)
            if await campaign_store.uses_list(tx, scope, list_id):
                raise PonteError(RECIPIENT_LIST_IN_USE)
            await list_store.remove(tx, scope, list_id, self._context.clock())

    async def get_import(self, scope: CompanyScope, list_id: str, import_id: str) -> RecipientImport:
        """Give one import. Raises NOT_FOUND."""
        async with self._context.database.reading(scope) as tx:
            await found_list(tx, scope, list_id)
            found = await import_store.get(tx, scope, list_id, import_id) if is_id(import_id) else None
        if found is None:
            raise not_found()
        return found

    async def list_imports(
        self, scope: CompanyScope, list_id: str, page: PageRequest
    ) -> Page[RecipientImport]:
        """List a list's imports, newest first. Raises NOT_FOUND, INVALID_ARGUMENT, INVALID_PAGE_TOKEN."""
        async with self._context.database.reading(scope) as tx:
            await found_list(tx, scope, list_id)
            return await import_store.list_page(tx, scope, list_id, page)

    async def reported_lines(
        self, scope: CompanyScope, import_id: str, after_line: int, most: int
    ) -> list[ReportedLine]:
        """Give at most `most` reported lines of an import after a line; none at the end."""
        async with self._context.database.reading(scope) as tx:
            return await import_store.reported_after(tx, scope, import_id, after_line, most)

    async def list(self, scope: CompanyScope, page: PageRequest) -> Page[RecipientList]:
        """List lists, newest first. Raises INVALID_ARGUMENT or INVALID_PAGE_TOKEN."""
        async with self._context.database.reading(scope) as tx:
            return await list_store.list_page(tx, scope, page)


async def found_list(tx: Transaction, scope: CompanyScope, list_id: str) -> RecipientList:
    """Look a list up. Raises NOT_FOUND."""
    found = await list_store.get(tx, scope, list_id) if is_id(list_id) else None
    if found is None:
        raise not_found()
    return found
