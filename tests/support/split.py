"""`ponte api`, `ponte worker` and `ponte gateway` as processes, on one database, one Redis and one simulator."""

import asyncio
import base64
import json
import os
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.ponte import descendants, environment, gone, kill

START_TIMEOUT_S = 60.0


@dataclass
class SplitProcess:
    """One running process; `ready` is its ready line."""

    role: str
    process: asyncio.subprocess.Process
    ready: Mapping[str, Any]
    log_path: Path

    @property
    def name(self) -> str:
        """A gateway's name in leases."""
        return str(self.ready["name"])

    def tree(self) -> list[int]:
        """The process and everything below it."""
        return [self.process.pid, *descendants(self.process.pid)]

    def signal(self, number: signal.Signals, *, children: bool = False) -> None:
        """Send a signal to the process, and to its children too."""
        for pid in self.tree() if children else [self.process.pid]:
            os.kill(pid, number)

    async def kill(self) -> None:
        """SIGKILL to everything at once."""
        pids = self.tree()
        kill(pids)
        await self.process.wait()
        await gone(pids)

    async def terminate(self) -> int:
        """SIGTERM, and the exit code."""
        if self.process.returncode is None:
            self.process.terminate()
        return await asyncio.wait_for(self.process.wait(), 30)


async def start_role(role: str, data_dir: Path, settings: Mapping[str, str]) -> SplitProcess:
    """Start `ponte <role>` and wait until it serves; its log is beside its data folder.

    Raises:
        AssertionError: it ended or did not serve in time; with the end of its log.
    """
    log_path = data_dir.parent / f"{data_dir.name}.log"
    with log_path.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            str(Path(sys.executable).with_name("ponte")),
            role,
            "--ready-json",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            env=environment(data_dir, {"PONTE_GATEWAY_ADDR": "127.0.0.1:0", **settings}),
            start_new_session=True,
        )
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), START_TIMEOUT_S)
    except TimeoutError:
        line = b""
    if not line:
        if process.returncode is None:
            process.kill()
        await process.wait()
        raise AssertionError(f"ponte {role} did not get ready:\n{log_path.read_text()[-4000:]}")
    return SplitProcess(role, process, json.loads(line), log_path)


@dataclass
class Split:
    """Starts processes that share the given settings; all are ended with the block."""

    folder: Path
    shared: Mapping[str, str]
    processes: list[SplitProcess] = field(default_factory=list)

    async def start(self, role: str, extra: Mapping[str, str] | None = None) -> SplitProcess:
        """Start `ponte <role>` in a data folder of its own and wait until it serves.

        Raises:
            AssertionError: it ended or did not serve in time; with the end of its log.
        """
        settings = {**self.shared, **(extra or {})}
        started = await start_role(role, self.folder / f"{role}-{len(self.processes)}", settings)
        self.processes.append(started)
        return started

    async def end(self) -> None:
        """End all that still run; what does not end in good order is killed, and fails the test."""
        late = []
        for running in self.processes:
            if running.process.returncode is not None:
                continue
            pids = running.tree()
            running.signal(signal.SIGCONT, children=True)
            try:
                await running.terminate()
            except TimeoutError:
                late.append(running.role)
                kill(pids)
                await running.process.wait()
        assert not late, f"did not end: {late}"


def shared_settings(database_url: str, redis_url: str) -> dict[str, str]:
    """What the processes have in common, with fresh keys."""
    return {
        "PONTE_DATABASE_URL": database_url,
        "PONTE_REDIS_URL": redis_url,
        "PONTE_ENCRYPTION_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
        "PONTE_GATEWAY_SECRET": secrets.token_urlsafe(24),
    }


@asynccontextmanager
async def running_split(folder: Path, shared: Mapping[str, str]) -> AsyncIterator[Split]:
    """Processes for the length of a block."""
    split = Split(folder, shared)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(split.end)
        yield split
