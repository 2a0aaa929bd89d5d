"""Dispatch leases: who may send a session's messages, kept on the session's row with its breaker.

Under the lease, SENDING messages are the holder's. When a holder dies, its lease expires and the next one takes them
back.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Table, bindparam, or_, select, update

from orchestrator.domain.breaker import Breaker, BreakerState
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.message import MessageStatus
from orchestrator.domain.session import SessionState
from orchestrator.store.database import Transaction
from orchestrator.store.id_lists import padded
from orchestrator.store.models import MessageRow, SessionRow
from orchestrator.store.outbox import IS_CLAIMED

_messages: Table = MessageRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_sessions: Table = SessionRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """What a write for a session must check: its state, and the fence of the gateway that holds it."""

    state: SessionState
    fence: int


@dataclass(frozen=True, slots=True)
class SendingSession:
    """What the holder of a dispatch lease must know of its session before each claim."""

    state: SessionState
    breaker: Breaker


_BREAKER_COLUMNS = (
    _sessions.c.state,
    _sessions.c.breaker_state,
    _sessions.c.breaker_failures,
    _sessions.c.breaker_pauses,
    _sessions.c.breaker_until,
    _sessions.c.breaker_stale_devices,
)
_THE_SESSION = (
    _sessions.c.company_id == bindparam("b_company"),
    _sessions.c.id == bindparam("b_session"),
    _sessions.c.deleted_at.is_(None),
)
_TAKE = (
    update(_sessions)
    .values(dispatch_owner=bindparam("b_owner"), dispatch_until=bindparam("b_until"))
    .returning(*_BREAKER_COLUMNS)
)
_TAKE_FREE = _TAKE.where(
    *_THE_SESSION, _sessions.c.dispatch_owner == "", _sessions.c.state == SessionState.CONNECTED
)
_TAKE_EXPIRED = _TAKE.where(
    *_THE_SESSION,
    or_(_sessions.c.dispatch_until.is_(None), _sessions.c.dispatch_until <= bindparam("b_now")),
    _sessions.c.state == SessionState.CONNECTED,
)
_RENEW = (
    update(_sessions)
    .where(*_THE_SESSION, _sessions.c.dispatch_owner == bindparam("b_owner"))
    .values(dispatch_until=bindparam("b_until"))
    .returning(*_BREAKER_COLUMNS)
)
_RELEASE = (
    update(_sessions)
    .where(*_THE_SESSION, _sessions.c.dispatch_owner == bindparam("b_owner"))
    .values(dispatch_owner="", dispatch_until=None)
)
_ABANDON = (
    update(_sessions)
    .where(*_THE_SESSION, _sessions.c.dispatch_owner == bindparam("b_owner"))
    .values(dispatch_until=bindparam("b_now"))
)
_STORE_BREAKER = (
    update(_sessions)
    .where(*_THE_SESSION, _sessions.c.dispatch_owner == bindparam("b_owner"))
    .values(
        breaker_state=bindparam("b_state"),
        breaker_failures=bindparam("b_failures"),
        breaker_pauses=bindparam("b_pauses"),
        breaker_until=bindparam("b_breaker_until"),
        breaker_stale_devices=bindparam("b_stale_devices"),
    )
)
_TAKE_BACK = (
    update(_messages)
    .where(_messages.c.session_id == bindparam("b_session"), IS_CLAIMED)
    .values(status=MessageStatus.QUEUED.value, claimed_until=None)
)
_FACTS = select(_sessions.c.id, _sessions.c.state, _sessions.c.fence).where(
    _sessions.c.company_id == bindparam("b_company"),
    _sessions.c.deleted_at.is_(None),
    _sessions.c.id.in_(bindparam("b_ids", expanding=True)),
)
_BREAKERS = select(_sessions.c.id, *_BREAKER_COLUMNS).where(
    _sessions.c.company_id == bindparam("b_company"),
    _sessions.c.deleted_at.is_(None),
    _sessions.c.id.in_(bindparam("b_ids", expanding=True)),
)
_SOME_IDS = (
    select(_sessions.c.id)
    .where(_sessions.c.company_id == bindparam("b_company"), _sessions.c.deleted_at.is_(None))
    .limit(2)
)


async def session_facts(
    tx: Transaction, scope: CompanyScope, session_ids: Collection[str]
) -> dict[str, SessionFacts]:
    """Read what must be checked of sessions; unknown, deleted and other companies' ones are left out."""
    rows = await tx.connection.execute(_FACTS, {"b_company": scope.company_id, "b_ids": padded(session_ids)})
    return {row.id: SessionFacts(SessionState(row.state), row.fence) for row in rows}


