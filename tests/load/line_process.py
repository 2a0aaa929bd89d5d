"""A helper process that takes one JSON command a line and answers with one JSON line."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

MAX_LINE_BYTES = 64 * 1024 * 1024


class LineProcess:
    """Talks to the process; one command at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    async def ask(self, command: Mapping[str, Any], timeout_s: float = 300) -> dict[str, Any]:
        """Send a command and give its answer.

        Raises:
            RuntimeError: the process answered with an error, or ended.
        """
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        await self._process.stdin.drain()
        return await self.answer(timeout_s)

    async def answer(self, timeout_s: float) -> dict[str, Any]:
        """The next line that it prints."""
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), timeout_s)
        if not line:
            raise RuntimeError("the process ended")
        content: dict[str, Any] = json.loads(line)
        if "error" in content:
            raise RuntimeError(content["error"])
        return content


@asynccontextmanager
async def line_process(
    command: Sequence[str], cwd: Path, env: Mapping[str, str]
) -> AsyncIterator[LineProcess]:
    """Start the process, wait for its first line, and end it with the block."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        env=dict(env),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=MAX_LINE_BYTES,
    )
    lines = LineProcess(process)
    try:
        await lines.answer(30)
        yield lines
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
