"""What the sending policy remembers of a session, and when it sent: read and written under its dispatch lease."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Table, and_, bindparam, delete, func, insert, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from orchestrator.domain.company import CompanyScope
from orchestrator.store.database import SystemScope, Transaction
from orchestrator.store.id_lists import padded
from orchestrator.store.models import SessionPolicyRow, SessionRow, SessionSendRow

_policies: Table = SessionPolicyRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_sends: Table = SessionSendRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_sessions: Table = SessionRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it


class SendKind(StrEnum):
    """Which window a send counts for."""

    CONVERSATION = "CONVERSATION"
    OTHER = "OTHER"
    NUMBER_CHECK = "NUMBER_CHECK"


@dataclass(frozen=True, slots=True)
class PolicyRecord:
    """A session's policy as stored; `state` and `overrides` are JSON, empty where there is none yet."""

    state: str
    overrides: str
    session_since: datetime
    """When the session was made: what the policy begins with where nothing is stored."""


@dataclass(frozen=True, slots=True)
class SentAt:
    """One attempt that was let go, or one number that WhatsApp was asked about."""

    message_id: str
    at: datetime
    kind: SendKind
    new_chat: bool = False


_READ = (
    select(_policies.c.state, _policies.c.overrides, _sessions.c.created_at)
    .select_from(_sessions.outerjoin(_policies, _policies.c.session_id == _sessions.c.id))
    .where(_sessions.c.company_id == bindparam("b_company"), _sessions.c.id == bindparam("b_session"))
)
_READ_STATES = select(_policies.c.session_id, _policies.c.state).where(
    _policies.c.company_id == bindparam("b_company"),
    _policies.c.session_id.in_(bindparam("b_ids", expanding=True)),
    _policies.c.state != "",
)
_WINDOW = select(_sends.c.message_id, _sends.c.at, _sends.c.kind, _sends.c.new_chat).where(
    _sends.c.company_id == bindparam("b_company"), _sends.c.session_id == bindparam("b_session")
)
_SENT_SINCE = _WINDOW.where(_sends.c.at > bindparam("b_minute")).union_all(
    _WINDOW.where(
        _sends.c.at > bindparam("b_day"),
        _sends.c.at <= bindparam("b_minute"),
        _sends.c.kind != SendKind.CONVERSATION.value,
    )
)
_INSERT_SENDS = insert(_sends)
_latest = _sends.alias("latest")
_LAST_ATTEMPTS = and_(
    _sends.c.company_id == bindparam("b_company"),
    _sends.c.message_id.in_(bindparam("b_ids", expanding=True)),
    _sends.c.at
    == select(func.max(_latest.c.at)).where(_latest.c.message_id == _sends.c.message_id).scalar_subquery(),
)
_UNDO = delete(_sends).where(_LAST_ATTEMPTS)
_SETTLE = update(_sends).where(_LAST_ATTEMPTS, _sends.c.at < bindparam("b_at")).values(at=bindparam("b_at"))
_old = _sends.alias("old")
_FORGET = delete(_sends).where(
    tuple_(_sends.c.message_id, _sends.c.at).in_(
        select(_old.c.message_id, _old.c.at)
        .where(_old.c.at < bindparam("b_before"))
        .order_by(_old.c.at)
        .limit(bindparam("b_most"))
    )
)


async def read(tx: Transaction, scope: CompanyScope, session_id: str) -> PolicyRecord | None:
    """Give what is stored of a session's policy; None where there is no such session."""
    arguments = {"b_company": scope.company_id, "b_session": session_id}
    row = (await tx.connection.execute(_READ, arguments)).one_or_none()
    return PolicyRecord(row.state or "", row.overrides or "", row.created_at) if row else None


async def read_states(tx: Transaction, scope: CompanyScope, session_ids: Collection[str]) -> dict[str, str]:
    """Give the states (JSON) of those sessions that have one."""
    arguments = {"b_company": scope.company_id, "b_ids": padded(session_ids)}
    return {row.session_id: row.state for row in await tx.connection.execute(_READ_STATES, arguments)}


async def save_state(
    tx: Transaction, scope: CompanyScope, session_id: str, state: str, now: datetime
) -> None:
    """Store a session's policy state (JSON). The caller holds the session's row."""
    await _put(tx, scope, session_id, {"state": state}, now)


async def save_overrides(
    tx: Transaction, scope: CompanyScope, session_id: str, overrides: str, now: datetime
) -> None:
    """Store which figures hold for a session (JSON). The caller holds the session's row."""
    await _put(tx, scope, session_id, {"overrides": overrides}, now)


async def _put(
    tx: Transaction, scope: CompanyScope, session_id: str, changes: dict[str, str], now: datetime
) -> None:
    where = (_policies.c.company_id == scope.company_id, _policies.c.session_id == session_id)
    changed = await tx.connection.execute(update(_policies).where(*where).values(**changes, updated_at=now))
    if changed.rowcount:
        return
    row = {
        "session_id": session_id,
        "company_id": scope.company_id,
        "state": "",
        "overrides": "",
        "updated_at": now,
    }
    make = sqlite.insert if tx.dialect == "sqlite" else postgresql.insert
    await tx.connection.execute(
        make(_policies)
        .values(row | changes)
        .on_conflict_do_update(index_elements=["session_id"], set_={**changes, "updated_at": now})
    )


async def sent_since(
    tx: Transaction, scope: CompanyScope, session_id: str, minute: datetime, day: datetime
) -> list[SentAt]:
    """Give what was sent after `minute`, and after `day` what was sent outside conversations."""
    arguments = {
        "b_company": scope.company_id,
        "b_session": session_id,
        "b_minute": minute,
        "b_day": day,
    }
    rows = await tx.connection.execute(_SENT_SINCE, arguments)
    return [SentAt(row.message_id, row.at, SendKind(row.kind), bool(row.new_chat)) for row in rows]


async def note_sends(tx: Transaction, scope: CompanyScope, session_id: str, sends: Sequence[SentAt]) -> None:
    """Note what is let go, in the transaction that lets it go."""
    if sends:
        rows = [
            {
                "message_id": sent.message_id,
                "at": sent.at,
                "company_id": scope.company_id,
                "session_id": session_id,
                "kind": sent.kind.value,
                "new_chat": sent.new_chat,
            }
            for sent in sends
        ]
        await tx.connection.execute(_INSERT_SENDS, rows)


async def undo_sends(tx: Transaction, scope: CompanyScope, message_ids: Collection[str]) -> None:
    """Forget the last attempt of messages that certainly did not leave."""
    if message_ids:
        arguments = {"b_company": scope.company_id, "b_ids": padded(message_ids)}
        await tx.connection.execute(_UNDO, arguments)


async def settle_sends(
    tx: Transaction, scope: CompanyScope, message_ids: Collection[str], at: datetime
) -> None:
    """Let the last attempt of messages that were answered by `at` count from then on, where it was noted earlier.

    WhatsApp saw them no later than that: what waits for them to leave a window then comes after it there too, however
    long they took on the way.
    """
    if message_ids:
        arguments = {"b_company": scope.company_id, "b_ids": padded(message_ids), "b_at": at}
        await tx.connection.execute(_SETTLE, arguments)


async def forget_sends_before(tx: Transaction, scope: SystemScope, before: datetime, most: int) -> int:
    """Remove at most `most` sends that no window reaches; gives how many."""
    del scope
    return (await tx.connection.execute(_FORGET, {"b_before": before, "b_most": most})).rowcount
