"""What importing asks of the messages that are stored."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Table, bindparam, func, or_, select

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.exported_chat.ids import PREFIX as EXPORT_PREFIX
from orchestrator.domain.imports import OlderThan, sequences_between
from orchestrator.domain.message import Direction, MessageStatus
from orchestrator.store.database import Transaction
from orchestrator.store.id_lists import padded
from orchestrator.store.models import MessageRow

_messages: Table = MessageRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it

_KNOWN = select(
    _messages.c.wa_message_id, _messages.c.chat_jid, _messages.c.pn_jid, _messages.c.lid_jid
).where(
    _messages.c.company_id == bindparam("company"),
    _messages.c.session_id == bindparam("session"),
    _messages.c.wa_message_id.in_(bindparam("wa_ids", expanding=True)),
)
_AT_WHATSAPP = [
    status.value
    for status in MessageStatus
    if status
    not in (MessageStatus.QUEUED, MessageStatus.SENDING, MessageStatus.FAILED, MessageStatus.CANCELLED)
]
_TAKEN = select(_messages.c.sequence).where(
    _messages.c.company_id == bindparam("company"),
    _messages.c.sequence.in_(bindparam("sequences", expanding=True)),
)


async def known_names(
    tx: Transaction, scope: CompanyScope, session_id: str, wa_message_ids: Collection[str]
) -> set[tuple[str, str]]:
    """Say which of these ids are stored: pairs of a name of the chat and the id. A person's chat has two names."""
    arguments = {
        "company": scope.company_id,
        "session": session_id,
        "wa_ids": padded(sorted(wa_message_ids)),
    }
    found: set[tuple[str, str]] = set()
    for row in await tx.connection.execute(_KNOWN, arguments):
        names = {row.chat_jid}
        if not row.chat_jid.endswith("@g.us"):
            names |= {row.pn_jid, row.lid_jid} - {""}
        found |= {(name, row.wa_message_id) for name in names}
    return found


async def oldest_of(tx: Transaction, scope: CompanyScope, session_id: str, chat_jid: str) -> OlderThan | None:
    """Give the oldest message of a chat that WhatsApp knows too; None where there is none."""
    query = (
        select(
            _messages.c.wa_message_id,
            _messages.c.chat_jid,
            _messages.c.direction,
            _messages.c.sent_at,
            _messages.c.created_at,
        )
        .where(
            _messages.c.company_id == scope.company_id,
            _messages.c.session_id == session_id,
            _messages.c.chat_jid == chat_jid,
            _messages.c.status.in_(_AT_WHATSAPP),
            ~_messages.c.wa_message_id.startswith(EXPORT_PREFIX, autoescape=True),
        )
        .order_by(_messages.c.sequence)
        .limit(1)
    )
    row = (await tx.connection.execute(query)).one_or_none()
    if row is None:
        return None
    from_me = row.direction == Direction.OUTBOUND.value
    return OlderThan(row.chat_jid, row.wa_message_id, from_me, row.sent_at or row.created_at)


@dataclass(frozen=True, slots=True)
class Sent:
    """What a stored message shares with its like in an exported chat."""

    is_own: bool
    kind: str
    text: str
    sent_at: datetime


async def sent_between(
    tx: Transaction,
    scope: CompanyScope,
    session_id: str,
    chats: Collection[str],
    since: datetime,
    until: datetime,
    *,
    imported_only: bool,
) -> list[Sent]:
    """List what was sent in a chat, under any of its names, from `since` to `until`.

    `imported_only` passes over what was sent and received here, which has to be looked for through the whole chat.
    """
    first, last = sequences_between(since, until)
    place: ColumnElement[bool] = _messages.c.sequence.between(first, last)
    query = select(_messages.c.direction, _messages.c.kind, _messages.c.text, _messages.c.sent_at).where(
        *_of_chat(scope, session_id, chats),
        place if imported_only else or_(place, _messages.c.sequence >= 0),
        _messages.c.sent_at >= since,
        _messages.c.sent_at <= until,
    )
    return [
        Sent(row.direction == Direction.OUTBOUND.value, row.kind, row.text, row.sent_at)
        for row in await tx.connection.execute(query)
    ]


async def first_live(
    tx: Transaction, scope: CompanyScope, session_id: str, chats: Collection[str]
) -> datetime | None:
    """Say when the first message of a chat was sent or received here."""
    query = select(func.min(_messages.c.sent_at)).where(
        *_of_chat(scope, session_id, chats), _messages.c.sequence >= 0
    )
    found: datetime | None = (await tx.connection.execute(query)).scalar_one_or_none()
    return found


def _of_chat(scope: CompanyScope, session_id: str, chats: Collection[str]) -> tuple[ColumnElement[bool], ...]:
    return (
        _messages.c.company_id == scope.company_id,
        _messages.c.session_id == session_id,
        _messages.c.chat_jid.in_(sorted(chats)),
    )


async def taken_sequences(tx: Transaction, scope: CompanyScope, sequences: Collection[int]) -> set[int]:
    """Say which of these places in the company's order are taken."""
    arguments = {"company": scope.company_id, "sequences": sorted(sequences)}
    return set((await tx.connection.execute(_TAKEN, arguments)).scalars())
