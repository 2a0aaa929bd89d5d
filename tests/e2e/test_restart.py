"""A Ponte started right after another was killed, and one that is asked to stop before it is ready."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.ponte import PonteProcess, descendants, environment, start_ponte

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


async def test_a_new_one_waits_for_the_children_of_a_killed_one(
    data_dir: Path, simulator_environment: Mapping[str, str]
) -> None:
    killed = await start_ponte(data_dir, simulator_environment)
    os.kill(killed.process.pid, signal.SIGKILL)
    # At once: the killed one's Valkey still writes its file and removes its socket.
    again: PonteProcess = await start_ponte(data_dir, simulator_environment)
    await killed.process.wait()
    try:
        sockets = [path.name for path in data_dir.rglob("*") if path.is_socket()]
        assert sorted(sockets) == ["bridge.sock", "valkey.sock"]
    finally:
        assert await again.terminate() == 0


@pytest.mark.parametrize("after_s", [1.0, 1.5, 2.0])
async def test_a_stop_during_the_start_leaves_nothing(data_dir: Path, after_s: float) -> None:
    before = descendants(os.getpid())
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("ponte")),
        "up",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env=environment(data_dir, {}),
    )
    await asyncio.sleep(after_s)  # not for luck: the stop has to be orderly wherever in the start it comes
    process.terminate()
    code = await asyncio.wait_for(process.wait(), 15)
    assert code in (0, -signal.SIGTERM), "stopped in order, or before Ponte's own code ran"
    assert descendants(os.getpid()) == before
    assert [path for path in data_dir.rglob("*") if path.is_socket()] == []


async def test_the_simulator_command_prints_how_to_use_it_and_stops_when_asked() -> None:
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("ponte")), "simulator", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    lines: list[str] = []
    async with asyncio.timeout(60):
        while not any("ponte up" in line for line in lines):
            lines.append((await process.stdout.readline()).decode())
    text = "".join(lines)
    assert "Virtual phones: http://127.0.0.1:" in text
    assert 'export PONTE_WHATSAPP_URL="ws://127.0.0.1:' in text
    assert 'export NODE_OPTIONS="--import file:///' in text
    process.terminate()
    assert await asyncio.wait_for(process.wait(), 15) == 0
