"""The companies' webhook endpoint: checks signatures, writes down what came, and can be made to fail."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from standardwebhooks import Webhook

from tests.chaos.schedule import Way
from tests.chaos.victims import Victim

_SLOW_S = 0.5


class Receiver(Victim):
    """One endpoint for all companies, each at a path of its own. `delivered` has the accepted events by company."""

    def __init__(self, ways: Sequence[Way]) -> None:
        super().__init__(ways)
        self.url = ""
        self.delivered: dict[str, dict[str, dict[str, Any]]] = {}
        self.complaints: list[str] = []
        self._secrets: dict[str, str] = {}
        self._trouble = ""

    def expect(self, company_id: str, secret: str) -> None:
        """Take deliveries of a company from now on."""
        self._secrets[company_id] = secret
        self.delivered[company_id] = {}

    def url_of(self, company_id: str) -> str:
        """Where a company's webhook is to point."""
        return f"{self.url}/{company_id}"

    async def hurt(self, way: str, lasts_s: float, draw: float) -> None:
        """See Victim: `fail` (500), `lose answers` (taken, then 500), `slow`."""
        self._trouble = way
        await asyncio.sleep(lasts_s)
        self._trouble = ""

    async def take(self, request: web.Request) -> web.Response:
        """One delivery."""
        company_id = request.match_info["company_id"]
        body = await request.read()
        if self._trouble == "slow":
            await asyncio.sleep(_SLOW_S)
        if self._trouble == "fail" or company_id not in self._secrets:
            return web.Response(status=500)
        event = Webhook(self._secrets[company_id]).verify(body, dict(request.headers))
        event_id = request.headers["webhook-id"]
        earlier = self.delivered[company_id].setdefault(event_id, event)
        if earlier != event:
            self.complaints.append(f"event {event_id} was delivered with two contents")
        return web.Response(status=500 if self._trouble == "lose answers" else 204)


@asynccontextmanager
async def running_receiver(ways: Sequence[Way]) -> AsyncIterator[Receiver]:
    """A receiver on a free port for the length of a block."""
    receiver = Receiver(ways)
    application = web.Application()
    application.router.add_post("/{company_id}", receiver.take)
    runner = web.AppRunner(application, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield receiver
    finally:
        await runner.cleanup()
