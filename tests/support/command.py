"""`ponte ...` as an operator runs it: a process of its own."""

import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

LONGEST_S = 60.0


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    exit_code: int
    output: str
    """Standard output."""
    errors: str
    """Standard error."""


async def start_command(
    *arguments: str, data_dir: Path, extra: Mapping[str, str] = {}, given: int = asyncio.subprocess.DEVNULL
) -> asyncio.subprocess.Process:
    """Start a command with these settings and no others."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PONTE_")}
    return await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("ponte")),
        *arguments,
        cwd=data_dir.parent,
        env={**inherited, "PONTE_DATA_DIR": str(data_dir), **extra},
        stdin=given,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def run_command(*arguments: str, data_dir: Path, extra: Mapping[str, str] = {}) -> Ended:
    """Run a command to its end."""
    process = await start_command(*arguments, data_dir=data_dir, extra=extra)
    async with asyncio.timeout(LONGEST_S):
        output, errors = await process.communicate()
    return Ended(process.returncode or 0, output.decode(), errors.decode())
