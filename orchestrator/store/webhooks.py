"""Webhook endpoints: what companies set up, who works on them now, and how far each has got in the event log."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    Table,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    true,
    update,
)

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.endpoint_health import HEALTHY, EndpointHealth
from orchestrator.domain.page import Page, PageRequest
from orchestrator.domain.webhook import Webhook
from orchestrator.store.database import SystemScope, Transaction
from orchestrator.store.models import EventCounterRow, WebhookDeliveryRow, WebhookRow
from orchestrator.store.paging import after_token, page_of
from orchestrator.store.vault import Sealed

_webhooks: Table = WebhookRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_deliveries: Table = WebhookDeliveryRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_counters: Table = EventCounterRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it

_kept = _webhooks.c.deleted_at.is_(None)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A webhook as its deliverer sees it. Events up to `cursor` have become deliveries."""

    webhook: Webhook
    secret: Sealed
    cursor: int
    health: EndpointHealth


# Statements of the hot path are built once.
_NAMED = and_(
    _webhooks.c.company_id == bindparam("of_company"), _webhooks.c.id == bindparam("of_webhook"), _kept
)
_FREE = or_(_webhooks.c.claimed_until.is_(None), _webhooks.c.claimed_until < bindparam("now"))
_CLAIM = (
    update(_webhooks)
    .where(_NAMED, _webhooks.c.enabled.is_(true()), or_(_webhooks.c.claim_owner == bindparam("owner"), _FREE))
    .values(claim_owner=bindparam("owner"), claimed_until=bindparam("until"))
    .returning(*_webhooks.c)
)
_RELEASE = (
    update(_webhooks)
    .where(_NAMED, _webhooks.c.claim_owner == bindparam("owner"))
    .values(claim_owner="", claimed_until=None)
)
_MOVE_CURSOR = update(_webhooks).where(_NAMED).values(cursor=bindparam("position"))
_HAS_WAITING = exists().where(
    _deliveries.c.webhook_id == _webhooks.c.id,
    # Written out, so that the databases see that the partial index fits.
    _deliveries.c.status == literal_column("'PENDING'"),
    _deliveries.c.next_attempt_at <= bindparam("now"),
)
_IS_DUE = and_(
    _kept,
    _webhooks.c.enabled.is_(true()),
    or_(_webhooks.c.paused_until.is_(None), _webhooks.c.paused_until <= bindparam("now")),
    or_(_webhooks.c.cursor < func.coalesce(_counters.c.last_sequence, 0), _HAS_WAITING),
)
_WITH_COUNTER = _webhooks.outerjoin(_counters, _counters.c.company_id == _webhooks.c.company_id)
_LIST_DUE = (
    select(_webhooks.c.id)
    .select_from(_WITH_COUNTER)
    .where(_IS_DUE, _webhooks.c.company_id == bindparam("of_company"))
)
_DUE_COMPANIES = select(_webhooks.c.company_id).distinct().select_from(_WITH_COUNTER).where(_IS_DUE, _FREE)


async def add(tx: Transaction, scope: CompanyScope, webhook: Webhook, secret: Sealed, cursor: int) -> None:
    """Store a new webhook that gets the events after `cursor`."""
    await tx.connection.execute(
        insert(_webhooks).values(
            id=webhook.id,
            company_id=scope.company_id,
            url=webhook.url,
            events=list(webhook.events),
            secret_key_id=secret.key_id,
            secret_ciphertext=secret.ciphertext,
            cursor=cursor,
            created_at=webhook.created_at,
        )
    )


async def get(tx: Transaction, scope: CompanyScope, webhook_id: str) -> Endpoint | None:
    """Look a webhook up; None where the company has none of this id."""
    row = (
        (await tx.connection.execute(select(_webhooks).where(_is(scope, webhook_id))))
        .mappings()
        .one_or_none()
    )
    return _to_endpoint(row) if row else None


async def count(tx: Transaction, scope: CompanyScope) -> int:
    """Count the company's webhooks, switched off or not."""
    query = (
        select(func.count()).select_from(_webhooks).where(_webhooks.c.company_id == scope.company_id, _kept)
    )
    number: int = (await tx.connection.execute(query)).scalar_one()
    return number


async def list_page(tx: Transaction, scope: CompanyScope, page: PageRequest) -> Page[Webhook]:
    """List webhooks, newest first. Raises INVALID_ARGUMENT or INVALID_PAGE_TOKEN for a bad page."""
    query = select(_webhooks).where(_webhooks.c.company_id == scope.company_id, _kept)
    rows = (await tx.connection.execute(after_token(query, _webhooks.c.id, page))).mappings()
    return page_of([_to_endpoint(row).webhook for row in rows], page, lambda webhook: webhook.id)


