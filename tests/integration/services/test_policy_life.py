"""What a session's life means for the sending policy: the reaction table's rows for closes."""

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.domain import errors
from orchestrator.domain.closing import Closed
from orchestrator.domain.errors import PonteError
from orchestrator.domain.jid import ContactId
from orchestrator.domain.policy.reaction_state import Scope
from orchestrator.domain.policy.signals import (
    CappingChanged,
    CappingLevel,
    RateLimited,
    ReachOutLocked,
    ReachOutUnlocked,
    Signal,
)
from orchestrator.domain.retry import Outcome, SendReport
from orchestrator.services.context import Context, SendingLimits
from orchestrator.services.policy import PolicyService
from orchestrator.services.policy_state import PolicyState, load_state
from orchestrator.services.session_runtime import SessionRuntime
from orchestrator.services.sessions import SessionService
from orchestrator.store import events, policy
from tests.support.clock import ManualClock
from tests.support.desk import Desk
from tests.support.factories import Factories

FENCE = 3
STRANGER, OTHER = "+5511987650001", "+5511987650002"
ME = ContactId("5511900000001@s.whatsapp.net", "95511900000001@lid")


@pytest.fixture
async def strict(desk: Desk, context: Context, make: Factories) -> Desk:
    desk.adopt(replace(context, sending_limits=SendingLimits.ENFORCED))
    session = await make.linked_session(desk.scope, fence=FENCE)
    return replace(desk, session_id=session.id)


@pytest.fixture
def runtime(strict: Desk) -> SessionRuntime:
    return SessionRuntime(strict.context)


async def close(runtime: SessionRuntime, desk: Desk, code: int, reason: str = "x", **more: object) -> None:
    closed = replace(Closed(code, reason), **more)  # type: ignore[arg-type]  # the fields of Closed
    await runtime.record_closed(desk.scope, desk.session_id, FENCE, closed, 100.0)


async def state_of(desk: Desk) -> PolicyState:
    async with desk.context.database.reading(desk.scope) as tx:
        record = await policy.read(tx, desk.scope, desk.session_id)
    assert record is not None
    return load_state(record.state, record.session_since)


async def told(desk: Desk) -> list[tuple[object, object]]:
    async with desk.context.database.reading(desk.scope) as tx:
        found = await events.list_after(tx, desk.scope, 0, 500)
    return [(event.data["score"], event.data["level"]) for event in found if event.type == "health.changed"]


@pytest.mark.parametrize(
    ("code", "detail", "figure", "level"),
    [
        (401, "Connection Failure", 60, "THROTTLED"),
        (401, "Stream Errored (conflict)", 0, "HEALTHY"),
        (403, "", 40, "THROTTLED"),
        (406, "", 40, "THROTTLED"),
    ],
)
async def test_a_close_for_good_stops_campaigns_until_a_person_resumes(
    strict: Desk, runtime: SessionRuntime, code: int, detail: str, figure: int, level: str
) -> None:
    await close(runtime, strict, code, detail=detail)
    state = await state_of(strict)
    assert state.health.figure == figure
    assert [(pause.scope, pause.until) for pause in state.reactions.pauses] == [(Scope.CAMPAIGNS, None)]
    assert await told(strict) == [(figure, level)]


async def test_after_a_temporary_ban_all_rests_until_a_day_after_its_end(
    strict: Desk, runtime: SessionRuntime, clock: ManualClock
) -> None:
    await close(runtime, strict, 402, "banned", expires_in_s=3600, ban_code=101)
    pauses = {pause.scope: pause.until for pause in (await state_of(strict)).reactions.pauses}
    assert pauses == {Scope.CAMPAIGNS: None, Scope.ALL: clock() + timedelta(hours=25)}


async def test_a_person_who_starts_the_session_resumes(strict: Desk, runtime: SessionRuntime) -> None:
    await close(runtime, strict, 403)
    await SessionService(strict.context, strict.gateway).start(strict.scope, strict.session_id)
    assert (await state_of(strict)).reactions.pauses == ()


async def test_three_lost_connections_in_an_hour_cost_health(strict: Desk, runtime: SessionRuntime) -> None:
    for _ in range(3):
        await close(runtime, strict, 428)
        await runtime.record_connected(strict.scope, strict.session_id, FENCE, ME, "Acme")
    state = await state_of(strict)
    assert state.health.figure == 30
    assert state.reconnected_at == strict.context.clock()


@pytest.mark.parametrize(
    ("code", "reason"),
    [(515, "restart_required"), (0, "bridge_lost"), (0, "ended"), (401, "upgrade_refused")],
)
async def test_what_is_no_fault_of_the_number_costs_nothing(
    strict: Desk, runtime: SessionRuntime, code: int, reason: str
) -> None:
    for _ in range(2):
        await close(runtime, strict, code, reason)
        await runtime.record_connected(strict.scope, strict.session_id, FENCE, ME, "Acme")
    assert (await state_of(strict)).health.figure == 0
    assert await told(strict) == []


async def test_a_number_that_is_linked_begins_its_warm_up(
    strict: Desk, clock: ManualClock, make: Factories
) -> None:
    session = await make.session(strict.scope, fence=FENCE, state="PAIRING")
    clock.advance(10 * 24 * 3600)
    linked = replace(strict, session_id=session.id)
    await SessionRuntime(strict.context).record_linked(strict.scope, session.id, FENCE, ME)
    assert (await state_of(linked)).warm_up.day == 1
    assert (await state_of(linked)).warm_up.day_since == clock()


