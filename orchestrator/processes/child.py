"""One mechanism for all child processes: start, wait until ready, log what they print, restart, stop.

A child ends when its parent ends, however that ends (see launcher.py), and does not see the terminal's Ctrl-C: the
parent stops its children in order.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from abc import ABC, abstractmethod
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TypedDict, Unpack

from loguru import logger

from orchestrator.processes.output import bounded_lines, forward
from orchestrator.startup import StartupError

_LAUNCHER = Path(__file__).with_name("launcher.py")


@dataclass(frozen=True, slots=True)
class Command:
    """What to run. `environment` is added to this process's own."""

    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds: how long a child may take to be ready, to stop; and how restarts are spaced."""

    ready_s: float = 30.0
    stop_s: float = 3.0
    first_restart_s: float = 0.2
    longest_restart_s: float = 30.0
    stable_after_s: float = 60.0


class ChildOptions(TypedDict, total=False):
    """What all kinds of children take: `held_files` are descriptors that the child keeps open as well."""

    timing: Timing
    rng: Random
    held_files: Sequence[int]


def restart_delay(failures: int, timing: Timing, rng: Random) -> float:
    """Return the seconds to wait before restart number `failures` (1 for the first): doubling, with jitter."""
    longest = min(timing.longest_restart_s, timing.first_restart_s * 2.0 ** min(failures - 1, 30))
    return longest * rng.uniform(0.5, 1.0)


class ChildProcess(ABC):
    """A supervised child. Subclasses say what to run and when it is ready."""

    name: str
    restarts = True
    log_level = "INFO"
    """Level of lines that do not name their own."""

    def __init__(self, **options: Unpack[ChildOptions]) -> None:
        self._timing = options.get("timing") or Timing()
        self._rng = options.get("rng") or Random()  # noqa: S311 - spaces restarts, keeps no secret
        self._held_files = tuple(options.get("held_files", ()))
        self._process: Process | None = None
        self._supervisor: asyncio.Task[None] | None = None
        self._pumps: list[asyncio.Task[None]] = []
        self._last_lines: deque[str] = deque(maxlen=5)
        self._restarting: Process | None = None

    @property
    def process_id(self) -> int | None:
        """The running child's process id, None while there is none."""
        process = self._process
        return process.pid if process and process.returncode is None else None

    @abstractmethod
    def command(self) -> Command:
        """Return what to run; called before each start."""

    @abstractmethod
    async def wait_ready(self) -> None:
        """Return once the child serves. Cancelled when it ends first or takes too long."""

    def read_line(self, line: str) -> bool:
        """See a line of the child's standard output; return whether it was meant for Ponte and is not logged."""
        return False

    def clean_up(self) -> None:  # noqa: B027 - most children leave nothing behind
        """Remove what the last run may have left; called before each start and after a stop."""

    async def start(self) -> None:
        """Start the child and wait until it is ready. Raises StartupError, with nothing left running, when it fails."""
        await self._launch()
        self._supervisor = asyncio.create_task(self._supervise(), name=f"supervise {self.name}")

    async def stop(self) -> None:
        """Ask the child to end, then end it. Does nothing when it does not run."""
        if self._supervisor:
            self._supervisor.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._supervisor
            self._supervisor = None
        await self._end()

    async def restart(self) -> None:
        """End the child in good order; it is started again at once. Does nothing while there is none."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        self._restarting = process
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), self._timing.stop_s)
        except TimeoutError:
            logger.warning("{} did not stop in {:.0f} s and is killed", self.name, self._timing.stop_s)
            with contextlib.suppress(ProcessLookupError):
                process.kill()

    async def exited(self) -> None:
        """Return once the child has ended for good: it is not restarted, or was stopped."""
        if self._supervisor:
            await asyncio.shield(self._supervisor)

    async def _supervise(self) -> None:
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            started_at = loop.time()
            code = await self._process.wait() if self._process else None
            if not self.restarts:
                logger.info("{} has ended with code {}", self.name, code)
                return
            was_asked = self._process is not None and self._process is self._restarting
            self._restarting = None
            if was_asked or loop.time() - started_at > self._timing.stable_after_s:
                failures = 0
            if was_asked:
                delay = 0.0
                logger.info("{} has ended as asked, starting it again", self.name)
            else:
                failures += 1
                delay = restart_delay(failures, self._timing, self._rng)
                logger.error(
                    "{} has ended with code {}, starting it again in {:.1f} s", self.name, code, delay
                )
            await self._end()
            await asyncio.sleep(delay)
            with contextlib.suppress(StartupError):
                await self._launch()

    async def _launch(self) -> None:
        self.clean_up()
        self._last_lines.clear()
        command = self.command()
        environment = {**os.environ, **command.environment}
        launcher = [
            sys.executable,
            "-I",
            "-S",
            str(_LAUNCHER),
            str(int(signal.SIGTERM)),
            str(os.getpid()),
            "--",
        ]
        try:
            self._process = await asyncio.create_subprocess_exec(
                *launcher,
                *command.arguments,
                # Never written to: it ends when this process does, which tells children where there is no death signal.
                stdin=PIPE,
                stdout=PIPE,
                stderr=PIPE,
                cwd=command.folder,
                env=environment,
                start_new_session=True,
                pass_fds=self._held_files,
            )
        except OSError as error:
            raise StartupError(f"{self.name} could not be started: {error.strerror or error}.") from error
        self._pumps = [
            asyncio.create_task(self._pump(self._process.stdout, standard_output=True)),
            asyncio.create_task(self._pump(self._process.stderr, standard_output=False)),
        ]
        try:
            await self._until_ready(self._process)
        except BaseException:
            await self._end()
            raise

    async def _until_ready(self, process: Process) -> None:
        ready = asyncio.create_task(self.wait_ready())
        ended = asyncio.create_task(process.wait())
        try:
            await asyncio.wait(
                {ready, ended}, timeout=self._timing.ready_s, return_when=asyncio.FIRST_COMPLETED
            )
            if ready.done():
                ready.result()
                return
            if ended.done():
                await asyncio.wait(self._pumps, timeout=1)
                raise StartupError(
                    f"{self.name} ended with code {process.returncode} while starting{self._words()}"
                )
            raise StartupError(f"{self.name} was not ready in {self._timing.ready_s:.0f} s{self._words()}")
        finally:
            for task in (ready, ended):
                task.cancel()
            await asyncio.gather(ready, ended, return_exceptions=True)

    def _words(self) -> str:
        return f"; it said: {' / '.join(self._last_lines)}" if self._last_lines else "."

    async def _pump(self, reader: asyncio.StreamReader | None, *, standard_output: bool) -> None:
        if reader is None:
            return
        async for line in bounded_lines(reader):
            if standard_output and self.read_line(line):
                continue
            self._last_lines.append(line[:300])
            forward(self.name, line, default_level=self.log_level)

    async def _end(self) -> None:
        process = self._process
        self._process = None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            # Not wait_for, which may forget that the supervisor was cancelled (see orchestrator.ending).
            async with asyncio.timeout(self._timing.stop_s):
                await process.wait()
        except TimeoutError:
            logger.warning("{} did not stop in {:.0f} s and is killed", self.name, self._timing.stop_s)
        # The child leads a process group of its own: this also reaches what it has started itself.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        await asyncio.wait(self._pumps, timeout=1)
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)
        self.clean_up()
