import asyncio

import pytest

from orchestrator.gateway.pace import Pace, Turn

FAST = 1000.0
"""A second: at this pace the gaps do not matter to a test."""


async def taken(pace: Pace, count: int) -> list[Turn]:
    return [await asyncio.wait_for(pace.take(), 5) for _ in range(count)]


async def test_starts_are_spread_evenly() -> None:
    loop = asyncio.get_running_loop()
    started_at = loop.time()
    await taken(Pace(50.0), 6)
    assert loop.time() - started_at >= 5 / 50


async def test_a_start_waits_while_too_many_are_connecting() -> None:
    pace = Pace(FAST)
    turns = await taken(pace, 2000)
    waiting = asyncio.create_task(pace.take())
    await asyncio.wait([waiting], timeout=0.05)
    assert not waiting.done()
    turns[0].over()
    turns[0].over()
    await asyncio.wait_for(waiting, 5)
    another = asyncio.create_task(pace.take())
    await asyncio.wait([another], timeout=0.05)
    assert not another.done(), "a turn that is over twice makes room once"
    another.cancel()


async def test_even_the_slowest_pace_lets_one_connect() -> None:
    assert await taken(Pace(0.1), 1)


async def test_who_gives_up_while_waiting_for_the_time_makes_room() -> None:
    pace = Pace(1.0)
    (first,) = await taken(pace, 1)
    waiting = asyncio.create_task(pace.take())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    first.over()
    assert pace._connecting._value == 2
