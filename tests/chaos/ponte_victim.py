"""Ponte itself: killed, paused, stopped in good order, and always started again."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.chaos.schedule import Way
from tests.chaos.victims import Victim, gone, kill, pause
from tests.support.ponte import PonteProcess, start_ponte

START_S = 120.0
"""How long it may take until it serves again, a database that comes back meanwhile included."""

STOP_S = 20.0
"""How long an orderly stop may take: the grace is 3 s, then children get 3 s each."""

_BETWEEN_STARTS_S = 0.3


class Ponte(Victim):
    """`ponte up` in a data folder, as something would run it that starts it again whenever it ends.

    `complaints` collects what it did that it must not do: end by itself, or not end when asked.
    """

    def __init__(self, data_dir: Path, settings: Mapping[str, str], ways: Sequence[Way] = ()) -> None:
        super().__init__(ways)
        self._data_dir = data_dir
        # On SIGABRT it writes the stack of every thread into its log.
        self._settings = {**settings, "PYTHONFAULTHANDLER": "1"}
        self._running: PonteProcess | None = None
        self._watch: asyncio.Task[None] | None = None
        self.complaints: list[str] = []
        self.starts = 0

    @property
    def process_id(self) -> int | None:
        """The running process, None while there is none."""
        running = self._running
        return running.process.pid if running and running.process.returncode is None else None

    @property
    def http_url(self) -> str:
        """Where REST is, or was before it ended. Raises ConnectionError before the first start."""
        if self._running is None:
            raise ConnectionError("Ponte was not started")
        return self._running.http_url

    @property
    def log_path(self) -> Path:
        """The log of all starts."""
        return self._data_dir.parent / f"{self._data_dir.name}.log"

    async def start(self) -> None:
        """Start it until it serves; what it stands on may still be down. Raises AssertionError after START_S."""
        deadline = asyncio.get_running_loop().time() + START_S
        while True:
            try:
                self._running = await start_ponte(self._data_dir, self._settings)
                break
            except AssertionError:
                if asyncio.get_running_loop().time() > deadline:
                    raise
                await asyncio.sleep(_BETWEEN_STARTS_S)
        self.starts += 1
        self._watch = asyncio.create_task(self._note_an_end(self._running))

    async def hurt(self, way: str, lasts_s: float, draw: float) -> None:
        """See Victim: `kill` (the process; its children end by themselves), `kill tree`, `restart`, `pause`."""
        running = self._running
        if running is None or running.process.returncode is not None:
            return
        if way == "pause":
            await pause([running.process.pid], lasts_s)
            return
        await self._stop_watching()
        if way == "kill":
            kill([running.process.pid])
            await running.process.wait()
        elif way == "kill tree":
            await running.kill_tree()
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
        if self._running is not None and self.process_id is not None:
            await self._stop(self._running)

    async def kill(self) -> None:
        """End it and everything below it at once."""
        await self._stop_watching()
        if self._running is not None and self.process_id is not None:
            await self._running.kill_tree()

    async def _stop(self, running: PonteProcess) -> None:
        tree = running.tree()
        running.process.terminate()
        try:
            code = await asyncio.wait_for(running.process.wait(), STOP_S)
        except TimeoutError:
            self.complaints.append(f"an orderly stop took more than {STOP_S:g} s; stacks are in its log")
            os.kill(running.process.pid, signal.SIGABRT)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(running.process.wait(), 5)
            kill(tree)
            await running.process.wait()
            return
        if code != 0:
            self.complaints.append(f"an orderly stop ended with code {code}")
        try:
            await gone(tree)
        except TimeoutError:
            self.complaints.append("an orderly stop left processes behind")
            kill(tree)

    async def _note_an_end(self, running: PonteProcess) -> None:
        code = await running.process.wait()
        self.complaints.append(f"it ended by itself with code {code}")

    async def _stop_watching(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
            self._watch = None
