"""Sessions: what is wanted, what is observed, and the QR on show."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, Table, func, insert, select, update
from sqlalchemy.sql.dml import Update

from orchestrator.domain.breaker import Breaker, BreakerState
from orchestrator.domain.close_history import CloseHistory
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.imports import HistoryWish
from orchestrator.domain.jid import ContactId
from orchestrator.domain.page import Page, PageRequest
from orchestrator.domain.session import DesiredState, LastClose, QrCode, Session, SessionState
from orchestrator.store.database import Transaction
from orchestrator.store.models import CompanyRow, SessionRow
from orchestrator.store.paging import after_token, page_of

_sessions: Table = SessionRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_companies: Table = CompanyRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """A session with what only its gateway needs: the fence, the failures in a row, when to connect next, what closed
    connections have left, and which messages from before are wanted."""

    session: Session
    fence: int
    reconnect_failures: int
    reconnect_at: datetime | None
    qr: QrCode | None
    history: CloseHistory
    breaker: Breaker
    wish: HistoryWish


async def add(tx: Transaction, scope: CompanyScope, session: Session) -> None:
    """Store a new session."""
    row = {
        "id": session.id,
        "company_id": scope.company_id,
        "name": session.name,
        "state": str(session.state),
        "desired_state": str(session.desired_state),
        "created_at": session.created_at,
    }
    await tx.connection.execute(insert(_sessions).values(row))


async def find(tx: Transaction, scope: CompanyScope, session_id: str) -> Session | None:
    """The session, or None where it is unknown, deleted or another company's."""
    row = (await tx.connection.execute(_one(scope, session_id))).mappings().one_or_none()
    return _to_session(row) if row else None


async def find_record(tx: Transaction, scope: CompanyScope, session_id: str) -> SessionRecord | None:
    """As `find`, with what its gateway needs."""
    row = (await tx.connection.execute(_one(scope, session_id))).mappings().one_or_none()
    return _to_record(row) if row else None


async def lock_record(tx: Transaction, scope: CompanyScope, session_id: str) -> SessionRecord | None:
    """As `find_record`; nobody else changes the session until the transaction ends."""
    query = _one(scope, session_id).with_for_update(key_share=True)
    row = (await tx.connection.execute(query)).mappings().one_or_none()
    return _to_record(row) if row else None


async def list_page(tx: Transaction, scope: CompanyScope, page: PageRequest) -> Page[Session]:
    """The company's sessions, newest first."""
    query = after_token(select(_sessions).where(*_visible(scope)), _sessions.c.id, page)
    rows = (await tx.connection.execute(query)).mappings().all()
    return page_of([_to_session(row) for row in rows], page, lambda session: session.id)


async def list_first(tx: Transaction, scope: CompanyScope, limit: int) -> list[Session]:
    """The company's oldest sessions, at most `limit`."""
    query = select(_sessions).where(*_visible(scope)).order_by(_sessions.c.id).limit(limit)
    return [_to_session(row) for row in (await tx.connection.execute(query)).mappings()]


async def count(tx: Transaction, scope: CompanyScope) -> int:
    """How many sessions the company has."""
    query = select(func.count()).select_from(_sessions).where(*_visible(scope))
    number: int = (await tx.connection.execute(query)).scalar_one()
    return number


async def lock_limit(tx: Transaction, scope: CompanyScope) -> int | None:
    """How many sessions the company may have, held until the transaction ends; None where there is no such company."""
    query = (
        select(_companies.c.max_sessions)
        .where(_companies.c.id == scope.company_id, _companies.c.deleted_at.is_(None))
        .with_for_update()
    )
    limit: int | None = (await tx.connection.execute(query)).scalar_one_or_none()
    return limit


async def change(tx: Transaction, scope: CompanyScope, session_id: str, changes: dict[str, object]) -> None:
    """Set columns of a session."""
    if changes:
        await tx.connection.execute(_update(scope, session_id).values(changes))


async def revoke_lease(tx: Transaction, scope: CompanyScope, session_id: str) -> None:
    """Take the session from the gateway that holds it: its fence is stale from now on.

    Waits for auth writes under the present fence.
    """
    await tx.connection.execute(_one(scope, session_id).with_for_update())
    changes = {"lease_owner": "", "lease_address": "", "lease_until": None, "fence": _sessions.c.fence + 1}
    await tx.connection.execute(_update(scope, session_id).values(changes))


def _visible(scope: CompanyScope) -> tuple[ColumnElement[bool], ...]:
    return (_sessions.c.company_id == scope.company_id, _sessions.c.deleted_at.is_(None))


def _one(scope: CompanyScope, session_id: str) -> Select[Any]:
    return select(_sessions).where(_sessions.c.id == session_id, *_visible(scope))


def _update(scope: CompanyScope, session_id: str) -> Update:
    return update(_sessions).where(_sessions.c.id == session_id, _sessions.c.company_id == scope.company_id)


def _to_record(row: RowMapping) -> SessionRecord:
    qr = QrCode(row["qr_data"], row["qr_expires_at"]) if row["qr_data"] else None
    return SessionRecord(
        _to_session(row),
        row["fence"],
        row["reconnect_failures"],
        row["reconnect_at"],
        qr,
        CloseHistory(row["network_closes"], row["drops"], row["looping"]),
        Breaker(
            BreakerState(row["breaker_state"]),
            row["breaker_failures"],
            row["breaker_pauses"],
            row["breaker_until"],
            row["breaker_stale_devices"],
        ),
        HistoryWish(row["history_days"], row["history_groups"], row["history_media"]),
    )


def _to_session(row: RowMapping) -> Session:
    return Session(
        id=row["id"],
        company_id=row["company_id"],
        name=row["name"],
        state=SessionState(row["state"]),
        desired_state=DesiredState(row["desired_state"]),
        me=ContactId(row["pn_jid"], row["lid_jid"]),
        push_name=row["push_name"],
        last_close=_to_last_close(row),
        created_at=row["created_at"],
        connected_at=row["connected_at"],
        reconnect_at=row["reconnect_at"] if row["state"] == SessionState.RECONNECTING else None,
        held_until=row["lease_until"],
    )


def _to_last_close(row: RowMapping) -> LastClose | None:
    if row["closed_at"] is None:
        return None
    return LastClose(
        row["close_code"] or 0,
        row["close_reason"],
        row["close_permanent"],
        row["closed_at"],
        row["close_advice"],
        row["start_not_before"],
    )
