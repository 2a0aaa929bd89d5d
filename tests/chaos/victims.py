"""What can be hurt and comes back. A new kind of process is a new victim here and a line in deployments.py."""

import asyncio
import contextlib
import os
import signal
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

from redis.asyncio import Redis
from redis.exceptions import RedisError

from tests.chaos.schedule import Way
from tests.support.ponte import descendants, gone, kill


class Victim(ABC):
    """Something that can be hurt in some ways. One strike at a time: another waits until it is back."""

    def __init__(self, ways: Sequence[Way]) -> None:
        self.ways = ways
        self._one_at_a_time = asyncio.Lock()

    async def strike(self, way: str, lasts_s: float, draw: float) -> None:
        """Hurt it, and return when it is back or others see to that."""
        async with self._one_at_a_time:
            await self.hurt(way, lasts_s, draw)

    @abstractmethod
    async def hurt(self, way: str, lasts_s: float, draw: float) -> None:
        """Do it; `draw` (0 to 1) picks one of many."""

    async def restore(self) -> None:  # noqa: B027 - most come back by themselves
        """See that it is well: called when all strikes are over."""


class Server(Protocol):
    """A server process that the suite owns (tests.support)."""

    @property
    def process_id(self) -> int: ...

    def start(self) -> None: ...

    def wait(self) -> None: ...


class OwnServer(Victim):
    """PostgreSQL or Redis: killed with all its processes, down for a while, started again on what it left."""

    def __init__(self, server: Server, ways: Sequence[Way]) -> None:
        super().__init__(ways)
        self._server = server

    async def hurt(self, way: str, lasts_s: float, draw: float) -> None:
        """See Victim: `kill` and `pause`."""
        processes = [self._server.process_id, *descendants(self._server.process_id)]
        if way == "pause":
            await pause(processes, lasts_s)
            return
        kill(processes)
        self._server.wait()
        await gone(processes)
        await asyncio.sleep(lasts_s)
        await asyncio.to_thread(self._server.start)


class Child(Victim):
    """A child of the running Ponte, which starts it again: found by what its command line contains."""

    def __init__(self, ponte_id: Callable[[], int | None], mark: str, ways: Sequence[Way]) -> None:
        super().__init__(ways)
        self._ponte_id = ponte_id
        self._mark = mark

    async def hurt(self, way: str, lasts_s: float, draw: float) -> None:
        """See Victim: `kill` and `pause`. A child that is not there cannot be hurt."""
        ponte_id = self._ponte_id()
        processes = [] if ponte_id is None else with_mark(descendants(ponte_id), self._mark)
        if way == "pause":
            await pause(processes, lasts_s)
            return
        kill(processes)
        await gone(processes)


class RedisData(Victim):
    """What Redis holds: wiped."""

    def __init__(self, url: Callable[[], str], ways: Sequence[Way]) -> None:
        super().__init__(ways)
        self._url = url

    async def hurt(self, way: str, lasts_s: float, draw: float) -> None:
        """See Victim: `wipe`. One that is down cannot be wiped."""
        with contextlib.suppress(RedisError, OSError):
            async with Redis.from_url(self._url(), socket_timeout=2) as client:
                await client.flushall()


def with_mark(processes: Iterable[int], mark: str) -> list[int]:
    """Those whose command line contains a text."""
    return [process for process in processes if mark in command_line(process)]


def command_line(process: int) -> str:
    """A process's command line, empty where it has none."""
    try:
        return Path(f"/proc/{process}/cmdline").read_text(errors="replace").replace("\0", " ")
    except OSError:
        return ""


async def pause(processes: Sequence[int], seconds: float) -> None:
    """Stop processes in their tracks for a while."""
    _signal(processes, signal.SIGSTOP)
    try:
        await asyncio.sleep(seconds)
    finally:
        _signal(processes, signal.SIGCONT)


def _signal(processes: Iterable[int], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, number)
