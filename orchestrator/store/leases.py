"""Leases: which gateway holds a session's stream. Each new owner gets a higher fence."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, RowMapping, Table, func, or_, select, update

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.session import RUNNABLE_STATES, DesiredState, Lease
from orchestrator.store.database import Transaction
from orchestrator.store.models import SessionRow

_sessions: Table = SessionRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_RUNNABLE = sorted(str(state) for state in RUNNABLE_STATES)
_NOBODY = {"lease_owner": "", "lease_address": "", "lease_until": None}


@dataclass(frozen=True, slots=True)
class Renewed:
    """A lease that its owner still has; `wanted` False means that the session shall not run any more."""

    session_id: str
    fence: int
    wanted: bool


async def claim(
    tx: Transaction, owner: str, address: str, now: datetime, until: datetime, limit: int
) -> list[Lease]:
    """Take at most `limit` sessions of any company that shall run and that nobody else holds.

    What the owner holds itself it does not take again, also where it was late to renew.
    """
    is_free = _is_free(owner, now)
    free = (
        select(_sessions.c.id)
        .where(_wanted(), is_free)
        .order_by(_sessions.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    statement = (
        update(_sessions)
        .where(_sessions.c.id.in_(free.scalar_subquery()), is_free)
        .values(lease_owner=owner, lease_address=address, lease_until=until, fence=_sessions.c.fence + 1)
        .returning(*_LEASE_COLUMNS)
    )
    return [_to_lease(row) for row in (await tx.connection.execute(statement)).mappings()]


async def renew_unlocked(tx: Transaction, owner: str, until: datetime) -> list[Renewed]:
    """Prolong the leases of an owner in one statement, but those of sessions that another transaction has locked.

    Waiting for one session while others are locked here would be a deadlock with a transaction that writes for several
    sessions, such as a group commit.
    """
    mine = select(_sessions.c.id).where(_sessions.c.lease_owner == owner)
    unlocked = mine.with_for_update(key_share=True, skip_locked=True).scalar_subquery()
    return await _renew(tx, owner, until, _sessions.c.id.in_(unlocked))


async def renew_one(tx: Transaction, owner: str, session_id: str, until: datetime) -> list[Renewed]:
    """Prolong one lease, once whoever has locked its session is done; nothing where it is lost."""
    return await _renew(tx, owner, until, _sessions.c.id == session_id)


async def list_held(tx: Transaction, owner: str) -> list[str]:
    """The sessions whose lease an owner has, ended or not."""
    query = select(_sessions.c.id).where(_sessions.c.lease_owner == owner)
    return list((await tx.connection.execute(query)).scalars())


async def _renew(tx: Transaction, owner: str, until: datetime, which: ColumnElement[bool]) -> list[Renewed]:
    statement = (
        update(_sessions)
        .where(_sessions.c.lease_owner == owner, which)
        .values(lease_until=until)
        .returning(
            _sessions.c.id,
            _sessions.c.fence,
            _sessions.c.desired_state,
            _sessions.c.state,
            _sessions.c.deleted_at,
        )
    )
    return [_to_renewed(row) for row in await tx.connection.execute(statement)]


async def release(tx: Transaction, owner: str, session_id: str, fence: int) -> None:
    """Give one lease back; one that was lost meanwhile is left alone."""
    here = (_sessions.c.id == session_id, _sessions.c.lease_owner == owner, _sessions.c.fence == fence)
    await tx.connection.execute(update(_sessions).where(*here).values(_NOBODY))


async def release_all(tx: Transaction, owner: str) -> None:
    """Give back every lease of an owner, such as those that a process of the same name left when it was killed."""
    await tx.connection.execute(update(_sessions).where(_sessions.c.lease_owner == owner).values(_NOBODY))


async def find(tx: Transaction, scope: CompanyScope, session_id: str, now: datetime) -> Lease | None:
    """The lease of a session, or None where nobody holds it."""
    query = select(*_LEASE_COLUMNS).where(
        _sessions.c.id == session_id,
        _sessions.c.company_id == scope.company_id,
        _sessions.c.lease_owner != "",
        _sessions.c.lease_until > now,
    )
    row = (await tx.connection.execute(query)).mappings().one_or_none()
    return _to_lease(row) if row else None


async def count_wanted(tx: Transaction) -> int:
    """How many sessions of all companies shall run, held or not."""
    query = select(func.count()).select_from(_sessions).where(_wanted())
    return int((await tx.connection.execute(query)).scalar_one())


def _wanted() -> ColumnElement[bool]:
    return (
        (_sessions.c.desired_state == str(DesiredState.RUN))
        & _sessions.c.state.in_(_RUNNABLE)
        & _sessions.c.deleted_at.is_(None)
    )


def _is_free(owner: str, now: datetime) -> ColumnElement[bool]:
    ended = (_sessions.c.lease_owner != owner) & (_sessions.c.lease_until <= now)
    return or_(_sessions.c.lease_owner == "", ended)


_LEASE_COLUMNS = (
    _sessions.c.id,
    _sessions.c.company_id,
    _sessions.c.lease_owner,
    _sessions.c.lease_address,
    _sessions.c.fence,
    _sessions.c.lease_until,
)


def _to_renewed(row: Row[Any]) -> Renewed:
    wanted = row.desired_state == DesiredState.RUN and row.state in _RUNNABLE and row.deleted_at is None
    return Renewed(row.id, row.fence, wanted)


def _to_lease(row: RowMapping) -> Lease:
    return Lease(
        session_id=row["id"],
        company_id=row["company_id"],
        owner=row["lease_owner"],
        address=row["lease_address"],
        fence=row["fence"],
        until=row["lease_until"],
    )
