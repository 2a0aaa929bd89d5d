"""What moving a linked number in and out needs to know across companies, and all keys of a session."""

from dataclasses import dataclass

from sqlalchemy import Table, select

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.session import LINKED_STATES, SessionState
from orchestrator.store.auth_state import SealedKey
from orchestrator.store.database import SystemScope, Transaction
from orchestrator.store.models import AuthKeyRow, SessionRow
from orchestrator.store.vault import Sealed

_sessions: Table = SessionRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_keys: Table = AuthKeyRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_LINKED = sorted(str(state) for state in LINKED_STATES)


@dataclass(frozen=True, slots=True)
class Holder:
    """A session that a number is linked to."""

    session_id: str
    company_id: str
    state: SessionState


async def find_company(tx: Transaction, scope: SystemScope, session_id: str) -> CompanyScope | None:
    """Whose session it is; None where it is unknown or deleted."""
    del scope  # The transaction was opened for all companies.
    query = select(_sessions.c.company_id).where(
        _sessions.c.id == session_id, _sessions.c.deleted_at.is_(None)
    )
    company_id = (await tx.connection.execute(query)).scalar_one_or_none()
    return CompanyScope(company_id) if company_id else None


async def find_holder(tx: Transaction, scope: SystemScope, pn_jid: str) -> Holder | None:
    """A session of any company to which this number (a jid without device) is linked."""
    del scope  # The transaction was opened for all companies.
    query = (
        select(_sessions.c.id, _sessions.c.company_id, _sessions.c.state)
        .where(_sessions.c.pn_jid == pn_jid, _sessions.c.state.in_(_LINKED), _sessions.c.deleted_at.is_(None))
        .order_by(_sessions.c.id)
        .limit(1)
    )
    row = (await tx.connection.execute(query)).one_or_none()
    return Holder(row.id, row.company_id, SessionState(row.state)) if row else None


async def list_all_keys(tx: Transaction, scope: CompanyScope, session_id: str) -> list[SealedKey]:
    """All keys of a session."""
    query = (
        select(_keys.c.type, _keys.c.name, _keys.c.key_id, _keys.c.ciphertext)
        .where(_keys.c.session_id == session_id, _keys.c.company_id == scope.company_id)
        .order_by(_keys.c.type, _keys.c.name)
    )
    rows = await tx.connection.execute(query)
    return [SealedKey(row.type, row.name, Sealed(row.key_id, row.ciphertext)) for row in rows]
