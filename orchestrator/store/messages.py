"""Messages of both directions: writing them once, finding them again, moving them on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Table, bindparam, func, insert, select, update

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.jid import ContactId
from orchestrator.domain.message import (
    Direction,
    Lane,
    Message,
    MessageError,
    MessageStatus,
    MessageTimes,
    WaitingFor,
)
from orchestrator.domain.message_filter import MessageFilter
from orchestrator.domain.page import Page, PageRequest
from orchestrator.store import events
from orchestrator.store.content_text import read_content, read_marks, write_content, write_marks
from orchestrator.store.database import Transaction
from orchestrator.store.id_lists import padded
from orchestrator.store.models import MessageRow
from orchestrator.store.paging import after_token, page_of

_messages: Table = MessageRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it

_MOST_ERROR_DETAIL = 500
_MOST_PUSH_NAME = 200

MESSAGE_COLUMNS = tuple(column for column in _messages.c if column.name not in ("proto", "company_id"))
"""What a message is made of; its protobuf form is read only where it is asked for."""


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message with what only storage knows: its place in the company's order, and when it is due to be sent."""

    message: Message
    sequence: int
    due_at: datetime | None = None
    proto: bytes | None = None


_INSERT = insert(_messages)
_OWN = _messages.c.company_id == bindparam("company")
_GET = select(*MESSAGE_COLUMNS).where(_OWN, _messages.c.id == bindparam("message"))
_GET_MANY = select(*MESSAGE_COLUMNS).where(_OWN, _messages.c.id.in_(bindparam("ids", expanding=True)))
_FIND = select(*MESSAGE_COLUMNS).where(
    _OWN,
    _messages.c.session_id == bindparam("session"),
    _messages.c.wa_message_id.in_(bindparam("wa_ids", expanding=True)),
)
_LOCK_STATUSES = (
    select(_messages.c.id, _messages.c.status)
    .where(_OWN, _messages.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(_messages.c.id)
    .with_for_update()
)
_LOCK_MANY = _GET_MANY.order_by(_messages.c.id).with_for_update()
_LOCK_FOUND = _FIND.order_by(_messages.c.id).with_for_update()
_PROTO = (
    select(_messages.c.proto)
    .where(
        _OWN,
        _messages.c.session_id == bindparam("session"),
        _messages.c.wa_message_id == bindparam("wa_id"),
        _messages.c.proto.is_not(None),
    )
    .limit(1)
)
_SAVE = (
    update(_messages)
    .where(_messages.c.company_id == bindparam("b_company"), _messages.c.id == bindparam("b_id"))
    .values(
        {
            name: bindparam(f"b_{name}")
            for name in (
                "status",
                "attempts",
                "error_code",
                "error_detail",
                "pn_jid",
                "lid_jid",
                "due_at",
                "waiting_code",
                "waiting_detail",
                "claimed_until",
                "sent_at",
                "delivered_at",
                "read_at",
                "failed_at",
            )
        }
        | {"proto": func.coalesce(bindparam("b_proto"), _messages.c.proto)}
    )
)
_SAVE_WORDS = (
    update(_messages)
    .where(_messages.c.company_id == bindparam("b_company"), _messages.c.id == bindparam("b_id"))
    .values(kind=bindparam("b_kind"), text=bindparam("b_text"), content=bindparam("b_content"))
)


async def add(tx: Transaction, scope: CompanyScope, messages: Sequence[StoredMessage]) -> None:
    """Insert new messages, in one statement."""
    await tx.connection.execute(_INSERT, [_to_row(scope, stored) for stored in messages])


async def save(tx: Transaction, scope: CompanyScope, messages: Sequence[StoredMessage]) -> None:
    """Write what can change in messages (status, attempts, error, times, contact, due); frees their claims.

    A `proto` of None leaves the stored one.
    """
    if messages:
        await tx.connection.execute(_SAVE, [_to_changes(scope, stored) for stored in messages])


async def save_words(tx: Transaction, scope: CompanyScope, messages: Sequence[StoredMessage]) -> None:
    """Write the words of messages, which may change before they leave for the first time."""
    if messages:
        rows = [
            {
                "b_company": scope.company_id,
                "b_id": stored.message.id,
                "b_kind": stored.message.kind,
                "b_text": stored.message.text,
                "b_content": write_content(stored.message.content),
            }
            for stored in messages
        ]
        await tx.connection.execute(_SAVE_WORDS, rows)


async def get(tx: Transaction, scope: CompanyScope, message_id: str) -> StoredMessage | None:
    """Find a message by its id."""
    arguments = {"company": scope.company_id, "message": message_id}
    row = (await tx.connection.execute(_GET, arguments)).one_or_none()
    return to_message(scope, row) if row else None


async def get_many(
    tx: Transaction, scope: CompanyScope, message_ids: Sequence[str]
) -> dict[str, StoredMessage]:
    """Find messages by their ids; unknown ones are left out."""
    arguments = {"company": scope.company_id, "ids": padded(message_ids)}
    rows = await tx.connection.execute(_GET_MANY, arguments)
    return {row.id: to_message(scope, row) for row in rows}


async def find_by_whatsapp_ids(
    tx: Transaction, scope: CompanyScope, session_id: str, wa_message_ids: Sequence[str]
) -> list[StoredMessage]:
    """Find a session's messages of any chat by the ids that WhatsApp knows them by."""
    arguments = {"company": scope.company_id, "session": session_id, "wa_ids": padded(wa_message_ids)}
    return [to_message(scope, row) for row in await tx.connection.execute(_FIND, arguments)]


async def lock_many(
    tx: Transaction, scope: CompanyScope, message_ids: Sequence[str]
) -> dict[str, StoredMessage]:
    """As `get_many`; nobody else changes them until the transaction ends. Lock the company before (`lock_company`)."""
    arguments = {"company": scope.company_id, "ids": padded(message_ids)}
    rows = await tx.connection.execute(_LOCK_MANY, arguments)
    return {row.id: to_message(scope, row) for row in rows}


async def lock_statuses(
    tx: Transaction, scope: CompanyScope, message_ids: Sequence[str]
) -> dict[str, MessageStatus]:
    """As `lock_many`, but reads only where the messages stand."""
    arguments = {"company": scope.company_id, "ids": padded(message_ids)}
    return {
        row.id: MessageStatus(row.status) for row in await tx.connection.execute(_LOCK_STATUSES, arguments)
    }


async def lock_by_whatsapp_ids(
    tx: Transaction, scope: CompanyScope, session_id: str, wa_message_ids: Sequence[str]
) -> list[StoredMessage]:
    """As `find_by_whatsapp_ids`; nobody else changes them until the transaction ends."""
    arguments = {"company": scope.company_id, "session": session_id, "wa_ids": padded(wa_message_ids)}
    return [to_message(scope, row) for row in await tx.connection.execute(_LOCK_FOUND, arguments)]


async def lock_company(tx: Transaction, scope: CompanyScope) -> None:
    """Let no other transaction that records events of the company run beside this one.

    What locks messages and records events takes this first: taken in one order, locks cannot wait in a circle.
    """
    if tx.dialect == "postgresql":
        await events.reserve(tx, scope, 0)


async def find_proto(
    tx: Transaction, scope: CompanyScope, session_id: str, wa_message_id: str
) -> bytes | None:
    """Give the protobuf `Message` as it was sent or received, or None where it is not known."""
    arguments = {"company": scope.company_id, "session": session_id, "wa_id": wa_message_id}
    proto: bytes | None = (await tx.connection.execute(_PROTO, arguments)).scalar_one_or_none()
    return proto


async def inbound_since(
    tx: Transaction, scope: CompanyScope, answer: Message, since: datetime | None, most: int
) -> list[Message]:
    """The last messages that came into the chat of `answer` after `since`, the newest first."""
    query = (
        select(*MESSAGE_COLUMNS)
        .where(
            _messages.c.company_id == scope.company_id,
            _messages.c.session_id == answer.session_id,
            _messages.c.chat_jid == answer.chat_jid,
            _messages.c.direction == Direction.INBOUND.value,
            _messages.c.imported.is_(False),
        )
        .order_by(_messages.c.sequence.desc())
        .limit(most)
    )
    if since is not None:
        query = query.where(_messages.c.created_at > since)
    return [to_message(scope, row).message for row in await tx.connection.execute(query)]


async def list_page(
    tx: Transaction, scope: CompanyScope, wanted: MessageFilter, page: PageRequest
) -> Page[Message]:
    """List messages, newest first; `wanted.chat` is the canonical jid.

    Raises INVALID_PAGE_TOKEN for a token that this list did not give.
    """
    query = select(*MESSAGE_COLUMNS).where(_messages.c.company_id == scope.company_id)
    if wanted.session_id:
        query = query.where(_messages.c.session_id == wanted.session_id)
    if wanted.chat:
        query = query.where(_messages.c.chat_jid == wanted.chat)
    if wanted.status:
        query = query.where(_messages.c.status == wanted.status)
    if wanted.direction:
        query = query.where(_messages.c.direction == wanted.direction)
    if wanted.created_after:
        query = query.where(_messages.c.created_at > wanted.created_after)
    if wanted.created_before:
        query = query.where(_messages.c.created_at < wanted.created_before)
    if wanted.error_code:
        query = query.where(_messages.c.error_code == wanted.error_code)
    if wanted.campaign_id:
        query = query.where(_messages.c.campaign_id == wanted.campaign_id)
    rows = await tx.connection.execute(after_token(query, _messages.c.sequence, page))
    found = page_of([to_message(scope, row) for row in rows], page, lambda stored: stored.sequence)
    return Page([stored.message for stored in found.items], found.next_token)


def to_message(scope: CompanyScope, row: Row[Any]) -> StoredMessage:
    """Turn a row of MESSAGE_COLUMNS into its value."""
    message = Message(
        id=row.id,
        wa_message_id=row.wa_message_id,
        company_id=scope.company_id,
        session_id=row.session_id,
        chat_jid=row.chat_jid,
        contact=ContactId(row.pn_jid, row.lid_jid),
        direction=Direction(row.direction),
        kind=row.kind,
        text=row.text,
        status=MessageStatus(row.status),
        lane=Lane(row.lane),
        attempts=row.attempts,
        times=MessageTimes(
            created_at=row.created_at,
            send_at=row.send_at,
            sent_at=row.sent_at,
            delivered_at=row.delivered_at,
            read_at=row.read_at,
            failed_at=row.failed_at,
        ),
        error=MessageError(row.error_code, row.error_detail) if row.error_code else None,
        push_name=row.push_name,
        offline=row.offline,
        campaign_id=row.campaign_id,
        recipient_id=row.recipient_id,
        content=read_content(row.content),
        marks=read_marks(row.marks),
        imported=row.imported,
        waiting_for=WaitingFor(row.waiting_code, row.waiting_detail) if row.waiting_code else None,
    )
    return StoredMessage(message, row.sequence, row.due_at)


def _to_row(scope: CompanyScope, stored: StoredMessage) -> dict[str, Any]:
    message = stored.message
    return {
        "id": message.id,
        "company_id": scope.company_id,
        "session_id": message.session_id,
        "sequence": stored.sequence,
        "chat_jid": message.chat_jid,
        "wa_message_id": message.wa_message_id,
        "direction": message.direction.value,
        "kind": message.kind,
        "text": message.text,
        "content": write_content(message.content),
        "marks": write_marks(message.marks),
        "lane": message.lane.value,
        "campaign_id": message.campaign_id,
        "recipient_id": message.recipient_id,
        "push_name": message.push_name[:_MOST_PUSH_NAME],
        "offline": message.offline,
        "imported": message.imported,
        "proto": stored.proto,
        "created_at": message.times.created_at,
        "send_at": message.times.send_at,
        **_mutable(stored),
    }


def _to_changes(scope: CompanyScope, stored: StoredMessage) -> dict[str, Any]:
    changes = {f"b_{name}": value for name, value in _mutable(stored).items()}
    return changes | {"b_company": scope.company_id, "b_id": stored.message.id, "b_proto": stored.proto}


def _mutable(stored: StoredMessage) -> dict[str, Any]:
    message = stored.message
    waiting_for = message.waiting_for if message.status is MessageStatus.QUEUED else None
    return {
        "status": message.status.value,
        "attempts": message.attempts,
        "error_code": message.error.code if message.error else "",
        "error_detail": message.error.detail[:_MOST_ERROR_DETAIL] if message.error else "",
        "pn_jid": message.contact.pn_jid,
        "lid_jid": message.contact.lid_jid,
        "due_at": stored.due_at,
        "waiting_code": waiting_for.code if waiting_for else "",
        "waiting_detail": waiting_for.detail if waiting_for else "",
        "claimed_until": None,
        "sent_at": message.times.sent_at,
        "delivered_at": message.times.delivered_at,
        "read_at": message.times.read_at,
        "failed_at": message.times.failed_at,
    }
