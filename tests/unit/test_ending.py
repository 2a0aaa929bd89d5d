"""Tasks end even where a cancellation is lost on the way."""

import asyncio

from orchestrator.ending import end_tasks


async def forgets_cancellations(times: int) -> None:
    """Go on after so many cancellations, as a loop around asyncio.wait_for may before Python 3.12."""
    for _ in range(times):
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            continue
    await asyncio.sleep(3600)


async def test_a_task_that_loses_a_cancellation_is_cancelled_again() -> None:
    tasks = [asyncio.create_task(forgets_cancellations(times)) for times in (0, 1, 2)]
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await end_tasks(tasks)
    assert all(task.cancelled() for task in tasks)


async def test_a_task_that_fails_while_it_ends_or_has_ended_already_is_no_trouble() -> None:
    async def fails() -> None:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            raise RuntimeError("while it ends") from None

    ended = asyncio.create_task(asyncio.sleep(0))
    failing = asyncio.create_task(fails())
    await ended
    async with asyncio.timeout(5):
        await end_tasks([ended, failing])
    assert isinstance(failing.exception(), RuntimeError)
