"""What members of groups have done with messages: who is awaited, what came of each, and how many."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Table, and_, bindparam, case, func, literal, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.group.receipts import MemberReceipt, ReceiptCounts
from orchestrator.domain.jid import ContactId
from orchestrator.domain.message import Message
from orchestrator.domain.page import Page, PageRequest
from orchestrator.store.database import Transaction
from orchestrator.store.id_lists import padded
from orchestrator.store.models import ChatGroupParticipantRow, ChatGroupRow, MessageReceiptRow, SessionRow
from orchestrator.store.paging import after_token, page_of

_receipts: Table = MessageReceiptRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_groups: Table = ChatGroupRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_people: Table = ChatGroupParticipantRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_sessions: Table = SessionRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it


@dataclass(frozen=True, slots=True)
class StoredReceipt:
    """What a member has done with a message; `name` is the one that it is stored under."""

    message_id: str
    name: str
    receipt: MemberReceipt


_NOT_ONESELF = and_(
    or_(_sessions.c.pn_jid == "", _people.c.pn_jid != _sessions.c.pn_jid),
    or_(_sessions.c.lid_jid == "", _people.c.lid_jid != _sessions.c.lid_jid),
)
_MEMBERS = (
    select(
        bindparam("b_message", type_=_receipts.c.message_id.type),
        _people.c.name,
        _people.c.company_id,
        _people.c.pn_jid,
        _people.c.lid_jid,
        literal(True),
    )
    .select_from(
        _people.join(_groups, _groups.c.id == _people.c.group_id).join(
            _sessions, _sessions.c.id == _groups.c.session_id
        )
    )
    .where(
        _groups.c.company_id == bindparam("b_company"),
        _groups.c.session_id == bindparam("b_session"),
        _groups.c.group_jid == bindparam("b_group"),
        _NOT_ONESELF,
    )
)
_COLUMNS = ("message_id", "name", "company_id", "pn_jid", "lid_jid", "awaited")
_MOMENTS = ("delivered_at", "read_at", "played_at")
_OF_NAMES = select(_receipts).where(
    _receipts.c.company_id == bindparam("b_company"),
    _receipts.c.message_id.in_(bindparam("b_messages", expanding=True)),
    _receipts.c.name.in_(bindparam("b_names", expanding=True)),
)


def _done(moment: str) -> Any:
    return func.sum(case((and_(_receipts.c.awaited, _receipts.c[moment].is_not(None)), 1), else_=0))


_COUNT = (
    select(
        _receipts.c.message_id,
        func.sum(case((_receipts.c.awaited, 1), else_=0)).label("awaited"),
        *(_done(moment).label(moment) for moment in _MOMENTS),
    )
    .where(
        _receipts.c.company_id == bindparam("b_company"),
        _receipts.c.message_id.in_(bindparam("b_messages", expanding=True)),
    )
    .group_by(_receipts.c.message_id)
)


async def expect(tx: Transaction, scope: CompanyScope, sent: Sequence[Message]) -> None:
    """Await receipts for messages that were sent to groups, from all who are known to be in them now."""
    if not sent:
        return
    make = sqlite.insert if tx.dialect == "sqlite" else postgresql.insert
    put = (
        make(_receipts)
        .from_select(_COLUMNS, _MEMBERS)
        .on_conflict_do_update(index_elements=["message_id", "name"], set_={"awaited": True})
    )
    for message in sent:
        arguments = {
            "b_message": message.id,
            "b_company": scope.company_id,
            "b_session": message.session_id,
            "b_group": message.chat_jid,
        }
        await tx.connection.execute(put, arguments)


async def find(
    tx: Transaction, scope: CompanyScope, message_ids: Collection[str], contacts: Collection[ContactId]
) -> list[StoredReceipt]:
    """Give what is known of these members and messages. Lock the messages before: nobody else changes it then."""
    names = {name for contact in contacts for name in (contact.pn_jid, contact.lid_jid) if name}
    arguments = {
        "b_company": scope.company_id,
        "b_messages": padded(message_ids),
        "b_names": padded(names),
    }
    rows = await tx.connection.execute(_OF_NAMES, arguments)
    return [StoredReceipt(row.message_id, row.name, _to_receipt(row)) for row in rows]


async def save(tx: Transaction, scope: CompanyScope, receipts: Collection[StoredReceipt]) -> None:
    """Write what members have done."""
    if not receipts:
        return
    make = sqlite.insert if tx.dialect == "sqlite" else postgresql.insert
    new = make(_receipts)
    put = new.on_conflict_do_update(
        index_elements=["message_id", "name"], set_={name: new.excluded[name] for name in _MOMENTS}
    )
    rows = [
        {
            "message_id": one.message_id,
            "name": one.name,
            "company_id": scope.company_id,
            "pn_jid": one.receipt.contact.pn_jid,
            "lid_jid": one.receipt.contact.lid_jid,
            "awaited": one.receipt.awaited,
            **{moment: getattr(one.receipt, moment) for moment in _MOMENTS},
        }
        for one in receipts
    ]
    await tx.connection.execute(put, rows)


async def count(
    tx: Transaction, scope: CompanyScope, message_ids: Collection[str]
) -> dict[str, ReceiptCounts]:
    """Count what the awaited members have done, by message."""
    arguments = {"b_company": scope.company_id, "b_messages": padded(message_ids)}
    rows = await tx.connection.execute(_COUNT, arguments)
    return {
        row.message_id: ReceiptCounts(row.awaited, row.delivered_at, row.read_at, row.played_at)
        for row in rows
    }


async def list_page(
    tx: Transaction, scope: CompanyScope, message_id: str, page: PageRequest
) -> Page[MemberReceipt]:
    """List what each member has done with a message, in the order of their names."""
    query = select(_receipts).where(
        _receipts.c.company_id == scope.company_id, _receipts.c.message_id == message_id
    )
    rows = (await tx.connection.execute(after_token(query, _receipts.c.name, page))).all()
    found = page_of(rows, page, lambda row: str(row.name))
    return Page([_to_receipt(row) for row in found.items], found.next_token)


def _to_receipt(row: Row[Any]) -> MemberReceipt:
    return MemberReceipt(
        ContactId(row.pn_jid, row.lid_jid), row.awaited, row.delivered_at, row.read_at, row.played_at
    )
