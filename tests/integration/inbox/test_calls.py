"""Calls as they are recorded: each step once, and not for ever."""

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.domain.call import CallStep, CallUpdate
from orchestrator.domain.jid import ContactId
from orchestrator.services.calls import CallService
from orchestrator.services.maintenance import MaintenanceService
from orchestrator.store import calls, events
from tests.support.clock import ManualClock
from tests.support.desk import Desk

CALLER = ContactId("5511987654321@s.whatsapp.net", "95511987654321@lid")


@pytest.fixture
def service(desk: Desk) -> CallService:
    return CallService(desk.context)


def offer(desk: Desk, call_id: str = "A1") -> CallUpdate:
    at = desk.context.clock()
    return CallUpdate(call_id, CALLER, "", video=True, step=CallStep.OFFERED, at=at, offline=False)


async def told(desk: Desk) -> list[tuple[str, object]]:
    async with desk.context.database.reading(desk.scope) as tx:
        return [
            (event.type, event.data["state"]) for event in await events.list_after(tx, desk.scope, 0, 500)
        ]


async def test_each_step_is_told_once_however_often_it_comes(desk: Desk, service: CallService) -> None:
    first = offer(desk)
    for step in (CallStep.OFFERED, CallStep.ACCEPTED, CallStep.TERMINATED):
        for _ in range(2):
            await service.record(desk.scope, desk.session_id, replace(first, step=step))
    assert await told(desk) == [
        ("call.received", "RINGING"),
        ("call.accepted", "ACCEPTED"),
        ("call.ended", "ENDED"),
    ]


async def test_the_end_of_a_call_that_never_rang_here_is_passed_over(
    desk: Desk, service: CallService
) -> None:
    await service.record(desk.scope, desk.session_id, replace(offer(desk), step=CallStep.TERMINATED))
    assert await told(desk) == []


async def test_calls_of_long_ago_are_forgotten(desk: Desk, service: CallService, clock: ManualClock) -> None:
    maintenance = MaintenanceService(desk.context)
    await service.record(desk.scope, desk.session_id, offer(desk))
    clock.advance(timedelta(days=29).total_seconds())
    await maintenance.run_once()
    await service.record(desk.scope, desk.session_id, offer(desk, "A2"))
    clock.advance(timedelta(days=2).total_seconds())
    await maintenance.run_once()
    async with desk.context.database.reading(desk.scope) as tx:
        known = [await calls.find(tx, desk.scope, desk.session_id, call_id) for call_id in ("A1", "A2")]
    assert [call and call.wa_call_id for call in known] == [None, "A2"]