async def change(
    tx: Transaction,
    scope: CompanyScope,
    webhook_id: str,
    *,
    url: str,
    events: Sequence[str],
    disabled_reason: str,
    not_before: int,
) -> None:
    """Overwrite what the company sets up; the endpoint starts anew with a clean record of failures.

    Events up to `not_before` are not made into deliveries any more; the cursor never moves back.
    """
    values: dict[str, Any] = {
        "url": url,
        "events": list(events),
        "enabled": not disabled_reason,
        "disabled_reason": disabled_reason,
        "cursor": case((_webhooks.c.cursor < not_before, not_before), else_=_webhooks.c.cursor),
    }
    await tx.connection.execute(
        update(_webhooks).where(_is(scope, webhook_id)).values(**values, **_health(HEALTHY))
    )


async def remove(tx: Transaction, scope: CompanyScope, webhook_id: str, now: datetime) -> bool:
    """Delete a webhook and its deliveries; False where there is none."""
    statement = (
        update(_webhooks)
        .where(_is(scope, webhook_id))
        .values(deleted_at=now, enabled=False)
        .returning(_webhooks.c.id)
    )
    if (await tx.connection.execute(statement)).scalar_one_or_none() is None:
        return False
    await tx.connection.execute(
        delete(_deliveries).where(
            _deliveries.c.company_id == scope.company_id, _deliveries.c.webhook_id == webhook_id
        )
    )
    return True


async def disable(tx: Transaction, scope: CompanyScope, webhook_id: str, reason: str) -> None:
    """Switch a webhook off for a reason that its owner reads."""
    await tx.connection.execute(
        update(_webhooks).where(_is(scope, webhook_id)).values(enabled=False, disabled_reason=reason)
    )


async def save_health(tx: Transaction, scope: CompanyScope, webhook_id: str, health: EndpointHealth) -> None:
    """Store how the endpoint does."""
    await tx.connection.execute(update(_webhooks).where(_is(scope, webhook_id)).values(**_health(health)))


async def claim(
    tx: Transaction, scope: CompanyScope, webhook_id: str, owner: str, now: datetime, until: datetime
) -> Endpoint | None:
    """Take or keep the right to deliver to an endpoint until then; None where it is switched off or another's.

    Locks the webhook until the transaction ends, so that two deliverers cannot move its cursor at once.
    """
    arguments = {**_named(scope, webhook_id), "owner": owner, "now": now, "until": until}
    row = (await tx.connection.execute(_CLAIM, arguments)).mappings().one_or_none()
    return _to_endpoint(row) if row else None


async def release(tx: Transaction, scope: CompanyScope, webhook_id: str, owner: str) -> None:
    """Give the right to deliver back."""
    await tx.connection.execute(_RELEASE, {**_named(scope, webhook_id), "owner": owner})


async def move_cursor(tx: Transaction, scope: CompanyScope, webhook_id: str, cursor: int) -> None:
    """Note that events up to `cursor` have become deliveries; in the same transaction that adds them."""
    await tx.connection.execute(_MOVE_CURSOR, {**_named(scope, webhook_id), "position": cursor})


async def list_due(tx: Transaction, scope: CompanyScope, now: datetime) -> list[str]:
    """List the ids of the company's webhooks that have something to deliver now, whoever works on them."""
    found = await tx.connection.execute(_LIST_DUE, {"of_company": scope.company_id, "now": now})
    return list(found.scalars())


async def due_companies(tx: Transaction, scope: SystemScope, now: datetime, limit: int = 1000) -> list[str]:
    """List companies that have something to deliver now and nobody at work on it: for maintenance to ring."""
    del scope  # The transaction was opened for all companies.
    return list((await tx.connection.execute(_DUE_COMPANIES.limit(limit), {"now": now})).scalars())


def _is(scope: CompanyScope, webhook_id: str) -> ColumnElement[bool]:
    return and_(_webhooks.c.company_id == scope.company_id, _webhooks.c.id == webhook_id, _kept)


def _named(scope: CompanyScope, webhook_id: str) -> dict[str, Any]:
    return {"of_company": scope.company_id, "of_webhook": webhook_id}


def _health(health: EndpointHealth) -> dict[str, Any]:
    return {"failures": health.failures, "paused_until": health.paused_until}


def _to_endpoint(row: RowMapping) -> Endpoint:
    webhook = Webhook(
        id=row["id"],
        company_id=row["company_id"],
        url=row["url"],
        events=tuple(row["events"]),
        created_at=row["created_at"],
        disabled_reason=row["disabled_reason"],
    )
    return Endpoint(
        webhook,
        Sealed(row["secret_key_id"], row["secret_ciphertext"]),
        row["cursor"],
        EndpointHealth(row["failures"], row["paused_until"]),
    )
