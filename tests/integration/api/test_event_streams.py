"""Event streams over both doors: nothing missed, heartbeats, an end when the key goes or the server stops."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import grpc
import pytest

from orchestrator._generated.ponte.v1 import event_pb2, event_pb2_grpc
from orchestrator.api.services import ApiServices
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.events import EventType, NewEvent
from orchestrator.services.context import Context
from orchestrator.store import events as event_store
from tests.integration.api.harness import SETTINGS, RestClient, RunningApi, read_grpc_error, running_api
from tests.support.factories import CUSTOMER, Factories

WAIT_S = 10.0


@dataclass(frozen=True)
class Frame:
    """One server-sent event."""

    id: int
    name: str
    data: Any


class EventSource:
    """Reads server-sent events of one answer."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer
        self.heartbeats = 0

    async def next(self) -> Frame | None:
        """The next event; None when the stream ended."""
        async with asyncio.timeout(WAIT_S):
            while block := await self._block():
                if block == ": heartbeat":
                    self.heartbeats += 1
                    continue
                fields = dict(line.split(": ", 1) for line in block.split("\n"))
                return Frame(
                    int(fields.get("id", 0)), fields.get("event", "message"), json.loads(fields["data"])
                )
        return None

    async def take(self, count: int) -> list[Frame]:
        """The next events."""
        frames = [await self.next() for _ in range(count)]
        return [frame for frame in frames if frame is not None]

    async def wait_for_heartbeat(self) -> None:
        """Read until another heartbeat has come."""
        async with asyncio.timeout(WAIT_S):
            assert await self._block() == ": heartbeat"

    async def _block(self) -> str:
        lines: list[str] = []
        async for line in self._answer.content:
            text = line.decode().rstrip("\n")
            if not text:
                return "\n".join(lines)
            lines.append(text)
        return ""


@asynccontextmanager
async def event_source(client: RestClient, query: str = "", **headers: str) -> AsyncIterator[EventSource]:
    """Open /v1/events/stream."""
    url = f"{client.url}/v1/events/stream{query}"
    async with client.http.get(url, headers={**client.headers, **headers}) as answer:
        assert answer.status == 200, await answer.text()
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        yield EventSource(answer)


@dataclass(frozen=True)
class Linked:
    """A company that can send."""

    client: RestClient
    company_id: str

    async def send(self, *texts: str) -> None:
        """Queue texts, each one event."""
        for text in texts:
            answer = await self.client.ask("POST", "/v1/messages", {"to": CUSTOMER, "text": {"body": text}})
            assert answer.status == 202


async def link(api: RunningApi, make: Factories) -> Linked:
    """Make a company with a linked session."""
    company_id, client = await api.company()
    await make.linked_session(CompanyScope(company_id))
    return Linked(client, company_id)


async def test_stream_begins_after_a_sequence_and_goes_on_live(api: RunningApi, make: Factories) -> None:
    company = await link(api, make)
    await company.send("one", "two", "three")
    async with event_source(company.client, "?after=1") as source:
        kept = await source.take(2)
        await company.send("four")
        live = await source.take(1)
    assert [frame.id for frame in kept + live] == [2, 3, 4]
    assert [frame.data["sequence"] for frame in kept + live] == [2, 3, 4]
    assert live[0].data["type"] == "message.queued"
    assert live[0].data["company_id"] == company.company_id


async def test_stream_without_after_begins_with_what_happens_next(api: RunningApi, make: Factories) -> None:
    company = await link(api, make)
    await company.send("old")
    async with event_source(company.client) as source:
        await company.send("new")
        (frame,) = await source.take(1)
    assert frame.id == 2


async def test_reconnecting_client_goes_on_where_it_was(api: RunningApi, make: Factories) -> None:
    company = await link(api, make)
    await company.send("one", "two", "three")
    async with event_source(company.client, "?after=0", **{"Last-Event-ID": "2"}) as source:
        (frame,) = await source.take(1)
    assert frame.id == 3


async def test_bad_last_event_id_is_refused(api: RunningApi, make: Factories) -> None:
    company = await link(api, make)
    answer = await company.client.ask("GET", "/v1/events/stream", headers={"Last-Event-ID": "x"})
    assert (answer.status, answer.body["code"]) == (400, "INVALID_ARGUMENT")


async def test_stream_is_filtered_by_type(api: RunningApi, make: Factories) -> None:
    company = await link(api, make)
    hook = await company.client.ask("POST", "/v1/webhooks", {"url": "https://example.com/hook"})
    await company.send("one")
    await company.client.ask("POST", f"/v1/webhooks/{hook.body['webhook']['id']}:test", {})
    await company.send("two")
    async with event_source(company.client, "?after=0&types=webhook.*&types=session.closed") as source:
        (frame,) = await source.take(1)
    assert frame.data["type"] == "webhook.test"


async def test_idle_stream_has_heartbeats(services: ApiServices, make: Factories) -> None:
    async with running_api(services, replace(SETTINGS, heartbeat_s=0.05)) as api:
        company = await link(api, make)
        async with event_source(company.client) as source:
            for _ in range(3):
                await source.wait_for_heartbeat()
            await company.send("one")
            frame = await source.next()
    assert frame is not None
    assert frame.id == 1


