"""The outbox: which waiting messages of a session may be sent now. Who may send them: dispatch_leases.py.

The order of a chat is that of `sequence`; a scheduled message takes its place in it when its time has come.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from sqlalchemy import Integer, String, Table, bindparam, or_, text, update

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.message import Lane, MessageStatus
from orchestrator.store.database import SystemScope, Transaction
from orchestrator.store.id_lists import padded
from orchestrator.store.messages import MESSAGE_COLUMNS, StoredMessage, to_message
from orchestrator.store.models import MessageRow, SessionRow
from orchestrator.store.models.base import UtcDateTime

MOST_PER_CHAT = 16
"""Messages of one chat in one claim. They are sent one after the other, so many chats with one each come first."""

_messages: Table = MessageRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_sessions: Table = SessionRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it

IS_WAITING = text("message.status IN ('QUEUED', 'SENDING')")
"""Word for word the condition of the partial indexes: a bound parameter would hide it from the planner."""

OF_A_CAMPAIGN = text("message.campaign_id <> ''")

IS_CLAIMED = text("message.status = 'SENDING'")


@dataclass(frozen=True, slots=True)
class Claim:
    """Messages to send, in order per chat. `held_chats` counts chats that wait behind a message's retry."""

    messages: Sequence[StoredMessage]
    held_chats: int


_MARK_CLAIMED = (
    update(_messages)
    .where(_messages.c.id.in_(bindparam("b_ids", expanding=True)), _messages.c.status == MessageStatus.QUEUED)
    .values(
        status=MessageStatus.SENDING.value,
        claimed_until=bindparam("b_until"),
        waiting_code="",
        waiting_detail="",
    )
    .returning(_messages.c.id)
)
_HOLD_CHAT = (
    update(_messages)
    .where(
        _messages.c.session_id == bindparam("b_session"),
        _messages.c.chat_jid == bindparam("b_chat"),
        _messages.c.sequence > bindparam("b_after"),
        IS_WAITING,
        _messages.c.due_at < bindparam("b_until"),
    )
    .values(due_at=bindparam("b_until"))
)
_FREE_CHAT = (
    update(_messages)
    .where(
        _messages.c.session_id == bindparam("b_session"),
        _messages.c.chat_jid == bindparam("b_chat"),
        _messages.c.sequence > bindparam("b_after"),
        IS_WAITING,
        _messages.c.attempts == 0,
        or_(_messages.c.send_at.is_(None), _messages.c.send_at <= bindparam("b_now")),
        _messages.c.due_at > bindparam("b_now"),
    )
    .values(due_at=bindparam("b_now"))
)

_LANES = tuple(enumerate(Lane))
_DUE_OF_A_LANE = """
    SELECT * FROM (
        SELECT chat_jid, {rank} AS lane_rank, due_at FROM message
        WHERE company_id = :company AND session_id = :session AND lane = '{lane}'
          AND message.status IN ('QUEUED', 'SENDING') AND status = 'QUEUED'
          AND due_at <= :now AND chat_jid NOT IN :busy
        ORDER BY due_at, sequence LIMIT :scan
    ) AS lane_{rank}"""
