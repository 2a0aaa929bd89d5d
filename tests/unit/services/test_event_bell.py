"""The bell that wakes followers of a company's events."""

import asyncio

from orchestrator.services.event_bell import EventBell

SOON_S = 5.0
AT_ONCE_S = 0.01


async def test_a_ring_wakes_everyone_who_waits_for_the_company() -> None:
    bell = EventBell()
    waiting = [asyncio.create_task(bell.wait("c-1", SOON_S)) for _ in range(3)]
    while bell.listeners("c-1") < 3:
        await asyncio.sleep(0)

    bell.ring("c-1")

    assert await asyncio.gather(*waiting) == [True, True, True]


async def test_another_companys_ring_wakes_nobody() -> None:
    bell = EventBell()
    with bell.listen("c-1") as listener:
        bell.ring("c-2")

        assert not await listener.wait(AT_ONCE_S)


async def test_a_ring_between_look_and_wait_is_kept() -> None:
    bell = EventBell()
    with bell.listen("c-1") as listener:
        bell.ring("c-1")
        bell.ring("c-1")

        assert await listener.wait(SOON_S)
        assert not await listener.wait(AT_ONCE_S)


async def test_a_ring_while_the_wait_times_out_is_kept_for_the_next() -> None:
    bell = EventBell()
    with bell.listen("c-1") as listener:
        assert not await listener.wait(0)
        bell.ring("c-1")

        assert await listener.wait(SOON_S)


async def test_ring_all_wakes_every_company() -> None:
    bell = EventBell()
    with bell.listen("c-1") as one, bell.listen("c-2") as two:
        bell.ring_all()

        assert await one.wait(SOON_S)
        assert await two.wait(SOON_S)


async def test_a_wait_that_is_cancelled_or_over_leaves_nothing() -> None:
    bell = EventBell()
    waiting = asyncio.create_task(bell.wait("c-1", SOON_S))
    await asyncio.sleep(0)
    assert bell.listeners("c-1") == 1

    waiting.cancel()
    await asyncio.wait([waiting])

    assert bell.listeners("c-1") == 0
    assert not await bell.wait("c-1", 0)
    assert bell.listeners("c-1") == 0