async def test_stream_ends_when_the_key_is_revoked(services: ApiServices, make: Factories) -> None:
    async with running_api(services, replace(SETTINGS, heartbeat_s=0.05)) as api:
        company = await link(api, make)
        keys = await api.admin.ask("GET", f"/v1/companies/{company.company_id}/keys")
        async with event_source(company.client) as source:
            await source.wait_for_heartbeat()
            key_id = keys.body["keys"][0]["id"]
            await api.admin.ask("POST", f"/v1/companies/{company.company_id}/keys/{key_id}:revoke")
            goodbye = await source.next()
            assert goodbye is not None
            assert (goodbye.name, goodbye.data["code"]) == ("error", "CREDENTIAL_INVALID")
            assert await source.next() is None


async def test_too_many_streams_are_refused_with_a_status(
    services: ApiServices, api: RunningApi, make: Factories
) -> None:
    company = await link(api, make)
    limit = services.events._context.limits.subscribers_per_company
    async with open_streams(company.client, limit):
        answer = await company.client.ask("GET", "/v1/events/stream")
    assert (answer.status, answer.body["code"]) == (429, "SUBSCRIBER_LIMIT_REACHED")


@asynccontextmanager
async def open_streams(client: RestClient, count: int) -> AsyncIterator[None]:
    """Hold streams open over connections of their own."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        answers = await asyncio.gather(
            *(http.get(f"{client.url}/v1/events/stream", headers=client.headers) for _ in range(count))
        )
        assert {answer.status for answer in answers} == {200}
        yield
        for answer in answers:
            answer.close()


async def test_grpc_subscribe_gives_the_same_events(api: RunningApi, make: Factories) -> None:
    company = await link(api, make)
    await company.send("one", "two")
    stub = event_pb2_grpc.EventServiceStub(api.channel)
    stream = stub.Subscribe(event_pb2.SubscribeRequest(after=0), metadata=api.metadata(company.client.key))
    seen: list[Any] = [await stream.read(), await stream.read()]
    await company.send("three")
    seen.append(await stream.read())
    stream.cancel()
    assert [event.sequence for event in seen] == [1, 2, 3]
    listed = await company.client.ask("GET", "/v1/events")
    assert [event["id"] for event in listed.body["events"]] == [event.id for event in seen]
    assert listed.body["last_sequence"] == 3
    assert isinstance(listed.body["events"][0]["sequence"], int)


async def test_stop_ends_streams_and_lets_requests_finish(services: ApiServices, make: Factories) -> None:
    async with running_api(services) as api:
        company = await link(api, make)
        stub = event_pb2_grpc.EventServiceStub(api.channel)
        stream = stub.Subscribe(event_pb2.SubscribeRequest(), metadata=api.metadata(company.client.key))
        await stream.initial_metadata()
        body = {"to": CUSTOMER, "text": {"body": "wait"}, "wait": "SENT", "timeout_s": 1}
        waiting = asyncio.create_task(company.client.ask("POST", "/v1/messages", body))
        async with event_source(company.client, "?after=0") as source:
            assert await source.next() is not None
            first: Any = await stream.read()
            assert first.sequence == 1
            started = asyncio.get_running_loop().time()
            stopping = asyncio.create_task(api.api.stop(5.0))
            assert await source.next() is None
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stream.read()
        assert read_grpc_error(caught.value).reason == "SHUTTING_DOWN"
        answer = await waiting
        assert (answer.status, answer.body["code"]) == (504, "WAIT_TIMED_OUT")
        await stopping
        assert asyncio.get_running_loop().time() - started < 4.0


async def test_stop_cuts_off_what_takes_longer_than_the_grace(services: ApiServices, make: Factories) -> None:
    async with running_api(services) as api:
        company = await link(api, make)
        body = {"to": CUSTOMER, "text": {"body": "wait"}, "wait": "SENT", "timeout_s": 30}
        waiting = asyncio.create_task(company.client.ask("POST", "/v1/messages", body))
        async with event_source(company.client, "?after=0") as source:
            assert await source.next() is not None
        async with asyncio.timeout(5.0):
            await api.api.stop(0.2)
        with pytest.raises(aiohttp.ClientError):
            await waiting


@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_client_that_reads_nothing_is_cut_off(
    services: ApiServices, context: Context, make: Factories
) -> None:
    async with running_api(services, replace(SETTINGS, stream_write_timeout_s=0.3)) as api:
        company = await link(api, make)
        scope = CompanyScope(company.company_id)
        large = [NewEvent(EventType.MESSAGE_RECEIVED, "", {"text": "x" * 60_000}) for _ in range(300)]
        async with context.database.transaction(scope) as tx:
            await event_store.append(tx, scope, large, context.clock(), context.rng)
        host, port = api.addresses.http.split(":")
        with socket.socket() as silent:
            silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
            silent.connect((host, int(port)))
            lines = (
                "GET /v1/events/stream?after=0 HTTP/1.1",
                "Host: x",
                f"Authorization: Bearer {company.client.key}",
            )
            silent.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
            await open_streams_become(api, 1)
            await open_streams_become(api, 0)


async def open_streams_become(api: RunningApi, count: int) -> None:
    """Look at the metrics until so many streams over REST are open."""
    async with asyncio.timeout(WAIT_S):
        while f'ponte_open_streams{{door="rest"}} {count}.0' not in await metrics_text(api):
            await asyncio.sleep(0.02)


async def metrics_text(api: RunningApi) -> str:
    """What /metrics says."""
    return (await api.anonymous.ask("GET", "/metrics")).raw.decode()
