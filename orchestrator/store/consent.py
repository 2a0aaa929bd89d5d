"""The suppression list and the opt-ins of a company, by phone number and lid."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Row,
    Select,
    Table,
    and_,
    bindparam,
    delete,
    insert,
    or_,
    select,
    update,
)

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.consent import OptIn, Suppression, SuppressionCause
from orchestrator.domain.jid import ContactId
from orchestrator.domain.number_spelling import all_names
from orchestrator.domain.page import Page, PageRequest
from orchestrator.store.database import Transaction
from orchestrator.store.id_lists import padded
from orchestrator.store.models import OptInRow, SuppressionRow
from orchestrator.store.paging import after_token, page_of

_suppressions: Table = SuppressionRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_opt_ins: Table = OptInRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it


@dataclass(frozen=True, slots=True)
class Consents:
    """Who of some contacts is suppressed (by any name, with the entry), and who has opted in."""

    suppressed: dict[str, Suppression]
    opted_in: frozenset[str]

    def suppression_of(self, contact: ContactId) -> Suppression | None:
        """The entry that holds for a contact."""
        return self.suppressed.get(contact.pn_jid) or self.suppressed.get(contact.lid_jid)

    def has_opted_in(self, contact: ContactId) -> bool:
        """Whether a consent is on record that was not taken back."""
        return bool({contact.pn_jid, contact.lid_jid} & self.opted_in)


def _named(table: Table) -> ColumnElement[bool]:
    names: BindParameter[str] = bindparam("b_names", expanding=True)
    return and_(
        table.c.company_id == bindparam("b_company"),
        or_(
            and_(table.c.pn_jid != "", table.c.pn_jid.in_(names)),
            and_(table.c.lid_jid != "", table.c.lid_jid.in_(names)),
        ),
    )


_IN_FORCE = or_(_suppressions.c.expires_at.is_(None), _suppressions.c.expires_at > bindparam("b_now"))
_FIND_SUPPRESSED = select(_suppressions).where(_named(_suppressions), _IN_FORCE)
_FIND_OPTED_IN = select(_opt_ins.c.pn_jid, _opt_ins.c.lid_jid).where(
    _named(_opt_ins), _opt_ins.c.withdrawn_at.is_(None)
)
_WITHDRAW = (
    update(_opt_ins)
    .where(_named(_opt_ins), _opt_ins.c.withdrawn_at.is_(None))
    .values(withdrawn_at=bindparam("b_now"))
)


async def find_suppressed(
    tx: Transaction, scope: CompanyScope, contacts: Collection[ContactId], now: datetime
) -> dict[str, Suppression]:
    """Give the entries in force for some contacts, by each name that they have there: a number counts in
    each spelling."""
    arguments = {"b_company": scope.company_id, "b_names": padded(_names(contacts)), "b_now": now}
    found: dict[str, Suppression] = {}
    for row in await tx.connection.execute(_FIND_SUPPRESSED, arguments):
        entry = _to_suppression(row)
        found |= dict.fromkeys(all_names([entry.contact]), entry)
    return found


async def find_opted_in(
    tx: Transaction, scope: CompanyScope, contacts: Collection[ContactId]
) -> frozenset[str]:
    """Give the names of those contacts whose consent is on record."""
    arguments = {"b_company": scope.company_id, "b_names": padded(_names(contacts))}
    rows = await tx.connection.execute(_FIND_OPTED_IN, arguments)
    return frozenset(all_names(ContactId(row.pn_jid, row.lid_jid) for row in rows))


async def add_suppressions(tx: Transaction, scope: CompanyScope, entries: Sequence[Suppression]) -> None:
    """Put persons on the list. What is there for them already stays."""
    if entries:
        await tx.connection.execute(insert(_suppressions), [_suppression_row(scope, one) for one in entries])


async def remove_suppression(tx: Transaction, scope: CompanyScope, entry_id: str) -> Suppression | None:
    """Take an entry off the list; gives it, or None where there is none."""
    where = (_suppressions.c.company_id == scope.company_id, _suppressions.c.id == entry_id)
    row = (await tx.connection.execute(select(_suppressions).where(*where))).one_or_none()
    if row is None:
        return None
    await tx.connection.execute(delete(_suppressions).where(*where))
    return _to_suppression(row)


async def list_suppressions(
    tx: Transaction, scope: CompanyScope, names: Collection[str], page: PageRequest
) -> Page[Suppression]:
    """List entries, newest first; of these names only where some are given."""
    query = _of_names(select(_suppressions).where(_suppressions.c.company_id == scope.company_id), names)
    rows = await tx.connection.execute(after_token(query, _suppressions.c.id, page))
    return page_of([_to_suppression(row) for row in rows], page, lambda entry: entry.id)


async def add_opt_ins(tx: Transaction, scope: CompanyScope, entries: Sequence[OptIn]) -> None:
    """Record consents."""
    if entries:
        await tx.connection.execute(insert(_opt_ins), [_opt_in_row(scope, one) for one in entries])


async def withdraw_opt_ins(
    tx: Transaction, scope: CompanyScope, contacts: Collection[ContactId], now: datetime
) -> None:
    """Note that these contacts took their consents back; the records stay."""
    arguments = {"b_company": scope.company_id, "b_names": padded(_names(contacts)), "b_now": now}
    await tx.connection.execute(_WITHDRAW, arguments)


async def list_opt_ins(
    tx: Transaction, scope: CompanyScope, names: Collection[str], page: PageRequest
) -> Page[OptIn]:
    """List consents, newest first; of these names only where some are given."""
    query = select(_opt_ins).where(_opt_ins.c.company_id == scope.company_id)
    if names:
        query = query.where(or_(_opt_ins.c.pn_jid.in_(names), _opt_ins.c.lid_jid.in_(names)))
    rows = await tx.connection.execute(after_token(query, _opt_ins.c.id, page))
    return page_of([_to_opt_in(row) for row in rows], page, lambda entry: entry.id)


def _of_names(query: Select[Any], names: Collection[str]) -> Select[Any]:
    if not names:
        return query
    return query.where(or_(_suppressions.c.pn_jid.in_(names), _suppressions.c.lid_jid.in_(names)))


def _names(contacts: Collection[ContactId]) -> list[str]:
    return sorted(all_names(contacts))


def _suppression_row(scope: CompanyScope, entry: Suppression) -> dict[str, Any]:
    return {
        "id": entry.id,
        "company_id": scope.company_id,
        "pn_jid": entry.contact.pn_jid,
        "lid_jid": entry.contact.lid_jid,
        "cause": entry.cause.value,
        "detail": entry.detail[:300],
        "campaign_id": entry.campaign_id,
        "confirmation_message_id": entry.confirmation_message_id,
        "created_at": entry.created_at,
        "expires_at": entry.expires_at,
    }


def _to_suppression(row: Row[Any]) -> Suppression:
    return Suppression(
        row.id,
        ContactId(row.pn_jid, row.lid_jid),
        SuppressionCause(row.cause),
        row.created_at,
        row.detail,
        row.campaign_id,
        row.confirmation_message_id,
        row.expires_at,
    )


def _opt_in_row(scope: CompanyScope, entry: OptIn) -> dict[str, Any]:
    return {
        "id": entry.id,
        "company_id": scope.company_id,
        "pn_jid": entry.contact.pn_jid,
        "lid_jid": entry.contact.lid_jid,
        "source": entry.source,
        "purpose": entry.purpose,
        "evidence": entry.evidence,
        "given_at": entry.given_at,
        "created_at": entry.created_at,
        "withdrawn_at": entry.withdrawn_at,
    }


def _to_opt_in(row: Row[Any]) -> OptIn:
    return OptIn(
        row.id,
        ContactId(row.pn_jid, row.lid_jid),
        row.source,
        row.given_at,
        row.created_at,
        row.purpose,
        row.evidence,
        row.withdrawn_at,
    )
