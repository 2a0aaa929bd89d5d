"""Where the gap between two campaign messages begins: at WhatsApp's answer to the first."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from orchestrator.domain.message import Lane
from orchestrator.services.ports import SendAnswer
from tests.support.clock import ManualClock
from tests.support.desk import Desk
from tests.support.policy_desk import clock, left_at, number, opted_in, run_for, strict, talked
from tests.support.simulator import eventually

__all__ = ["clock", "strict"]  # Fixtures.


async def test_the_gap_between_campaign_messages_counts_from_the_answer(
    strict: Desk, clock: ManualClock
) -> None:
    known = [number(index) for index in range(2)]
    await talked(strict, *known)
    await opted_in(strict, *known)
    strict.gateway.takes_s["0"] = 50.0
    for index, one in enumerate(known):
        await strict.submit(f"{index}", to=one, lane=Lane.CAMPAIGN)
    started = clock()
    await run_for(strict, clock, 150)
    times = await left_at(strict)
    assert len(times) == 2
    assert (times[1] - started).total_seconds() >= 50 + 60 * 0.7


async def test_no_campaign_message_leaves_while_the_one_before_is_under_way(
    desk: Desk, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Limits are lifted here, so that only the gap of 2 to 5 s lies between them; a large file takes longer."""
    await opted_in(desk, number(1), number(2))
    arrives, send = asyncio.Event(), desk.gateway.send_messages

    async def slow(*arguments: Any) -> AsyncIterator[SendAnswer]:
        async for answer in send(*arguments):
            await arrives.wait()
            yield answer

    monkeypatch.setattr(desk.gateway, "send_messages", slow)
    await desk.submit("1", to=number(1), lane=Lane.CAMPAIGN)
    second = await desk.submit("2", to=number(2), lane=Lane.CAMPAIGN)
    dispatch = desk.dispatch()
    running = asyncio.create_task(dispatch.run(desk.scope, desk.session_id))

    async def waits_for_the_first() -> bool:
        clock.advance(10)
        dispatch.nudge(desk.session_id)
        waiting = (await desk.messages.get(desk.scope, second)).waiting_for
        return waiting is not None and waiting.detail == "the campaign message before it is under way"

    async def is_under_way() -> bool:
        return len(desk.gateway.attempts) == 1

    await eventually(is_under_way, timeout_s=5)
    await eventually(waits_for_the_first, timeout_s=5)
    assert len(desk.gateway.attempts) == 1
    arrives.set()
    await running
    assert len(desk.gateway.attempts) == 1, "the gap begins with the answer"
    clock.advance(6)
    await dispatch.run(desk.scope, desk.session_id)
    await dispatch.stop()
    assert await desk.status(second) == "SENT"
