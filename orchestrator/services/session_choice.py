"""Which session a request means."""

from orchestrator.domain import errors
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError, not_found
from orchestrator.domain.session import LINKED_STATES
from orchestrator.services.contacts import only_session
from orchestrator.services.context import Context
from orchestrator.store import dispatch_leases


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