_CANDIDATES = (
    text(
        f"""
WITH due AS ({" UNION ALL ".join(_DUE_OF_A_LANE.format(rank=rank, lane=lane.value) for rank, lane in _LANES)}),
chat AS (
    SELECT chat_jid, MIN(lane_rank) AS first_lane, MIN(due_at) AS first_due FROM due
    GROUP BY chat_jid ORDER BY first_lane, first_due LIMIT :free
),
share AS (
    SELECT CASE WHEN COUNT(*) * {MOST_PER_CHAT} < :free THEN {MOST_PER_CHAT}
                ELSE (:free + COUNT(*) - 1) / COUNT(*) END AS size
    FROM chat
)
SELECT {", ".join(f"message.{column.name}" for column in MESSAGE_COLUMNS)}
FROM chat JOIN message ON message.session_id = :session AND message.chat_jid = chat.chat_jid
WHERE message.company_id = :company AND message.status IN ('QUEUED', 'SENDING')
  AND (message.send_at IS NULL OR message.send_at <= :now)
  AND message.sequence <= COALESCE((
        SELECT earlier.sequence FROM message AS earlier
        WHERE earlier.session_id = :session AND earlier.chat_jid = chat.chat_jid
          AND earlier.status IN ('QUEUED', 'SENDING') AND (earlier.send_at IS NULL OR earlier.send_at <= :now)
        ORDER BY earlier.sequence LIMIT 1 OFFSET (SELECT share.size FROM share) - 1), 9223372036854775807)
ORDER BY chat.first_lane, chat.first_due, chat.chat_jid, message.sequence
"""  # noqa: S608  # only constants of this file are put in
    )
    .bindparams(
        bindparam("company", type_=String),
        bindparam("session", type_=String),
        bindparam("now", type_=UtcDateTime),
        bindparam("busy", expanding=True, type_=String),
        bindparam("scan", type_=Integer),
        bindparam("free", type_=Integer),
    )
    .columns(*MESSAGE_COLUMNS)
)
_NEXT_OF_A_LANE = """
    SELECT due_at FROM (
        SELECT due_at FROM message
        WHERE company_id = :company AND session_id = :session AND lane = '{lane}'
          AND message.status IN ('QUEUED', 'SENDING') AND due_at > :now
        ORDER BY due_at LIMIT 1
    ) AS lane_{rank}"""
_NEXT_OF_LANES = " UNION ALL ".join(
    _NEXT_OF_A_LANE.format(rank=rank, lane=lane.value) for rank, lane in _LANES
)
_NEXT_DUE = (
    text(f"SELECT MIN(due_at) AS due_at FROM ({_NEXT_OF_LANES}) AS next")  # noqa: S608  # only constants
    .bindparams(
        bindparam("company", type_=String),
        bindparam("session", type_=String),
        bindparam("now", type_=UtcDateTime),
    )
    .columns(_messages.c.due_at)
)
_DUE_LANES = ", ".join(f"'{lane.value}'" for lane in Lane)
_SESSIONS_WITH_DUE = (
    text(
        f"""
SELECT session.company_id, session.id FROM session
WHERE session.state = 'CONNECTED' AND session.deleted_at IS NULL
  AND (session.dispatch_until IS NULL OR session.dispatch_until <= :now)
  AND (session.breaker_state <> 'OPEN' OR session.breaker_until <= :now)
  AND EXISTS (
    SELECT 1 FROM message
    WHERE message.session_id = session.id AND message.lane IN ({_DUE_LANES})
      AND message.status IN ('QUEUED', 'SENDING') AND message.due_at <= :now)
ORDER BY session.id LIMIT :most
"""  # noqa: S608  # only constants of this file are put in
    )
    .bindparams(bindparam("now", type_=UtcDateTime), bindparam("most", type_=Integer))
    .columns(_sessions.c.company_id, _sessions.c.id)
)
_COUNT_WAITING = text(
    "SELECT COUNT(*) FROM (SELECT 1 FROM message WHERE company_id = :company AND session_id = :session"
    " AND message.status IN ('QUEUED', 'SENDING') LIMIT :most) AS waiting"
).bindparams(
    bindparam("company", type_=String), bindparam("session", type_=String), bindparam("most", type_=Integer)
)


async def claim(
    tx: Transaction,
    scope: CompanyScope,
    session_id: str,
    now: datetime,
    until: datetime,
    free: int,
    busy_chats: Collection[str],
) -> Claim:
    """Mark at most `free` due messages as SENDING and give them: replies first, in order per chat.

    Chats in `busy_chats` have messages under way and are left alone. To be called by the lease's holder only.
    """
    return await claim_chats(
        tx, await due_chats(tx, scope, session_id, now, free, busy_chats), now, until, free
    )


