"""The gRPC client against a bridge in this process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from grpc import aio

from orchestrator._generated.ponte.bridge.v1 import bridge_pb2 as pb
from orchestrator._generated.ponte.bridge.v1.bridge_pb2_grpc import (
    BridgeServicer,
    add_BridgeServicer_to_server,
)
from orchestrator.bridge.client import BridgeClient
from orchestrator.bridge.messages import Opened, Opening
from orchestrator.domain.closing import Closed
from orchestrator.domain.retry import Outcome

OPENING = Opening("session", "company", 3, "{}", "ws://whatsapp", "Ponte", 1000, 2000)

Context = aio.ServicerContext[object, object]


class _Bridge(BridgeServicer):
    """Connects at once, acknowledges every message, closes when the stream ends."""

    def __init__(self) -> None:
        self.opened: list[pb.OpenSession] = []
        self.holds: list[tuple[str, int]] = []

    async def Session(
        self, request_iterator: AsyncIterator[pb.SessionCommand], context: Context
    ) -> AsyncIterator[pb.SessionEvent]:
        async for command in request_iterator:
            if command.HasField("open"):
                self.opened.append(command.open)
                yield pb.SessionEvent(connected=pb.Connected(push_name="Acme"))
            else:
                request_id = command.send_message.request_id
                yield pb.SessionEvent(
                    send_result=pb.SendResult(request_id=request_id, outcome=pb.SEND_OUTCOME_ACKNOWLEDGED)
                )
        yield pb.SessionEvent(closed=pb.Closed(reason="ended", intentional=True))

    async def Status(self, request: pb.StatusRequest, context: Context) -> pb.StatusResponse:
        return pb.StatusResponse(baileys_version="7", node_version="20", session_ids=["session"])

    async def Hold(self, request: pb.HoldRequest, context: Context) -> pb.HoldResponse:
        self.holds.append((request.holder, request.valid_for_ms))
        return pb.HoldResponse()


@pytest.fixture
def address(tmp_path: Path) -> str:
    return f"unix:{tmp_path}/bridge.sock"


@pytest.fixture
async def bridge(address: str) -> AsyncIterator[_Bridge]:
    servicer = _Bridge()
    server = aio.server()
    add_BridgeServicer_to_server(servicer, server)
    server.add_insecure_port(address)
    await server.start()
    yield servicer
    await server.stop(0)


@pytest.fixture
async def client(address: str) -> AsyncIterator[BridgeClient]:
    client = BridgeClient(address)
    yield client
    await client.close()


async def test_a_stream_is_opened_used_and_ended(bridge: _Bridge, client: BridgeClient) -> None:
    stream = client.open(OPENING)
    assert isinstance(await stream.read(), Opened)
    reading = asyncio.create_task(stream.read())
    result = await stream.send("3EB0", "1@s.whatsapp.net", "hello", 5)
    assert result.report.outcome is Outcome.ACKNOWLEDGED
    await stream.end()
    assert await reading == Closed(0, "ended", intentional=True)
    await stream.drop()
    opened = bridge.opened[0]
    assert (opened.session_id, opened.company_id, opened.fence) == ("session", "company", 3)
    assert (opened.credentials_json, opened.ack_timeout_ms) == ("{}", 2000)


async def test_a_bridge_that_is_not_there_closes_the_stream(client: BridgeClient) -> None:
    stream = client.open(OPENING)
    closed = await stream.read()
    assert isinstance(closed, Closed)
    assert (closed.code, closed.reason, closed.intentional) == (0, "bridge_lost", False)
    await stream.drop()


async def test_dropping_a_stream_ends_its_reader(bridge: _Bridge, client: BridgeClient) -> None:
    stream = client.open(OPENING)
    await stream.read()
    reading = asyncio.create_task(stream.read())
    await asyncio.sleep(0)
    await stream.drop()
    assert isinstance(await reading, Closed)


async def test_the_status_tells_what_is_held(bridge: _Bridge, client: BridgeClient) -> None:
    status = await client.status(5)
    assert (status.baileys_version, status.session_ids) == ("7", ("session",))


async def test_the_bridge_is_told_for_how_long_a_holder_holds(bridge: _Bridge, client: BridgeClient) -> None:
    await client.hold("gateway-1", 1.5, 5)
    assert bridge.holds == [("gateway-1", 1500)]


async def test_a_bridge_that_is_slow_to_take_the_connection_is_waited_for(
    bridge: _Bridge, address: str, tmp_path: Path
) -> None:
    async with slow_way_to(address, tmp_path / "slow.sock", delay_s=0.4) as slow_address:
        client = BridgeClient(slow_address)
        try:
            assert (await client.status(timeout_s=5.0)).session_ids == ("session",)
        finally:
            await client.close()


@asynccontextmanager
async def slow_way_to(address: str, path: Path, delay_s: float) -> AsyncIterator[str]:
    """Another address of a server; what comes first is passed on late, as by a machine that is busy."""
    pumps: list[asyncio.Task[None]] = []
    writers: list[asyncio.StreamWriter] = []

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(delay_s)
        to_server, from_server = await asyncio.open_unix_connection(address.removeprefix("unix:"))
        writers.extend((writer, from_server))
        pumps.append(asyncio.create_task(pump(reader, from_server)))
        pumps.append(asyncio.create_task(pump(to_server, writer)))

    server = await asyncio.start_unix_server(accept, path)
    try:
        yield f"unix:{path}"
    finally:
        server.close()
        for task in pumps:
            task.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        for writer in writers:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)
