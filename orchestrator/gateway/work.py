"""Bounded background work of one stream: in order, in batches, or side by side across chats."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Generic, Protocol, TypeVar

from loguru import logger

from orchestrator.services.chat_lanes import ChatLanes

T = TypeVar("T")


class Work(Protocol):
    """Anything that goes on beside the reading of a stream."""

    async def drained(self) -> None:
        """Wait until nothing waits or is worked on."""
        ...

    def cancel(self) -> None:
        """Drop all that waits or is worked on."""
        ...


class Tasks:
    """A bounded set of tasks that nobody awaits; what they raise is logged."""

    def __init__(self, limit: int) -> None:
        self._room = asyncio.Semaphore(limit)
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Start a task, once there is room."""
        try:
            await self._room.acquire()
        except BaseException:
            work.close()
            raise
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    async def drained(self) -> None:
        """Wait until none runs."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def cancel(self) -> None:
        """Cancel all that run."""
        for task in self._tasks:
            task.cancel()

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._room.release()
        if not task.cancelled() and (error := task.exception()):
            logger.opt(exception=error).error("Work of a session's stream failed.")


class Batches(Generic[T]):
    """Hands over what was put in order; what comes while one batch is worked on goes together in the next."""

    def __init__(self, work: Callable[[Sequence[T]], Awaitable[None]], most: int, waiting: int) -> None:
        self._work = work
        self._most = most
        self._queue: asyncio.Queue[T] = asyncio.Queue(waiting)
        self._task: asyncio.Task[None] | None = None

    async def put(self, thing: T) -> None:
        """Add a thing, once there is room."""
        await self._queue.put(thing)
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def drained(self) -> None:
        """Wait until nothing waits or is worked on."""
        while self._task is not None:
            await asyncio.wait([self._task])

    def cancel(self) -> None:
        """Drop all that waits or is worked on."""
        while not self._queue.empty():
            self._queue.get_nowait()
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        try:
            while not self._queue.empty():
                size = min(self._most, self._queue.qsize())
                batch = [self._queue.get_nowait() for _ in range(size)]
                try:
                    await self._work(batch)
                except Exception:
                    logger.exception("A batch of a session's stream failed.")
        finally:
            self._task = None


class ChatWork(Generic[T]):
    """Works on one thing per chat at a time, each chat's in order, at most `at_a_time` chats side by side."""

    def __init__(self, work: Callable[[T], Coroutine[Any, Any, None]], at_a_time: int, waiting: int) -> None:
        self._work = work
        self._lanes: ChatLanes[T] = ChatLanes()
        self._at_a_time = at_a_time
        self._room = asyncio.Semaphore(waiting)
        self._tasks: set[asyncio.Task[None]] = set()

    async def put(self, chat: str, thing: T) -> None:
        """Add a thing behind all others of its chat, once there is room."""
        await self._room.acquire()
        self._lanes.put(chat, thing)
        self._start()

    async def drained(self) -> None:
        """Wait until nothing waits or is worked on."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def cancel(self) -> None:
        """Drop all that waits or is worked on."""
        self._lanes.clear()
        for task in self._tasks:
            task.cancel()

    def _start(self) -> None:
        while len(self._tasks) < self._at_a_time and (taken := self._lanes.take()) is not None:
            task = asyncio.create_task(self._do(*taken))
            self._tasks.add(task)
            task.add_done_callback(self._finished)

    async def _do(self, chat: Any, thing: T) -> None:
        try:
            await self._work(thing)
        except Exception:
            logger.exception("An inbound message's work failed.")
        finally:
            self._lanes.done(chat)
            self._room.release()

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._start()
