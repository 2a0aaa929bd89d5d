"""Deliveries: events on their way to endpoints, and what became of them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    Table,
    and_,
    bindparam,
    insert,
    literal_column,
    select,
    update,
)

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.events import Event
from orchestrator.domain.ids import make_id
from orchestrator.domain.page import Page, PageRequest
from orchestrator.domain.webhook import Delivery, DeliveryStatus
from orchestrator.store.database import Transaction
from orchestrator.store.models import EventRow, WebhookDeliveryRow
from orchestrator.store.paging import after_token, page_of

_deliveries: Table = WebhookDeliveryRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_events: Table = EventRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it

_EVENT_PREFIX = "event_"
_PENDING: ColumnElement[str] = literal_column("'PENDING'")
"""Written out, so that the databases see that the partial index fits."""

_INSERT = insert(_deliveries)
_RECORD = (
    update(_deliveries)
    .where(
        _deliveries.c.company_id == bindparam("of_company"),
        _deliveries.c.id == bindparam("of_delivery"),
        _deliveries.c.status == _PENDING,
    )
    .values(
        status=bindparam("new_status"),
        attempts=bindparam("new_attempts"),
        next_attempt_at=bindparam("new_next_attempt_at"),
        last_status_code=bindparam("new_status_code"),
        last_error=bindparam("new_error"),
        delivered_at=bindparam("new_delivered_at"),
    )
)


_LIST_DUE = (
    select(
        _deliveries.c.id.label("delivery_id"),
        _deliveries.c.attempts,
        *(column.label(_EVENT_PREFIX + column.name) for column in _events.c),
    )
    .join(
        _events,
        and_(_events.c.company_id == _deliveries.c.company_id, _events.c.sequence == _deliveries.c.sequence),
    )
    .where(
        _deliveries.c.company_id == bindparam("of_company"),
        _deliveries.c.webhook_id == bindparam("of_webhook"),
        _deliveries.c.status == _PENDING,
        _deliveries.c.next_attempt_at <= bindparam("now"),
        _deliveries.c.id.not_in(bindparam("known", expanding=True)),
    )
    .order_by(_deliveries.c.sequence)
    .limit(bindparam("most"))
)


@dataclass(frozen=True, slots=True)
class DueDelivery:
    """A delivery to attempt now; `attempts` were made before."""

    id: str
    attempts: int
    event: Event


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """What an attempt changed in a delivery."""

    delivery_id: str
    status: DeliveryStatus
    attempts: int
    next_attempt_at: datetime | None
    status_code: int
    error: str
    delivered_at: datetime | None


async def add(
    tx: Transaction,
    scope: CompanyScope,
    webhook_id: str,
    events: Sequence[Event],
    now: datetime,
    rng: Random,
) -> list[DueDelivery]:
    """Make a delivery, due now, of each event. The database refuses a second one of the same event and webhook."""
    if not events:
        return []
    rows = [
        {
            "id": make_id(now, rng),
            "company_id": scope.company_id,
            "webhook_id": webhook_id,
            "event_id": event.id,
            "sequence": event.sequence,
            "event_type": event.type,
            "chat_jid": event.chat_jid,
            "status": str(DeliveryStatus.PENDING),
            "next_attempt_at": now,
            "created_at": now,
        }
        for event in events
    ]
    await tx.connection.execute(_INSERT, rows)
    return [DueDelivery(str(row["id"]), 0, event) for row, event in zip(rows, events, strict=True)]


async def list_due(
    tx: Transaction,
    scope: CompanyScope,
    webhook_id: str,
    now: datetime,
    limit: int,
    known: Collection[str] = (),
) -> list[DueDelivery]:
    """List at most `limit` deliveries whose time has come, in the order of their events, without those in `known`."""
    arguments = {
        "of_company": scope.company_id,
        "of_webhook": webhook_id,
        "now": now,
        "most": limit,
        "known": list(known),
    }
    return [
        DueDelivery(row["delivery_id"], row["attempts"], _to_event(row))
        for row in (await tx.connection.execute(_LIST_DUE, arguments)).mappings()
    ]


async def record(tx: Transaction, scope: CompanyScope, results: Sequence[DeliveryResult]) -> None:
    """Store the results of attempts; a delivery that is no longer pending keeps what it has."""
    if not results:
        return
    await tx.connection.execute(
        _RECORD,
        [
            {
                "of_company": scope.company_id,
                "of_delivery": result.delivery_id,
                "new_status": str(result.status),
                "new_attempts": result.attempts,
                "new_next_attempt_at": result.next_attempt_at,
                "new_status_code": result.status_code,
                "new_error": result.error,
                "new_delivered_at": result.delivered_at,
            }
            for result in results
        ],
    )


async def get(tx: Transaction, scope: CompanyScope, webhook_id: str, delivery_id: str) -> Delivery | None:
    """Look a delivery of a webhook up; None where there is none."""
    query = select(_deliveries).where(
        _deliveries.c.company_id == scope.company_id,
        _deliveries.c.webhook_id == webhook_id,
        _deliveries.c.id == delivery_id,
    )
    row = (await tx.connection.execute(query)).mappings().one_or_none()
    return _to_delivery(row) if row else None


async def list_page(
    tx: Transaction, scope: CompanyScope, webhook_id: str, status: DeliveryStatus | None, page: PageRequest
) -> Page[Delivery]:
    """List a webhook's deliveries, newest event first. Raises INVALID_ARGUMENT or INVALID_PAGE_TOKEN for a bad page."""
    query = select(_deliveries).where(
        _deliveries.c.company_id == scope.company_id, _deliveries.c.webhook_id == webhook_id
    )
    if status is not None:
        query = query.where(_deliveries.c.status == str(status))
    rows = (await tx.connection.execute(after_token(query, _deliveries.c.sequence, page))).mappings()
    return page_of([_to_delivery(row) for row in rows], page, lambda delivery: delivery.sequence)


async def start_again(tx: Transaction, scope: CompanyScope, delivery_id: str, now: datetime) -> None:
    """Make a delivery due now with a fresh schedule of attempts, whatever became of it before."""
    await tx.connection.execute(
        update(_deliveries)
        .where(_deliveries.c.company_id == scope.company_id, _deliveries.c.id == delivery_id)
        .values(status=str(DeliveryStatus.PENDING), attempts=0, next_attempt_at=now, delivered_at=None)
    )


def _to_event(row: RowMapping) -> Event:
    return Event(**{column.name: row[_EVENT_PREFIX + column.name] for column in _events.c})


def _to_delivery(row: RowMapping) -> Delivery:
    return Delivery(
        id=row["id"],
        webhook_id=row["webhook_id"],
        event_id=row["event_id"],
        sequence=row["sequence"],
        event_type=row["event_type"],
        status=DeliveryStatus(row["status"]),
        attempts=row["attempts"],
        next_attempt_at=row["next_attempt_at"],
        last_status_code=row["last_status_code"],
        last_error=row["last_error"],
        created_at=row["created_at"],
        delivered_at=row["delivered_at"],
    )
