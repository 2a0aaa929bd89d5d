"""Calls to the companies' numbers, as they are known now."""

from datetime import datetime

from sqlalchemy import RowMapping, Table, bindparam, delete, insert, select, tuple_, update

from orchestrator.domain.call import Call, CallState
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.jid import ContactId
from orchestrator.store.database import SystemScope, Transaction
from orchestrator.store.models import CallRow

_calls: Table = CallRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it

_IS_IT = (
    (_calls.c.company_id == bindparam("b_company"))
    & (_calls.c.session_id == bindparam("b_session"))
    & (_calls.c.wa_call_id == bindparam("b_call"))
)
_FIND = select(_calls).where(_IS_IT)
_MOVE_ON = update(_calls).where(_IS_IT).values(state=bindparam("b_state"), ended_at=bindparam("b_ended_at"))
_KEY = (_calls.c.company_id, _calls.c.session_id, _calls.c.wa_call_id)
_old = _calls.alias("old")
_FORGET = delete(_calls).where(
    tuple_(*_KEY).in_(
        select(_old.c.company_id, _old.c.session_id, _old.c.wa_call_id)
        .where(_old.c.started_at < bindparam("b_before"))
        .limit(bindparam("b_most"))
    )
)


async def find(tx: Transaction, scope: CompanyScope, session_id: str, wa_call_id: str) -> Call | None:
    """Give a call by WhatsApp's id of it; None where it is not known."""
    row = (await tx.connection.execute(_FIND, _key(scope, session_id, wa_call_id))).mappings().one_or_none()
    return _to_call(row) if row else None


async def add(tx: Transaction, scope: CompanyScope, call: Call) -> None:
    """Store a call that is new."""
    row = {
        "company_id": scope.company_id,
        "session_id": call.session_id,
        "wa_call_id": call.wa_call_id,
        "id": call.id,
        "pn_jid": call.caller.pn_jid,
        "lid_jid": call.caller.lid_jid,
        "group_jid": call.group_jid,
        "video": call.video,
        "state": call.state.value,
        "offline": call.offline,
        "started_at": call.started_at,
        "ended_at": call.ended_at,
    }
    await tx.connection.execute(insert(_calls), row)


async def move_on(tx: Transaction, scope: CompanyScope, call: Call) -> None:
    """Store how a known call stands now."""
    changed = {"b_state": call.state.value, "b_ended_at": call.ended_at}
    await tx.connection.execute(_MOVE_ON, _key(scope, call.session_id, call.wa_call_id) | changed)


async def forget_before(tx: Transaction, scope: SystemScope, before: datetime, most: int) -> int:
    """Remove at most `most` calls that began before a time; gives how many."""
    del scope
    return (await tx.connection.execute(_FORGET, {"b_before": before, "b_most": most})).rowcount


def _key(scope: CompanyScope, session_id: str, wa_call_id: str) -> dict[str, object]:
    return {"b_company": scope.company_id, "b_session": session_id, "b_call": wa_call_id}


def _to_call(row: RowMapping) -> Call:
    return Call(
        id=row["id"],
        wa_call_id=row["wa_call_id"],
        session_id=row["session_id"],
        caller=ContactId(row["pn_jid"], row["lid_jid"]),
        group_jid=row["group_jid"],
        video=row["video"],
        state=CallState(row["state"]),
        offline=row["offline"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
    )