async def due_chats(
    tx: Transaction,
    scope: CompanyScope,
    session_id: str,
    now: datetime,
    free: int,
    busy_chats: Collection[str],
) -> list[list[StoredMessage]]:
    """Give the chats that have due messages, those with replies first, each with its first waiting messages in order.

    At most `free` chats, none of `busy_chats`.
    """
    arguments = {
        "company": scope.company_id,
        "session": session_id,
        "now": now,
        "busy": padded(busy_chats),
        "scan": free * 2,
        "free": free,
    }
    rows = (await tx.connection.execute(_CANDIDATES, arguments)).all()
    stored = (to_message(scope, row) for row in rows)
    return [list(chat) for _, chat in groupby(stored, key=lambda one: one.message.chat_jid)]


async def claim_chats(
    tx: Transaction, chats: Sequence[Sequence[StoredMessage]], now: datetime, until: datetime, free: int
) -> Claim:
    """Mark at most `free` messages of these chats as SENDING and give them, in order per chat."""
    picked: list[StoredMessage] = []
    held: list[StoredMessage] = []
    for in_order in chats:
        ready = _ready_prefix(in_order, now)
        picked += ready
        head = in_order[0]
        if not ready and head.due_at is not None and head.due_at > now:
            held.append(head)
    for head in held:
        await hold_chat(tx, head)
    return Claim(await mark_claimed(tx, picked[:free], until), len(held))


def _ready_prefix(chat: Sequence[StoredMessage], now: datetime) -> list[StoredMessage]:
    """The first messages of a chat, up to one that waits for its retry."""
    ready: list[StoredMessage] = []
    for stored in chat:
        if stored.message.status is not MessageStatus.QUEUED or stored.due_at is None or stored.due_at > now:
            break
        ready.append(stored)
    return ready


async def mark_claimed(
    tx: Transaction, picked: Sequence[StoredMessage], until: datetime
) -> list[StoredMessage]:
    """Mark messages as SENDING and give those that were still queued."""
    if not picked:
        return []
    arguments = {"b_ids": padded([stored.message.id for stored in picked]), "b_until": until}
    # What was cancelled since it was read is not marked.
    marked = set((await tx.connection.execute(_MARK_CLAIMED, arguments)).scalars())
    return [
        replace(stored, message=replace(stored.message, status=MessageStatus.SENDING, waiting_for=None))
        for stored in picked
        if stored.message.id in marked
    ]


async def hold_chat(tx: Transaction, head: StoredMessage) -> None:
    """Make the messages behind `head` in its chat due no earlier than it: they wait as a whole."""
    arguments = {
        "b_session": head.message.session_id,
        "b_chat": head.message.chat_jid,
        "b_after": head.sequence,
        "b_until": head.due_at,
    }
    await tx.connection.execute(_HOLD_CHAT, arguments)


async def free_chat(tx: Transaction, removed: StoredMessage, now: datetime) -> None:
    """Make the messages behind one that left the outbox due again: they no longer wait for its retry."""
    arguments = {
        "b_session": removed.message.session_id,
        "b_chat": removed.message.chat_jid,
        "b_after": removed.sequence,
        "b_now": now,
    }
    await tx.connection.execute(_FREE_CHAT, arguments)


async def next_due(tx: Transaction, scope: CompanyScope, session_id: str, now: datetime) -> datetime | None:
    """When the next message of the session that is not due yet will be."""
    arguments = {"company": scope.company_id, "session": session_id, "now": now}
    due: datetime | None = (await tx.connection.execute(_NEXT_DUE, arguments)).scalar_one()
    return due


async def sessions_with_due(
    tx: Transaction, scope: SystemScope, now: datetime, most: int
) -> list[tuple[CompanyScope, str]]:
    """Connected sessions with messages that are due and that nobody is sending; across companies."""
    del scope
    rows = await tx.connection.execute(_SESSIONS_WITH_DUE, {"now": now, "most": most})
    return [(CompanyScope(row.company_id), row.id) for row in rows]


async def count_waiting(tx: Transaction, scope: CompanyScope, session_id: str, most: int) -> int:
    """Count a session's waiting messages, up to `most`."""
    arguments = {"company": scope.company_id, "session": session_id, "most": most}
    count: int = (await tx.connection.execute(_COUNT_WAITING, arguments)).scalar_one()
    return count
