"""All of Ponte put together in this process, with its real children."""

import asyncio
import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import aiohttp
import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from loguru import logger
from prometheus_client import CollectorRegistry

from orchestrator.cli import composition
from orchestrator.cli.client import CallFailedError, PonteClient
from orchestrator.cli.composition import Grace, Running
from orchestrator.config import Address, Settings, load_settings
from orchestrator.startup import StartupError
from tests.support.ponte import descendants


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder with a short path: sockets live in it."""
    made = Path(tempfile.mkdtemp(prefix="ponte-"))
    yield made
    shutil.rmtree(made)


def settings(folder: Path, **values: object) -> Settings:
    defaults: dict[str, object] = {
        "data_dir": folder,
        "http_addr": Address("127.0.0.1", 0),
        "grpc_addr": Address("127.0.0.1", 0),
        "shutdown_grace_s": 1,
        # Nobody listens there: a session that should not connect does not reach anything real.
        "whatsapp_url": "ws://127.0.0.1:1/ws/chat",
        "sending_limits": "lifted",
    }
    return load_settings(_env_file=None, **{**defaults, **values})


def running(settings: Settings) -> AbstractAsyncContextManager[Running]:
    """Run with metrics of its own: a process registers each name once."""
    return composition.running(settings, registry=CollectorRegistry())


def children() -> list[str]:
    """Ponte's own children; a PostgreSQL of the tests comes and goes with processes of its own."""
    commands = [Path(f"/proc/{pid}/cmdline").read_bytes().decode() for pid in descendants(os.getpid())]
    kinds = {"dist/main.js": "bridge", "run/valkey": "valkey"}
    return sorted(kind for command in commands for part, kind in kinds.items() if part in command)


def sockets_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_socket()]


async def test_it_serves_both_doors_and_leaves_nothing_behind(folder: Path) -> None:
    before = children()
    async with running(settings(folder, metrics_addr=Address("127.0.0.1", 0))) as ponte:
        assert children() == sorted([*before, "bridge", "valkey"])
        async with aiohttp.ClientSession() as http, http.get(f"{ponte.http_url}/readyz") as answer:
            assert answer.status == 200
            assert set((await answer.json())["checks"]) == {"database", "redis", "bridge"}
        async with grpc.aio.insecure_channel(ponte.grpc_address) as channel:
            health = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
            assert health.status == health_pb2.HealthCheckResponse.SERVING
        async with PonteClient.connect(ponte.http_url, ponte.admin_key) as client:
            company = await client.post("/v1/companies", {"name": "Ana"})
            key = await client.post(f"/v1/companies/{company['id']}/keys", {"name": "first"})
            with pytest.raises(CallFailedError, match="NOT_FOUND"):
                await client.with_key(key["key"]).post(
                    "/v1/messages", {"to": "+5511987654321", "text": {"body": "x"}}
                )
    assert children() == before
    assert sockets_below(folder) == []


async def test_a_company_is_still_there_after_a_restart(folder: Path) -> None:
    for expected in (0, 1):
        async with (
            running(settings(folder)) as ponte,
            PonteClient.connect(ponte.http_url, ponte.admin_key) as client,
        ):
            assert len((await client.get("/v1/companies")).get("companies", [])) == expected
            await client.post("/v1/companies", {"name": "Ana"})


async def test_a_bridge_that_dies_comes_back(folder: Path) -> None:
    async with running(settings(folder)) as ponte, aiohttp.ClientSession() as http:
        bridge = next(
            pid
            for pid in descendants(os.getpid())
            if b"--listen" in Path(f"/proc/{pid}/cmdline").read_bytes()
        )
        os.kill(bridge, signal.SIGKILL)
        async with asyncio.timeout(30):
            while (
                bridge in descendants(os.getpid())
                or (await http.get(f"{ponte.http_url}/readyz")).status != 200
            ):
                await asyncio.sleep(0.05)


async def test_a_start_that_fails_late_stops_what_was_started(folder: Path) -> None:
    before = children()
    with pytest.raises(StartupError, match=r"PONTE_NODE=/no/node does not run"):
        async with running(settings(folder, node="/no/node")):
            pass
    assert children() == before
    assert sockets_below(folder) == []
    async with running(settings(folder)):
        pass


@pytest.mark.parametrize("setting", ["http_addr", "grpc_addr", "metrics_addr"])
async def test_a_taken_port_is_refused_before_anything_is_made(folder: Path, setting: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = Address("127.0.0.1", taken.getsockname()[1])
        with pytest.raises(StartupError, match=f"is taken: .*PONTE_{setting.upper()}"):
            async with running(settings(folder, **{setting: address})):
                pass
    assert list(folder.iterdir()) == []


async def test_a_bridge_elsewhere_must_answer(folder: Path) -> None:
    with pytest.raises(StartupError, match=r"The bridge at 127.0.0.1:1 does not answer"):
        async with running(settings(folder, bridge_addr="127.0.0.1:1")):
            pass


async def test_the_grace_is_shared_and_no_part_keeps_the_others_from_stopping() -> None:
    said: list[str] = []
    sink = logger.add(lambda message: said.append(message.record["message"]))
    grace = Grace(0.3)
    assert grace.left_s == pytest.approx(0.3)
    grace.begin()

    async def fails(left_s: float) -> None:
        raise ValueError("cannot")

    async def hangs(left_s: float) -> None:
        await asyncio.sleep(60)

    await grace.bounded("one", fails)
    await grace.bounded("two", hangs)
    assert grace.left_s == 0.5, "everything gets a moment"
    logger.remove(sink)
    assert said == ["one did not stop in good order", "two did not stop in time"]


async def test_against_whatsapp_itself_it_does_not_start_with_limits_lifted(folder: Path) -> None:
    before = children()
    with pytest.raises(StartupError, match="PONTE_SENDING_LIMITS=lifted is for simulators"):
        async with running(settings(folder, whatsapp_url="wss://web.whatsapp.com/ws/chat")):
            pytest.fail("it started")
    assert children() == before
