import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from orchestrator.processes.child import ChildProcess, Command
from orchestrator.processes.memory_limit import RESTARTS, MemoryLimit

LIMIT = 1000


class CountingChild(ChildProcess):
    """Is never started; counts how often it was to start again."""

    name = "counting"
    restarted = 0
    aside = False
    restarted_aside = 0

    def command(self) -> Command:
        raise NotImplementedError

    async def wait_ready(self) -> None:
        raise NotImplementedError

    async def restart(self) -> None:
        self.restarted += 1
        self.restarted_aside += self.aside

    @asynccontextmanager
    async def stand_aside(self) -> AsyncIterator[None]:
        """What the work of this child goes away for."""
        self.aside = True
        yield
        self.aside = False


class Scale:
    """Weighs what the test says, and how often it was asked."""

    def __init__(self) -> None:
        self.resident: int | None = 0
        self.asked = 0

    async def __call__(self) -> int:
        self.asked += 1
        if self.resident is None:
            raise ConnectionError("the child is away")
        return self.resident

    async def asked_again(self, times: int = 3) -> None:
        """Wait until it was asked so often from now on."""
        wanted = self.asked + times
        async with asyncio.timeout(5):
            while self.asked < wanted:
                await asyncio.sleep(0.001)


@pytest.fixture
def child() -> CountingChild:
    return CountingChild()


@pytest.fixture
async def scale(child: CountingChild) -> AsyncIterator[Scale]:
    scale = Scale()
    limit = MemoryLimit(child, LIMIT, scale, child.stand_aside, every_s=0.001, rest_s=600)
    task = asyncio.create_task(limit.run())
    yield scale
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_child_within_its_limit_is_left_alone(child: CountingChild, scale: Scale) -> None:
    scale.resident = LIMIT
    await scale.asked_again()
    assert child.restarted == 0


async def test_a_child_beyond_its_limit_is_started_again_and_counted(
    child: CountingChild, scale: Scale
) -> None:
    counted = RESTARTS.labels("counting")._value.get()
    scale.resident = LIMIT + 1
    await scale.asked_again()
    assert child.restarted == 1
    assert child.restarted_aside == 1
    assert not child.aside
    assert RESTARTS.labels("counting")._value.get() == counted + 1


async def test_a_child_that_stays_too_large_is_not_started_again_and_again(
    child: CountingChild, scale: Scale
) -> None:
    scale.resident = LIMIT + 1
    await scale.asked_again(20)
    assert child.restarted == 1


async def test_a_child_that_cannot_be_measured_is_measured_again_later(
    child: CountingChild, scale: Scale
) -> None:
    scale.resident = None
    await scale.asked_again()
    scale.resident = LIMIT + 1
    await scale.asked_again()
    assert child.restarted == 1
