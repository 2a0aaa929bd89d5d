"""Contacts of a company: the pairs of WhatsApp names, phone number and lid, that were seen to be one person's."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Table, bindparam, delete, insert, or_, select, update

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.jid import ContactId
from orchestrator.domain.page import Page, PageRequest
from orchestrator.store.database import Transaction
from orchestrator.store.id_lists import padded
from orchestrator.store.models import ContactRow
from orchestrator.store.paging import after_token, page_of

_contacts: Table = ContactRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it

_MOST_PUSH_NAME = 200

_FIND = select(_contacts.c.id, _contacts.c.pn_jid, _contacts.c.lid_jid, _contacts.c.push_name).where(
    _contacts.c.company_id == bindparam("b_company"),
    or_(
        _contacts.c.pn_jid.in_(bindparam("b_jids", expanding=True)),
        _contacts.c.lid_jid.in_(bindparam("b_jids", expanding=True)),
    ),
)
_INSERT = insert(_contacts)
_DELETE = delete(_contacts).where(
    _contacts.c.company_id == bindparam("b_company"), _contacts.c.id == bindparam("b_id")
)
_UPDATE = (
    update(_contacts)
    .where(_contacts.c.company_id == bindparam("b_company"), _contacts.c.id == bindparam("b_id"))
    .values(
        pn_jid=bindparam("b_pn"),
        lid_jid=bindparam("b_lid"),
        push_name=bindparam("b_push_name"),
        updated_at=bindparam("b_now"),
    )
)


@dataclass(frozen=True, slots=True)
class StoredContact:
    """A contact as stored."""

    id: str
    contact: ContactId
    push_name: str = ""


async def find(tx: Transaction, scope: CompanyScope, jids: Collection[str]) -> list[StoredContact]:
    """Find the contacts that have one of these names."""
    wanted = [jid for jid in jids if jid]
    if not wanted:
        return []
    rows = await tx.connection.execute(_FIND, {"b_company": scope.company_id, "b_jids": padded(wanted)})
    return [StoredContact(row.id, ContactId(row.pn_jid, row.lid_jid), row.push_name) for row in rows]


async def list_contacts(
    tx: Transaction, scope: CompanyScope, names: Collection[str], page: PageRequest
) -> Page[StoredContact]:
    """List contacts, the latest known first; of these names only where some are given."""
    query = select(_contacts).where(_contacts.c.company_id == scope.company_id)
    if names:
        query = query.where(or_(_contacts.c.pn_jid.in_(names), _contacts.c.lid_jid.in_(names)))
    rows = await tx.connection.execute(after_token(query, _contacts.c.id, page))
    found = [StoredContact(row.id, ContactId(row.pn_jid, row.lid_jid), row.push_name) for row in rows]
    return page_of(found, page, lambda contact: contact.id)


async def put(
    tx: Transaction,
    scope: CompanyScope,
    contact: StoredContact,
    replaces: Collection[StoredContact],
    now: datetime,
) -> None:
    """Store a contact; what stood for the same names before becomes one with it.

    `replaces` are the stored contacts that share a name with it; one of them may be the contact's earlier form.
    """
    for old in replaces:
        if old.id != contact.id:
            await tx.connection.execute(_DELETE, {"b_company": scope.company_id, "b_id": old.id})
    if any(old.id == contact.id for old in replaces):
        await tx.connection.execute(_UPDATE, _changes(scope, contact, now))
        return
    row = {
        "id": contact.id,
        "company_id": scope.company_id,
        "pn_jid": contact.contact.pn_jid,
        "lid_jid": contact.contact.lid_jid,
        "push_name": contact.push_name[:_MOST_PUSH_NAME],
        "updated_at": now,
    }
    await tx.connection.execute(_INSERT, row)


def _changes(scope: CompanyScope, contact: StoredContact, now: datetime) -> dict[str, Any]:
    return {
        "b_company": scope.company_id,
        "b_id": contact.id,
        "b_pn": contact.contact.pn_jid,
        "b_lid": contact.contact.lid_jid,
        "b_push_name": contact.push_name[:_MOST_PUSH_NAME],
        "b_now": now,
    }
