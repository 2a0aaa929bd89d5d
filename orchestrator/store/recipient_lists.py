"""Recipient lists and who is on them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Table, and_, bindparam, insert, select, update

from orchestrator.domain.campaign.recipient_list import Recipient, RecipientList
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.page import Page, PageRequest
from orchestrator.store.database import Transaction
from orchestrator.store.id_lists import padded
from orchestrator.store.models import RecipientListRow, RecipientRow
from orchestrator.store.paging import after_token, page_of

_lists: Table = RecipientListRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_recipients: Table = RecipientRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it

_INSERT = insert(_recipients)
_KNOWN = select(_recipients.c.phone_number).where(
    _recipients.c.list_id == bindparam("list"),
    _recipients.c.company_id == bindparam("company"),
    _recipients.c.phone_number.in_(bindparam("numbers", expanding=True)),
)
_AT = (
    select(_recipients)
    .where(
        _recipients.c.list_id == bindparam("list"),
        _recipients.c.company_id == bindparam("company"),
        _recipients.c.position.in_(bindparam("positions", expanding=True)),
    )
    .order_by(_recipients.c.position)
)


async def add(tx: Transaction, scope: CompanyScope, new: RecipientList) -> None:
    """Store a new list."""
    await tx.connection.execute(
        insert(_lists).values(
            id=new.id,
            company_id=scope.company_id,
            name=new.name,
            region=new.region,
            recipients=new.recipients,
            field_counts=dict(new.field_counts),
            zone_counts=dict(new.zone_counts),
            created_at=new.created_at,
        )
    )


async def get(tx: Transaction, scope: CompanyScope, list_id: str) -> RecipientList | None:
    """Look a list up; None where the company has none of this id."""
    return await _one(tx, select(_lists).where(_is(scope, list_id)))


async def lock(tx: Transaction, scope: CompanyScope, list_id: str) -> RecipientList | None:
    """As `get`; nobody else changes the list until the transaction ends."""
    return await _one(tx, select(_lists).where(_is(scope, list_id)).with_for_update())


async def list_page(tx: Transaction, scope: CompanyScope, page: PageRequest) -> Page[RecipientList]:
    """List lists, newest first. Raises INVALID_ARGUMENT or INVALID_PAGE_TOKEN for a bad page."""
    query = select(_lists).where(_lists.c.company_id == scope.company_id, _lists.c.deleted_at.is_(None))
    rows = (await tx.connection.execute(after_token(query, _lists.c.id, page))).mappings()
    return page_of([_to_list(row) for row in rows], page, lambda found: found.id)


async def remove(tx: Transaction, scope: CompanyScope, list_id: str, now: datetime) -> None:
    """Hide a list; campaigns that have ended keep what they say of it."""
    await tx.connection.execute(update(_lists).where(_is(scope, list_id)).values(deleted_at=now))


async def save_counts(tx: Transaction, scope: CompanyScope, changed: RecipientList) -> None:
    """Write how many recipients a locked list has, with their fields and zones."""
    await tx.connection.execute(
        update(_lists)
        .where(_is(scope, changed.id))
        .values(
            recipients=changed.recipients,
            field_counts=dict(changed.field_counts),
            zone_counts=dict(changed.zone_counts),
        )
    )


async def known_numbers(
    tx: Transaction, scope: CompanyScope, list_id: str, numbers: Collection[str]
) -> set[str]:
    """Give those of the numbers (E.164) that are on the list."""
    arguments = {"list": list_id, "company": scope.company_id, "numbers": padded(numbers)}
    return set((await tx.connection.execute(_KNOWN, arguments)).scalars())


async def add_recipients(
    tx: Transaction, scope: CompanyScope, list_id: str, recipients: Sequence[Recipient]
) -> None:
    """Store recipients at their positions, in one statement."""
    if not recipients:
        return
    rows = [
        {
            "list_id": list_id,
            "position": recipient.position,
            "company_id": scope.company_id,
            "phone_number": recipient.phone_number,
            "name": recipient.name,
            "fields": dict(recipient.values) or None,
        }
        for recipient in recipients
    ]
    await tx.connection.execute(_INSERT, rows)


async def at_positions(
    tx: Transaction, scope: CompanyScope, list_id: str, positions: Sequence[int]
) -> list[Recipient]:
    """Give the recipients at these positions, in order."""
    if not positions:
        return []
    arguments = {"list": list_id, "company": scope.company_id, "positions": list(positions)}
    return [_to_recipient(row) for row in (await tx.connection.execute(_AT, arguments)).mappings()]


async def _one(tx: Transaction, query: Any) -> RecipientList | None:
    row = (await tx.connection.execute(query)).mappings().one_or_none()
    return _to_list(row) if row else None


def _is(scope: CompanyScope, list_id: str) -> ColumnElement[bool]:
    return and_(
        _lists.c.company_id == scope.company_id, _lists.c.id == list_id, _lists.c.deleted_at.is_(None)
    )


def _to_list(row: RowMapping) -> RecipientList:
    return RecipientList(
        id=row["id"],
        company_id=row["company_id"],
        name=row["name"],
        region=row["region"],
        created_at=row["created_at"],
        recipients=row["recipients"],
        field_counts=row["field_counts"],
        zone_counts=row["zone_counts"],
    )


def _to_recipient(row: RowMapping) -> Recipient:
    return Recipient(row["position"], row["phone_number"], row["name"], row["fields"] or {})
