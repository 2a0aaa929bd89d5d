"""A desk whose limits are enforced, and its clock: what is sent under the policy, and when it left."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from orchestrator.domain.consent import OptIn
from orchestrator.domain.ids import make_id
from orchestrator.domain.jid import ContactId, phone_number_to_jid
from orchestrator.services.context import Context, SendingLimits
from orchestrator.services.policy_state import PolicyState, dump_state, load_state
from orchestrator.store import chat_policy, consent, events, policy
from orchestrator.store.chat_policy import Exchanged
from orchestrator.store.models import SessionSendRow
from orchestrator.store.policy import SendKind
from tests.support.clock import ManualClock
from tests.support.desk import Desk

SENDS = SessionSendRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it


def number(index: int) -> str:
    return f"+55119876{index:05d}"


@pytest.fixture
def clock() -> ManualClock:
    """Noon in Brazil on a Wednesday."""
    return ManualClock(datetime.fromisoformat("2026-01-07T15:00:00+00:00"))


@pytest.fixture
async def strict(desk: Desk, context: Context) -> Desk:
    """A desk whose limits are enforced, of a number that was linked long ago."""
    desk.adopt(replace(context, sending_limits=SendingLimits.ENFORCED))
    await mature(desk)
    return desk


async def state_of(desk: Desk) -> PolicyState:
    async with desk.context.database.reading(desk.scope) as tx:
        record = await policy.read(tx, desk.scope, desk.session_id)
    assert record is not None
    return load_state(record.state, record.session_since)


async def mature(desk: Desk) -> None:
    now = desk.context.clock()
    async with desk.context.database.transaction(desk.scope) as tx:
        state = load_state("", now)
        warm_up = replace(state.warm_up, day=60, active_at=now)
        await policy.save_state(
            tx, desk.scope, desk.session_id, dump_state(replace(state, warm_up=warm_up)), now
        )


async def talked(desk: Desk, *numbers: str) -> None:
    """The contacts wrote just now."""
    now = desk.context.clock()
    async with desk.context.database.transaction(desk.scope) as tx:
        inbound = [Exchanged(desk.session_id, phone_number_to_jid(one), now, inbound=True) for one in numbers]
        await chat_policy.note(tx, desk.scope, inbound)


async def opted_in(desk: Desk, *numbers: str) -> None:
    now = desk.context.clock()
    async with desk.context.database.transaction(desk.scope) as tx:
        entries = [
            OptIn(make_id(now, desk.context.rng), ContactId(phone_number_to_jid(one)), "form", now, now)
            for one in numbers
        ]
        await consent.add_opt_ins(tx, desk.scope, entries)


async def run_for(desk: Desk, clock: ManualClock, seconds: float, step: float = 1.0) -> list[datetime]:
    """Run the dispatcher again and again as time passes; gives when each message was tried."""
    tried: list[datetime] = []
    end = clock() + timedelta(seconds=seconds)
    while True:
        before = len(desk.gateway.attempts)
        await desk.send_all()
        tried += [clock()] * (len(desk.gateway.attempts) - before)
        if clock() >= end:
            return tried
        clock.advance(step)


async def left_at(desk: Desk) -> list[datetime]:
    """When messages left, after their typing."""
    async with desk.context.database.reading(desk.scope) as tx:
        messages = select(SENDS.c.at).where(SENDS.c.kind != SendKind.NUMBER_CHECK.value)
        return sorted((await tx.connection.execute(messages)).scalars())


async def events_of(desk: Desk, type_: str) -> list[dict[str, object]]:
    async with desk.context.database.reading(desk.scope) as tx:
        found = await events.list_after(tx, desk.scope, 0, 500)
    return [dict(event.data) for event in found if event.type == type_]