async def breakers(tx: Transaction, scope: CompanyScope, session_ids: Collection[str]) -> dict[str, Breaker]:
    """Read the breakers of sessions; unknown, deleted and other companies' ones are left out."""
    arguments = {"b_company": scope.company_id, "b_ids": padded(session_ids)}
    rows = await tx.connection.execute(_BREAKERS, arguments)
    return {row.id: _to_breaker(row) for row in rows}


async def some_session_ids(tx: Transaction, scope: CompanyScope) -> list[str]:
    """Give the ids of at most two sessions of the company: enough to tell whether it has one."""
    return list((await tx.connection.execute(_SOME_IDS, {"b_company": scope.company_id})).scalars())


async def acquire(
    tx: Transaction, scope: CompanyScope, session_id: str, owner: str, now: datetime, until: datetime
) -> SendingSession | None:
    """Take the dispatch lease of a connected session, or give None where another holds it.

    After a holder that died, what it had claimed is taken back, to be sent again with the same ids.
    """
    arguments = _whose(scope, session_id, owner) | {"b_until": until, "b_now": now}
    row = (await tx.connection.execute(_TAKE_FREE, arguments)).one_or_none()
    if row:
        return _to_sending_session(row)
    row = (await tx.connection.execute(_TAKE_EXPIRED, arguments)).one_or_none()
    if not row:
        return None
    await tx.connection.execute(_TAKE_BACK, {"b_session": session_id})
    return _to_sending_session(row)


async def renew(
    tx: Transaction, scope: CompanyScope, session_id: str, owner: str, until: datetime
) -> SendingSession | None:
    """Hold the lease until `until`, and see the session; None where the lease is another's now."""
    row = (
        await tx.connection.execute(_RENEW, _whose(scope, session_id, owner) | {"b_until": until})
    ).one_or_none()
    return _to_sending_session(row) if row else None


async def release(tx: Transaction, scope: CompanyScope, session_id: str, owner: str) -> None:
    """Give the lease up, with nothing claimed."""
    await tx.connection.execute(_RELEASE, _whose(scope, session_id, owner))


async def abandon(tx: Transaction, scope: CompanyScope, session_id: str, owner: str, now: datetime) -> None:
    """Let the lease expire at once, with claims left: the next holder takes them back."""
    await tx.connection.execute(_ABANDON, _whose(scope, session_id, owner) | {"b_now": now})


async def store_breaker(
    tx: Transaction, scope: CompanyScope, session_id: str, owner: str, breaker: Breaker
) -> None:
    """Keep the session's breaker; does nothing where the lease is another's."""
    arguments = _whose(scope, session_id, owner) | {
        "b_state": breaker.state.value,
        "b_failures": breaker.failures,
        "b_pauses": breaker.pauses,
        "b_breaker_until": breaker.until,
        "b_stale_devices": breaker.stale_devices,
    }
    await tx.connection.execute(_STORE_BREAKER, arguments)


def _whose(scope: CompanyScope, session_id: str, owner: str) -> dict[str, Any]:
    return {"b_company": scope.company_id, "b_session": session_id, "b_owner": owner}


def _to_sending_session(row: Row[Any]) -> SendingSession:
    return SendingSession(SessionState(row.state), _to_breaker(row))


def _to_breaker(row: Any) -> Breaker:
    return Breaker(
        BreakerState(row.breaker_state),
        row.breaker_failures,
        row.breaker_pauses,
        row.breaker_until,
        row.breaker_stale_devices,
    )
