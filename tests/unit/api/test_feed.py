"""What a stream does while idle, at its end, and when something goes wrong."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from google.protobuf.message import Message

from orchestrator._generated.ponte.v1 import event_pb2
from orchestrator.api.errors import internal_error
from orchestrator.api.feed import Feed
from orchestrator.domain.errors import (
    CREDENTIAL_INVALID,
    GATEWAY_UNAVAILABLE,
    SHUTTING_DOWN,
    SUBSCRIBER_LIMIT_REACHED,
    PonteError,
)

PAUSE_S = 0.02


class Source:
    """A source of events that the test feeds; remembers how it ended."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Message | Exception | None] = asyncio.Queue()
        self.closed = False

    async def events(self) -> AsyncIterator[Message]:
        """What was put into the queue; an error is raised, None ends."""
        try:
            while (item := await self.queue.get()) is not None:
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            self.closed = True


class Made:
    """A feed with everything around it."""

    def __init__(self, permission: Callable[[], None] = lambda: None) -> None:
        self.source = Source()
        self.stopping: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.ends: list[str] = []
        self.asked = 0

        async def still_allowed() -> None:
            self.asked += 1
            permission()

        def explain(error: Exception) -> PonteError:
            return error if isinstance(error, PonteError) else internal_error("r")

        self.feed = Feed(
            self.source.events(),
            stopping=self.stopping,
            pause_s=PAUSE_S,
            still_allowed=still_allowed,
            explain=explain,
            closed=self.ends.append,
        )


async def read_until_error(made: Made) -> str:
    """Read on, and give the code of the error that ends the stream."""

    async def read() -> None:
        async with asyncio.timeout(5), made.feed as feed:
            async for _ in feed:
                pass

    with pytest.raises(PonteError) as caught:
        await read()
    return caught.value.code.name


@pytest.mark.usefixtures("no_tasks_left")
async def test_messages_come_in_order_and_the_end_ends() -> None:
    made = Made()
    for item in (event_pb2.Event(sequence=1), event_pb2.Event(sequence=2), None):
        made.source.queue.put_nowait(item)
    async with made.feed as feed:
        seen: list[Any] = [message async for message in feed]
    assert [message.sequence for message in seen] == [1, 2]
    assert (made.ends, made.source.closed) == (["OK"], True)


@pytest.mark.usefixtures("no_tasks_left")
async def test_idle_stream_gives_none_and_loses_nothing() -> None:
    made = Made()
    async with made.feed as feed:
        assert await anext(feed) is None
        assert await anext(feed) is None
        made.source.queue.put_nowait(event_pb2.Event(sequence=1))
        message: Any = await anext(feed)
    assert message.sequence == 1


@pytest.mark.usefixtures("no_tasks_left")
async def test_stop_ends_an_idle_stream() -> None:
    made = Made()
    made.stopping.set_result(None)
    assert await read_until_error(made) == SHUTTING_DOWN.name
    assert (made.ends, made.source.closed) == ([SHUTTING_DOWN.name], True)


@pytest.mark.usefixtures("no_tasks_left")
async def test_lost_permission_ends_the_stream() -> None:
    def refuse() -> None:
        raise PonteError(CREDENTIAL_INVALID)

    made = Made(refuse)
    assert await read_until_error(made) == CREDENTIAL_INVALID.name
    assert made.ends == [CREDENTIAL_INVALID.name]


@pytest.mark.usefixtures("no_tasks_left")
@pytest.mark.parametrize("error", [PonteError(GATEWAY_UNAVAILABLE), OSError("database is away")])
async def test_permission_that_cannot_be_asked_now_is_asked_again(error: Exception) -> None:
    def fail() -> None:
        raise error

    made = Made(fail)
    async with made.feed as feed:
        for _ in range(4):
            assert await anext(feed) is None
    assert made.asked >= 2
    assert made.ends == ["OK"]


@pytest.mark.usefixtures("no_tasks_left")
async def test_error_of_the_first_step_comes_before_the_start() -> None:
    made = Made()
    made.source.queue.put_nowait(PonteError(SUBSCRIBER_LIMIT_REACHED))
    with pytest.raises(PonteError):
        async with made.feed as feed:
            await feed.settle()
    assert made.ends == [SUBSCRIBER_LIMIT_REACHED.name]


@pytest.mark.usefixtures("no_tasks_left")
async def test_fault_of_the_source_is_explained() -> None:
    made = Made()
    made.source.queue.put_nowait(event_pb2.Event(sequence=1))
    made.source.queue.put_nowait(RuntimeError("secret"))
    assert await read_until_error(made) == "INTERNAL"


@pytest.mark.usefixtures("no_tasks_left")
async def test_client_that_leaves_is_cancelled_and_closes_the_source() -> None:
    made = Made()

    async def client() -> None:
        async with made.feed as feed:
            async for _ in feed:
                pass

    task = asyncio.create_task(client())
    async with asyncio.timeout(5):
        while made.asked == 0:
            await asyncio.sleep(0.005)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert (made.ends, made.source.closed) == (["CANCELLED"], True)


async def test_closing_twice_is_closing_once() -> None:
    made = Made()
    async with made.feed:
        pass
    async with made.feed:
        pass
    assert made.ends == ["OK"]
