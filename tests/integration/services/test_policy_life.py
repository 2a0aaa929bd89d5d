"""What a session's life means for the sending policy: the reaction table's rows for closes."""

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.domain.closing import Closed
from orchestrator.domain.jid import ContactId
from orchestrator.domain.policy.reaction_state import Scope
from orchestrator.services.context import Context, SendingLimits
from orchestrator.services.policy_state import PolicyState, load_state
from orchestrator.services.session_runtime import SessionRuntime
from orchestrator.services.sessions import SessionService
from orchestrator.store import events, policy
from tests.support.clock import ManualClock
from tests.support.desk import Desk
from tests.support.factories import Factories

FENCE = 3
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


async def test_where_limits_are_lifted_nothing_is_noted(strict: Desk, context: Context) -> None:
    strict.adopt(replace(context, sending_limits=SendingLimits.LIFTED))
    await close(SessionRuntime(strict.context), strict, 403)
    assert (await state_of(strict)).health.figure == 0
