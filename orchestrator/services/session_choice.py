"""Which session a request means."""

from orchestrator.domain import errors
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError, not_found
from orchestrator.domain.session import LINKED_STATES
from orchestrator.services.context import Context
from orchestrator.store import dispatch_leases
from orchestrator.store.database import Transaction


async def linked_session(context: Context, scope: CompanyScope, session_id: str) -> str:
    """The session named, or the company's only one, with a linked number.

    Raises NOT_FOUND, SESSION_AMBIGUOUS, SESSION_NOT_LINKED.
    """
    async with context.database.reading(scope) as tx:
        session_id = session_id or await only_session(tx, scope)
        facts = (await dispatch_leases.session_facts(tx, scope, [session_id])).get(session_id)
    if facts is None:
        raise not_found()
    if facts.state not in LINKED_STATES:
        raise PonteError(errors.SESSION_NOT_LINKED)
    return session_id


async def only_session(tx: Transaction, scope: CompanyScope) -> str:
    """The id of a company's only session, for requests that name none. Raises NOT_FOUND or SESSION_AMBIGUOUS."""
    found = await dispatch_leases.some_session_ids(tx, scope)
    if not found:
        raise not_found()
    if len(found) > 1:
        raise PonteError(errors.SESSION_AMBIGUOUS)
    return found[0]
