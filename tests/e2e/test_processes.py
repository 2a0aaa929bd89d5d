"""What is left of Ponte when it ends: nothing. And what it says when it cannot start: one sentence."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.ponte import PonteProcess, descendants, environment, is_alive, start_ponte

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

GONE_WITHIN_S = 5.0


def sockets_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_socket()]


def listens(url: str) -> bool:
    host, _, port = url.rpartition("//")[2].partition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


async def assert_nothing_left(ponte: PonteProcess, pids: list[int]) -> None:
    deadline = time.monotonic() + GONE_WITHIN_S
    while time.monotonic() < deadline:
        alive = [pid for pid in pids if is_alive(pid)]
        left = sockets_below(ponte.data_dir)
        if not alive and not left and not listens(ponte.http_url) and not listens("//" + ponte.grpc_address):
            return
        await asyncio.sleep(0.05)
    commands = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids if is_alive(pid)]
    raise AssertionError(f"left after {GONE_WITHIN_S} s: {commands} {sockets_below(ponte.data_dir)}")


async def test_sigterm_leaves_no_process_socket_or_port(
    data_dir: Path, simulator_environment: Mapping[str, str]
) -> None:
    ponte = await start_ponte(data_dir, simulator_environment)
    pids = ponte.tree()
    assert len(pids) >= 3, "Ponte, its bridge and its Valkey"
    exit_code = await ponte.terminate()
    assert exit_code == 0
    await assert_nothing_left(ponte, pids)


async def test_sigkill_of_the_parent_leaves_no_process_socket_or_port(
    data_dir: Path, simulator_environment: Mapping[str, str]
) -> None:
    ponte = await start_ponte(data_dir, simulator_environment)
    pids = ponte.tree()
    os.kill(ponte.process.pid, signal.SIGKILL)
    await ponte.process.wait()
    await assert_nothing_left(ponte, pids)


async def fails_to_start(data_dir: Path, extra: Mapping[str, str]) -> str:
    """Start Ponte where it cannot: what it printed. It must end by itself, with an exit code, and leave nothing."""
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("ponte")),
        "up",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=environment(data_dir, extra),
    )
    output, _ = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode not in (0, None)
    assert not descendants(process.pid)
    return output.decode()


async def test_a_taken_port_is_said_in_one_sentence(data_dir: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        output = await fails_to_start(data_dir, {"PONTE_HTTP_ADDR": f"127.0.0.1:{port}"})
    assert str(port) in output
    assert "Traceback" not in output


async def test_a_data_folder_in_use_is_said_in_one_sentence(
    data_dir: Path, simulator_environment: Mapping[str, str]
) -> None:
    ponte = await start_ponte(data_dir, simulator_environment)
    try:
        output = await fails_to_start(data_dir, {})
    finally:
        await ponte.terminate()
    assert "in use" in output
    assert "Traceback" not in output


async def test_a_wrong_encryption_key_is_said_in_one_sentence(
    data_dir: Path, simulator_environment: Mapping[str, str]
) -> None:
    ponte = await start_ponte(data_dir, simulator_environment)
    await ponte.terminate()
    other_key = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="
    output = await fails_to_start(data_dir, {"PONTE_ENCRYPTION_KEY": other_key})
    assert "PONTE_ENCRYPTION_KEY" in output
    assert "Traceback" not in output


async def test_a_missing_node_is_said_in_one_sentence(data_dir: Path) -> None:
    output = await fails_to_start(data_dir, {"PONTE_NODE": str(data_dir / "no-node-here")})
    assert "Node" in output
    assert "Traceback" not in output
