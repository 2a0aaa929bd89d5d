"""All sessions of all companies as an audit compares them."""

from sqlalchemy import Table, or_, select

from orchestrator.domain.session import DesiredState, SessionState
from orchestrator.domain.session_audit import StoredSession
from orchestrator.store.database import SystemScope, Transaction
from orchestrator.store.models import AuthCredentialsRow, SessionRow

_sessions: Table = SessionRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_credentials: Table = AuthCredentialsRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it


async def list_sessions(tx: Transaction, scope: SystemScope) -> list[StoredSession]:
    """List sessions by id; of the deleted ones those that somebody still holds."""
    del scope  # The transaction was opened for all companies.
    query = (
        select(
            _sessions.c.id,
            _sessions.c.company_id,
            _sessions.c.state,
            _sessions.c.desired_state,
            _sessions.c.deleted_at,
            _sessions.c.lease_owner,
            _sessions.c.lease_until,
            _sessions.c.fence,
            _sessions.c.reconnect_at,
            _credentials.c.session_id.label("credentials_of"),
        )
        .select_from(_sessions.outerjoin(_credentials, _credentials.c.session_id == _sessions.c.id))
        .where(or_(_sessions.c.deleted_at.is_(None), _sessions.c.lease_owner != ""))
        .order_by(_sessions.c.id)
    )
    return [
        StoredSession(
            session_id=row.id,
            company_id=row.company_id,
            state=SessionState(row.state),
            desired_state=DesiredState(row.desired_state),
            deleted=row.deleted_at is not None,
            lease_owner=row.lease_owner,
            lease_until=row.lease_until,
            fence=row.fence,
            reconnect_at=row.reconnect_at,
            has_credentials=row.credentials_of is not None,
        )
        for row in await tx.connection.execute(query)
    ]
