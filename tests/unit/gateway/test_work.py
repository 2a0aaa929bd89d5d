"""Bounded work in the background of a stream."""

import asyncio
from collections.abc import Sequence

from orchestrator.gateway.pace import Pace
from orchestrator.gateway.work import Batches, ChatWork, Tasks


async def test_tasks_are_bounded_and_outlive_a_failure() -> None:
    gate, running, most = asyncio.Event(), 0, 0

    async def work(fails: bool) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await gate.wait()
        running -= 1
        if fails:
            raise RuntimeError("one of them")

    tasks = Tasks(2)
    await tasks.start(work(True))
    await tasks.start(work(False))
    third = asyncio.create_task(tasks.start(work(False)))
    await asyncio.sleep(0)
    assert not third.done()
    gate.set()
    await third
    await tasks.drained()
    assert (running, most) == (0, 2)


async def test_a_task_that_found_no_room_is_never_run() -> None:
    tasks, gate = Tasks(1), asyncio.Event()
    ran = False

    async def wait() -> None:
        await gate.wait()

    async def late() -> None:
        nonlocal ran
        ran = True

    await tasks.start(wait())
    starting = asyncio.create_task(tasks.start(late()))
    await asyncio.sleep(0)
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    tasks.cancel()
    await tasks.drained()
    assert not ran


async def test_batches_gather_what_came_meanwhile() -> None:
    gate, done = asyncio.Event(), list[Sequence[int]]()

    async def work(batch: Sequence[int]) -> None:
        await gate.wait()
        done.append(batch)

    batches = Batches(work, 3, 100)
    for number in range(6):
        await batches.put(number)
        await asyncio.sleep(0)
    gate.set()
    await batches.drained()
    assert done == [[0], [1, 2, 3], [4, 5]]


async def test_a_batch_that_fails_does_not_stop_the_next() -> None:
    done: list[int] = []

    async def work(batch: Sequence[int]) -> None:
        if 0 in batch:
            raise RuntimeError("the first")
        done.extend(batch)

    batches = Batches(work, 1, 100)
    await batches.put(0)
    await batches.put(1)
    await batches.drained()
    assert done == [1]


async def test_what_is_cancelled_is_dropped() -> None:
    started = asyncio.Event()

    async def hang(_: object) -> None:
        started.set()
        await asyncio.Event().wait()

    batches: Batches[int] = Batches(hang, 1, 10)
    chats: ChatWork[int] = ChatWork(hang, 1, 10)
    await batches.put(1)
    await batches.put(2)
    await chats.put("a", 1)
    await chats.put("b", 2)
    await started.wait()
    batches.cancel()
    chats.cancel()
    await batches.drained()
    await chats.drained()


async def test_chats_that_fail_do_not_stop_each_other() -> None:
    done: list[str] = []

    async def work(thing: str) -> None:
        if thing == "bad":
            raise RuntimeError("this one")
        done.append(thing)

    chats = ChatWork(work, 1, 10)
    for chat, thing in (("a", "bad"), ("a", "after"), ("b", "other")):
        await chats.put(chat, thing)
    await chats.drained()
    assert sorted(done) == ["after", "other"]


async def test_starts_are_spread_over_time() -> None:
    loop = asyncio.get_running_loop()
    pace, begun = Pace(100), loop.time()
    await pace.take()
    for _ in range(5):
        await pace.take()
    assert loop.time() - begun >= 0.049
