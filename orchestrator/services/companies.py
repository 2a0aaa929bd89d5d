"""Companies: made, changed and deleted by the administrator."""

from functools import partial

from orchestrator.domain.company import Company, CompanyScope
from orchestrator.domain.errors import INVALID_ARGUMENT, invalid_field, not_found
from orchestrator.domain.ids import is_id, make_id
from orchestrator.domain.page import Page, PageRequest
from orchestrator.services.context import Context
from orchestrator.services.import_progress import ImportProgress
from orchestrator.services.keys import KeyService
from orchestrator.services.names import checked_name
from orchestrator.store import companies, idempotency
from orchestrator.store.database import SystemScope

MOST_SESSIONS = 10_000


class CompanyService:
    """What the administrator does with companies."""

    def __init__(self, context: Context, keys: KeyService | None = None) -> None:
        """`keys` is told of deleted companies, so that theirs are refused at once and not after its cache's second."""
        self._context = context
        self._keys = keys
        self._imports = ImportProgress(context)

    async def create(self, name: str, max_sessions: int = 1, idempotency_key: str = "") -> Company:
        """Make a company. Raises INVALID_ARGUMENT for a bad name or number, IDEMPOTENCY_KEY_REUSED."""
        name = checked_name(name)
        _check_max_sessions(max_sessions)
        now, scope = self._context.clock(), SystemScope()
        company = Company(make_id(now, self._context.rng), name, max_sessions, now)
        request = idempotency.hash_request(name, max_sessions)
        async with self._context.database.transaction(scope) as tx:
            earlier = await idempotency.remember(
                tx, scope, idempotency_key, "CreateCompany", request, company.id, now=now
            )
            if earlier is None:
                await companies.add(tx, scope, company)
                return company
            made = await companies.get(tx, CompanyScope(earlier.resource_id))
        if made is None:
            raise not_found()
        return made

    async def get(self, company_id: str) -> Company:
        """Give one company. Raises NOT_FOUND."""
        scope = _scope_of(company_id)
        async with self._context.database.reading(scope) as tx:
            company = await companies.get(tx, scope)
        if company is None:
            raise not_found()
        return company

    async def list(self, page: PageRequest) -> Page[Company]:
        """List companies, newest first. Raises INVALID_ARGUMENT or INVALID_PAGE_TOKEN for a bad page."""
        scope = SystemScope()
        async with self._context.database.reading(scope) as tx:
            return await companies.list_page(tx, scope, page)

    async def update(
        self, company_id: str, name: str | None = None, max_sessions: int | None = None
    ) -> Company:
        """Change what is given. Fewer sessions than there are stops none of them. Raises NOT_FOUND."""
        scope = _scope_of(company_id)
        name = None if name is None else checked_name(name)
        if max_sessions is not None:
            _check_max_sessions(max_sessions)
        async with self._context.database.transaction(scope) as tx:
            company = await companies.change(tx, scope, name=name, max_sessions=max_sessions)
        if company is None:
            raise not_found()
        return company

    async def delete(self, company_id: str) -> None:
        """Hide a company, refuse its keys, end its sessions and imports, remove their auth state. Raises NOT_FOUND."""
        scope = _scope_of(company_id)
        async with self._context.database.transaction(scope) as tx:
            ended = await companies.remove(tx, scope, self._context.clock())
            if ended is None:
                raise not_found()
            await self._imports.cancel_all(tx, scope)
            for session_id in ended:
                tx.after_commit(partial(self._context.bells.session_changed, scope, session_id))
        if self._keys is not None:
            self._keys.forget_company(company_id)


def _check_max_sessions(max_sessions: int) -> None:
    if not 1 <= max_sessions <= MOST_SESSIONS:
        raise invalid_field(INVALID_ARGUMENT, "max_sessions", f"Give 1 to {MOST_SESSIONS}.")


def _scope_of(company_id: str) -> CompanyScope:
    if not is_id(company_id):
        raise not_found()
    return CompanyScope(company_id)