async def tell(runtime: SessionRuntime, desk: Desk, *signals: Signal) -> None:
    await runtime.record_standing(desk.scope, desk.session_id, FENCE, signals)


async def queued(desk: Desk, clock: ManualClock, to: str) -> str:
    """Queue a message to somebody who never wrote, and let the policy decide on it; gives its id."""
    message = await desk.submit("hello", to=to)
    await settle(desk, clock)
    return message


async def settle(desk: Desk, clock: ManualClock) -> None:
    """Decide, and let what may leave do so after its typing."""
    await desk.send_all()
    clock.advance(10)
    await desk.send_all()


async def waits_for(desk: Desk, message_id: str) -> str:
    waiting = (await desk.messages.get(desk.scope, message_id)).waiting_for
    return waiting.code if waiting else ""


async def test_a_reach_out_lock_ends_ten_seconds_after_its_own_end(
    strict: Desk, runtime: SessionRuntime, clock: ManualClock
) -> None:
    strict.gateway.answer_next("hello", SendReport(Outcome.REJECTED, wa_code=463))
    await queued(strict, clock, STRANGER)
    waiting = await queued(strict, clock, OTHER)
    assert await waits_for(strict, waiting) == "NEW_CHATS_PAUSED"
    end = clock() + timedelta(hours=1)
    await tell(runtime, strict, ReachOutLocked(end))
    pauses = (await state_of(strict)).reactions.pauses
    assert {pause.until for pause in pauses} == {end + timedelta(seconds=10)}
    clock.advance(3600 - 10)
    await settle(strict, clock)
    assert await strict.status(waiting) == "QUEUED"
    await settle(strict, clock)
    await settle(strict, clock)
    assert await strict.status(waiting) == "SENT"


async def test_a_lock_that_is_lifted_lets_what_waits_go(
    strict: Desk, runtime: SessionRuntime, clock: ManualClock
) -> None:
    await tell(runtime, strict, ReachOutLocked(None))
    waiting = await queued(strict, clock, STRANGER)
    assert await waits_for(strict, waiting) == "NEW_CHATS_PAUSED"
    await tell(runtime, strict, ReachOutUnlocked())
    await settle(strict, clock)
    assert await strict.status(waiting) == "SENT"


async def test_half_of_what_is_left_of_whatsapps_quota_is_used(
    strict: Desk, runtime: SessionRuntime, clock: ManualClock
) -> None:
    end = clock() + timedelta(days=10)
    await tell(runtime, strict, CappingChanged(CappingLevel.NONE, end, left=2))
    assert await strict.status(await queued(strict, clock, STRANGER)) == "SENT"
    waiting = await queued(strict, clock, OTHER)
    assert await waits_for(strict, waiting) == "NEW_CHAT_QUOTA"
    await tell(runtime, strict, CappingChanged(CappingLevel.NONE, end, left=6))
    await settle(strict, clock)
    assert await strict.status(waiting) == "SENT"
    await tell(runtime, strict, CappingChanged(CappingLevel.NONE))
    assert (await state_of(strict)).new_chat_quota is None


async def test_a_quota_whose_cycle_is_not_known_counts_for_a_day(
    strict: Desk, runtime: SessionRuntime, clock: ManualClock
) -> None:
    await tell(runtime, strict, CappingChanged(CappingLevel.CAPPED, left=0))
    state = await state_of(strict)
    assert state.new_chat_quota is not None
    assert state.new_chat_quota.ends_at == clock() + timedelta(days=1)
    assert [(pause.scope, pause.until) for pause in state.reactions.pauses] == [
        (Scope.NEW_CHATS, clock() + timedelta(days=1))
    ]
    assert await told(strict) == [(0.0, "HEALTHY")]


async def test_what_another_gateway_was_told_counts_no_more(strict: Desk, runtime: SessionRuntime) -> None:
    with pytest.raises(PonteError) as refusal:
        await runtime.record_standing(strict.scope, strict.session_id, FENCE - 1, [RateLimited()])
    assert refusal.value.code is errors.STALE_FENCE


async def test_a_good_standing_is_no_news(strict: Desk, runtime: SessionRuntime) -> None:
    await tell(runtime, strict, ReachOutUnlocked(), CappingChanged(CappingLevel.NONE))
    assert await told(strict) == []


async def test_ill_health_keeps_the_warm_up_back_although_nobody_looks_until_it_is_over(
    strict: Desk, clock: ManualClock
) -> None:
    service = PolicyService(strict.context)

    async def day() -> int:
        return (await service.get(strict.scope, strict.session_id)).warm_up_day

    clock.advance(2 * 3600)
    strict.gateway.answer_next("hello", SendReport(Outcome.REJECTED, wa_code=463))
    await queued(strict, clock, STRANGER)
    clock.advance(22 * 3600)
    assert await day() == 1, "25 points have sunk below 15 after 17.7 hours: the day begins then"
    clock.advance(17 * 3600)
    assert await day() == 1
    clock.advance(3 * 3600)
    assert await day() == 2


async def test_where_limits_are_lifted_nothing_is_noted(strict: Desk, context: Context) -> None:
    strict.adopt(replace(context, sending_limits=SendingLimits.LIFTED))
    runtime = SessionRuntime(strict.context)
    await close(runtime, strict, 403)
    await tell(runtime, strict, ReachOutLocked(None))
    state = await state_of(strict)
    assert (state.health.figure, state.reactions.pauses) == (0, ())
