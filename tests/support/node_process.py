"""Starts a Node program that prints one JSON line when it is ready, and ends it."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
START_S = 60.0
STOP_S = 10.0


@dataclass(frozen=True)
class NodeProcess:
    """A running program: what it said when it was ready, and where its log goes."""

    process: asyncio.subprocess.Process
    ready: Mapping[str, Any]
    log_path: Path

    async def kill(self) -> None:
        """End it without warning."""
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()


@asynccontextmanager
async def run_node(
    arguments: Sequence[str], folder: Path, log_path: Path, environment: Mapping[str, str]
) -> AsyncIterator[NodeProcess]:
    """Run `node` with these arguments in a folder until the block ends; standard error goes to `log_path`."""
    with log_path.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            "node",
            *arguments,
            cwd=folder,
            env={**os.environ, **environment},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
    try:
        yield NodeProcess(process, await _read_ready(process, log_path), log_path)
    finally:
        await _stop(process)


async def _read_ready(process: asyncio.subprocess.Process, log_path: Path) -> Mapping[str, Any]:
    assert process.stdout is not None
    async with asyncio.timeout(START_S):
        line = await process.stdout.readline()
    if not line:
        raise RuntimeError(f"it did not start: {log_path.read_text()[-2000:]}")
    ready: Mapping[str, Any] = json.loads(line)
    return ready


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    try:
        async with asyncio.timeout(STOP_S):
            await process.communicate()
    except TimeoutError:
        process.kill()
        await process.communicate()
