"""The event log: append only, numbered from 1 without gaps within a company."""

from collections.abc import Sequence
from datetime import datetime
from random import Random
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Table, bindparam, false, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.events import Event, NewEvent
from orchestrator.domain.ids import make_id
from orchestrator.store.database import Transaction
from orchestrator.store.models import EventCounterRow, EventRow

_events: Table = EventRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_counters: Table = EventCounterRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it

_INSERT = insert(_events)
_ADVANCE = (
    update(_counters)
    .where(_counters.c.company_id == bindparam("company"))
    .values(last_sequence=_counters.c.last_sequence + bindparam("count"))
    .returning(_counters.c.last_sequence)
)


async def append(
    tx: Transaction, scope: CompanyScope, events: Sequence[NewEvent], now: datetime, rng: Random
) -> list[Event]:
    """Record events with the company's next sequence numbers, in two statements for any number of them.

    Holds the company's counter until the transaction ends, so that numbers become visible in their order.
    """
    if not events:
        return []
    first = await reserve(tx, scope, len(events)) - len(events) + 1
    rows: list[dict[str, Any]] = [
        {
            "company_id": scope.company_id,
            "sequence": first + position,
            "id": make_id(now, rng),
            "session_id": event.session_id,
            "chat_jid": event.chat_jid,
            "type": str(event.type),
            "at": now,
            "data": event.data,
        }
        for position, event in enumerate(events)
    ]
    await tx.connection.execute(_INSERT, rows)
    return [Event(**row) for row in rows]


async def reserve(tx: Transaction, scope: CompanyScope, count: int) -> int:
    """Take the next `count` sequence numbers and give the last of them."""
    arguments = {"company": scope.company_id, "count": count}
    last = (await tx.connection.execute(_ADVANCE, arguments)).scalar_one_or_none()
    return last if last is not None else await _make_counter(tx, scope, count)


async def list_after(
    tx: Transaction,
    scope: CompanyScope,
    after: int,
    limit: int,
    types: Sequence[str] = (),
    session_id: str = "",
) -> list[Event]:
    """List at most `limit` events numbered above `after`, oldest first.

    `types` are patterns as webhooks have them (`message.sent`, `message.*`, `*`); none means all.
    """
    query = (
        select(_events)
        .where(_events.c.company_id == scope.company_id, _events.c.sequence > after)
        .order_by(_events.c.sequence)
        .limit(limit)
    )
    if types and "*" not in types:
        query = query.where(_of_types(types))
    if session_id:
        query = query.where(_events.c.session_id == session_id)
    return [to_event(row) for row in (await tx.connection.execute(query)).mappings()]


async def last_sequence(tx: Transaction, scope: CompanyScope) -> int:
    """Give the number of the company's newest event, 0 where there is none."""
    query = select(_counters.c.last_sequence).where(_counters.c.company_id == scope.company_id)
    return (await tx.connection.execute(query)).scalar_one_or_none() or 0


def to_event(row: RowMapping) -> Event:
    """Turn a row of the event table into its value."""
    return Event(**row)


def _of_types(patterns: Sequence[str]) -> ColumnElement[bool]:
    exact = [pattern for pattern in patterns if not pattern.endswith(".*")]
    groups = [pattern[:-1] for pattern in patterns if pattern.endswith(".*")]
    conditions = [_events.c.type.startswith(group, autoescape=True) for group in groups]
    return or_(false(), _events.c.type.in_(exact), *conditions)


async def _make_counter(tx: Transaction, scope: CompanyScope, count: int) -> int:
    make = sqlite.insert if tx.dialect == "sqlite" else postgresql.insert
    statement = (
        make(_counters)
        .values(company_id=scope.company_id, last_sequence=count)
        .on_conflict_do_update(
            index_elements=[_counters.c.company_id], set_={"last_sequence": _counters.c.last_sequence + count}
        )
        .returning(_counters.c.last_sequence)
    )
    last: int = (await tx.connection.execute(statement)).scalar_one()
    return last
