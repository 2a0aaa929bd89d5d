"""An endpoint as a customer runs it: checks signatures, remembers what came, answers as it is told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from standardwebhooks import Webhook

Answer = Callable[["Received"], Awaitable[web.StreamResponse]]


@dataclass
class Received:
    """One request. `event` is its body once the signature was found right."""

    event_id: str
    headers: Mapping[str, str]
    body: str
    event: dict[str, Any]
    request: web.Request
    peer: object
    """The sender's address and port: the same for requests over one connection."""


async def ok(received: Received) -> web.StreamResponse:
    """Take it."""
    return web.Response()


def status(code: int, **headers: str) -> Answer:
    """Answer with a status."""

    async def answer(received: Received) -> web.StreamResponse:
        return web.Response(
            status=code, headers={name.replace("_", "-"): text for name, text in headers.items()}
        )

    return answer


@dataclass
class Receiver:
    """Give it the secret of the webhook; `answer` may be replaced at any time."""

    url: str = ""
    secret: str = ""
    answer: Answer = ok
    received: list[Received] = field(default_factory=list)
    taken: list[Received] = field(default_factory=list)
    """Those answered with 2xx."""
    under_way: int = 0
    most_under_way: int = 0
    port: int = 0
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    async def never(self, received: Received) -> web.StreamResponse:
        """An answer that does not come while the receiver runs."""
        await self.closing.wait()
        return web.Response(status=500)

    def sequences(self) -> list[int]:
        """The sequence numbers that were taken, in the order they came."""
        return [int(received.event["sequence"]) for received in self.taken]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Check and record one request."""
        body = (await request.read()).decode()
        peer = request.transport and request.transport.get_extra_info("peername")
        received = Received(request.headers.get("webhook-id", ""), request.headers, body, {}, request, peer)
        if self.secret:
            received.event = _verified(self.secret, body, request.headers)
        self.received.append(received)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            response = await self.answer(received)
        finally:
            self.under_way -= 1
        if 200 <= response.status < 300:
            self.taken.append(received)
        return response

    async def until(self, condition: Callable[[], bool], timeout: float = 30.0) -> None:
        """Wait for a condition."""
        async with asyncio.timeout(timeout):
            while not condition():
                await asyncio.sleep(0.005)


def _verified(secret: str, body: str, headers: Mapping[str, str]) -> dict[str, Any]:
    """Verify with the library; tests move their clock, so the timestamp is signed anew instead of being compared."""
    verifier, names = Webhook(secret), ("webhook-id", "webhook-timestamp", "webhook-signature")
    event_id, timestamp, signature = (headers[name] for name in names)
    at = datetime.fromtimestamp(int(timestamp), UTC)
    assert verifier.sign(event_id, at, body) in signature.split(" "), "the signature is wrong"
    now = datetime.now(UTC)
    signed_now = {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": verifier.sign(event_id, now, body),
    }
    event: dict[str, Any] = verifier.verify(body, signed_now)
    assert event["id"] == event_id
    return event


@asynccontextmanager
async def running_receiver() -> AsyncIterator[Receiver]:
    """A receiver on a free port of the loopback interface."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.port = runner.addresses[0][1]
    receiver.url = f"http://127.0.0.1:{receiver.port}/hook"
    try:
        yield receiver
    finally:
        receiver.closing.set()
        await runner.cleanup()
