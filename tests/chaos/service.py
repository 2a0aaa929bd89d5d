"""A process of Ponte: killed, paused, stopped in good order, and always started again."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, Protocol, TypeVar

from tests.chaos.schedule import Way
from tests.chaos.victims import Victim, pause
from tests.support.ponte import gone, kill

START_S = 120.0
"""How long it may take until it serves again, a database that comes back meanwhile included."""

STOP_S = 20.0
"""How long an orderly stop may take: the grace is 3 s, then children get 3 s each."""

_BETWEEN_STARTS_S = 0.3


class Running(Protocol):
    """A process that serves."""

    @property
    def process(self) -> asyncio.subprocess.Process: ...

    def tree(self) -> list[int]:
        """The process and everything below it."""
        ...


R = TypeVar("R", bound=Running)


class Service(Victim, Generic[R]):
    """A process of Ponte, as something would run it that starts it again whenever it ends.

    `complaints` collects what it did that it must not do: end by itself, or not end when asked.
    """

    def __init__(self, name: str, start_once: Callable[[], Awaitable[R]], ways: Sequence[Way] = ()) -> None:
        """Take how it is started; that raises AssertionError where it does not get ready."""
        super().__init__(ways)
        self._name = name
        self._start_once = start_once
        self._watch: asyncio.Task[None] | None = None
        self.running: R | None = None
        self.complaints: list[str] = []
        self.starts = 0
        self.longest_stop_s = 0.0

    @property
    def process_id(self) -> int | None:
        """The running process, None while there is none."""
        running = self.running
        return running.process.pid if running and running.process.returncode is None else None

    async def start(self) -> None:
        """Start it until it serves; what it stands on may still be down. Raises AssertionError after START_S."""
        deadline = asyncio.get_running_loop().time() + START_S
        while True:
            try:
                self.running = await self._start_once()
                break
            except AssertionError:
                if asyncio.get_running_loop().time() > deadline:
                    raise
                await asyncio.sleep(_BETWEEN_STARTS_S)
        self.starts += 1
        self._watch = asyncio.create_task(self._note_an_end(self.running))

    async def hurt(self, way: str, lasts_s: float, draw: float) -> None:
        """See Victim: `kill` (the process; its children end by themselves), `kill tree`, `restart`, `pause`.

        `away` and `frozen` are long forms of `kill tree` and `pause`.
        """
        running = self.running
        if running is None or running.process.returncode is not None:
            return
        if way in ("pause", "frozen"):
            await pause([running.process.pid], lasts_s)
            return
        await self._stop_watching()
        if way == "kill":
            kill([running.process.pid])
            await running.process.wait()
        elif way in ("kill tree", "away"):
            await _kill_tree(running)
        else:
            await self._stop(running)
        await asyncio.sleep(lasts_s)
        await self.start()

    async def restore(self) -> None:
        """Start it where it has ended by itself."""
        if self.process_id is None:
            await self.start()

    async def stop(self) -> None:
        """Stop it in good order."""
        await self._stop_watching()
        if self.running is not None and self.process_id is not None:
            await self._stop(self.running)

    async def kill(self) -> None:
        """End it and everything below it at once."""
        await self._stop_watching()
        if self.running is not None and self.process_id is not None:
            await _kill_tree(self.running)

    async def _stop(self, running: R) -> None:
        tree = running.tree()
        asked_at = asyncio.get_running_loop().time()
        running.process.terminate()
        try:
            code = await asyncio.wait_for(running.process.wait(), STOP_S)
        except TimeoutError:
            self._complain(f"an orderly stop took more than {STOP_S:g} s; stacks are in its log")
            os.kill(running.process.pid, signal.SIGABRT)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(running.process.wait(), 5)
            kill(tree)
            await running.process.wait()
            return
        self.longest_stop_s = max(self.longest_stop_s, asyncio.get_running_loop().time() - asked_at)
        if code != 0:
            self._complain(f"an orderly stop ended with code {code}")
        try:
            await gone(tree)
        except TimeoutError:
            self._complain("an orderly stop left processes behind")
            kill(tree)

    async def _note_an_end(self, running: R) -> None:
        code = await running.process.wait()
        self._complain(f"it ended by itself with code {code}")

    def _complain(self, what: str) -> None:
        self.complaints.append(f"{self._name}: {what}")

    async def _stop_watching(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
            self._watch = None


async def _kill_tree(running: Running) -> None:
    """SIGKILL to everything at once, as a machine that loses its power would look from outside."""
    kill(running.tree())
    await running.process.wait()
