"""Messages that the sending policy keeps waiting: until when, and the reason that callers see."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Table, and_, bindparam, case, literal, or_, update

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.message import Lane, MessageStatus, WaitingFor
from orchestrator.store.database import Transaction
from orchestrator.store.id_lists import padded
from orchestrator.store.messages import StoredMessage
from orchestrator.store.models import MessageRow
from orchestrator.store.outbox import IS_WAITING

_messages: Table = MessageRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it

_LANES = {lane: rank for rank, lane in enumerate(Lane)}
_RANK = case(*((_messages.c.lane == lane.value, literal(rank)) for lane, rank in _LANES.items()), else_=0)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that waits until then, with what stands behind it in its chat and lane (or in all lanes)."""

    head: StoredMessage
    until: datetime
    waiting_for: WaitingFor
    lanes_behind: Lane
    """The first lane that waits with it; higher ones may overtake it."""


def lane_rank(lane: Lane) -> int:
    """0 for the lane that is served first."""
    return _LANES[lane]


_DELAY = (
    update(_messages)
    .where(
        _messages.c.session_id == bindparam("b_session"),
        _messages.c.chat_jid == bindparam("b_chat"),
        _messages.c.status == MessageStatus.QUEUED.value,
        or_(
            _messages.c.id == bindparam("b_id"),
            and_(
                _messages.c.sequence > bindparam("b_after"),
                bindparam("b_rank") <= _RANK,
                _messages.c.due_at < bindparam("b_until"),
            ),
        ),
        IS_WAITING,
    )
    .values(
        due_at=bindparam("b_until"),
        waiting_code=bindparam("b_code"),
        waiting_detail=bindparam("b_detail"),
    )
)
_DELAY_LANE = (
    update(_messages)
    .where(
        _messages.c.session_id == bindparam("b_session"),
        _messages.c.lane == bindparam("b_lane"),
        _messages.c.status == MessageStatus.QUEUED.value,
        _messages.c.due_at < bindparam("b_until"),
        IS_WAITING,
    )
    .values(
        due_at=bindparam("b_until"),
        waiting_code=bindparam("b_code"),
        waiting_detail=bindparam("b_detail"),
    )
)
_HAS_REASON = and_(
    _messages.c.company_id == bindparam("b_company"),
    _messages.c.session_id == bindparam("b_session"),
    IS_WAITING,
    _messages.c.status == MessageStatus.QUEUED.value,
    _messages.c.waiting_code != "",
    _messages.c.due_at > bindparam("b_now"),
)
_AGAIN = {"due_at": bindparam("b_now"), "waiting_code": "", "waiting_detail": ""}
_FREE_SESSION = update(_messages).where(_HAS_REASON).values(**_AGAIN)
_FREE_CHATS = (
    update(_messages)
    .where(_HAS_REASON, _messages.c.chat_jid.in_(bindparam("b_chats", expanding=True)))
    .values(**_AGAIN)
)


async def delay(tx: Transaction, session_id: str, waiting: Sequence[Waiting]) -> None:
    """Let messages wait, each with what stands behind it."""
    if waiting:
        await tx.connection.execute(
            _DELAY,
            [
                {
                    "b_session": session_id,
                    "b_chat": one.head.message.chat_jid,
                    "b_id": one.head.message.id,
                    "b_after": one.head.sequence,
                    "b_rank": lane_rank(one.lanes_behind),
                    "b_until": one.until,
                    **_words(one.waiting_for),
                }
                for one in waiting
            ],
        )


async def delay_lane(
    tx: Transaction, session_id: str, lane: Lane, until: datetime, waiting_for: WaitingFor
) -> None:
    """Let all of a lane wait that would be due before."""
    arguments = {"b_session": session_id, "b_lane": lane.value, "b_until": until, **_words(waiting_for)}
    await tx.connection.execute(_DELAY_LANE, arguments)


async def ask_again(
    tx: Transaction,
    scope: CompanyScope,
    session_id: str,
    now: datetime,
    chat_jids: Collection[str] | None = None,
) -> int:
    """Make what waits for the policy due: something changed that it may decide otherwise on. Gives how many.

    Of all chats, or of these only. A message of a chat that still waits for its retry keeps its place.
    """
    arguments: dict[str, object] = {
        "b_company": scope.company_id,
        "b_session": session_id,
        "b_now": now,
    }
    if chat_jids is None:
        return (await tx.connection.execute(_FREE_SESSION, arguments)).rowcount
    arguments["b_chats"] = padded(chat_jids)
    return (await tx.connection.execute(_FREE_CHATS, arguments)).rowcount


def _words(waiting_for: WaitingFor) -> dict[str, str]:
    return {"b_code": waiting_for.code[:40], "b_detail": waiting_for.detail[:300]}
