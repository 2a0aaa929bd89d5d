"""Kill -9 of everything in the middle of work, and a wiped Redis: nothing is lost, nothing arrives twice."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from standardwebhooks import Webhook

from tests.support.company import LinkedCompany, link_company, wait_for_state
from tests.support.flush import flush_redis
from tests.support.ponte import ADMIN_KEY, PonteProcess, RestClient, running_ponte, start_ponte
from tests.support.simulator import SimulatorClient, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.chaos, pytest.mark.timeout(300)]

MESSAGES = 300
CUSTOMERS = [f"+5531977770{number:03d}" for number in range(6)]
NUMBER = "+5531988880000"


@dataclass
class WebhookReceiver:
    """An endpoint that verifies signatures and counts event ids."""

    url: str = ""
    secret: str = ""
    events: dict[str, dict[str, Any]] = field(default_factory=dict)

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        event = Webhook(self.secret).verify(body, dict(request.headers))
        self.events[request.headers["webhook-id"]] = event
        return web.Response(status=204)


@asynccontextmanager
async def webhook_receiver() -> AsyncIterator[WebhookReceiver]:
    receiver = WebhookReceiver()
    application = web.Application()
    application.router.add_post("/hook", receiver.take)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield receiver
    finally:
        await runner.cleanup()


@dataclass
class Restartable:
    """The Ponte that is up now: after a kill, clients go on with the next one."""

    ponte: PonteProcess
    http: aiohttp.ClientSession
    key: str = ""

    @property
    def client(self) -> RestClient:
        return RestClient(self.http, self.ponte.http_url, self.key)


async def post_until_accepted(system: Restartable, number: int) -> str:
    """Post with an idempotency key until there is an answer: what a careful caller does. Gives the message's id."""
    body = {"to": CUSTOMERS[number % len(CUSTOMERS)], "text": {"body": f"out {number:03d}"}}
    while True:
        try:
            status, answer = await system.client.call(
                "POST", "/v1/messages", body, {"idempotency-key": f"message-{number}"}
            )
        except (TimeoutError, aiohttp.ClientError, ConnectionError):
            await asyncio.sleep(0.1)
            continue
        if status == 202:
            return str(answer["id"])
        assert status >= 500 or status == 429, (status, answer)
        await asyncio.sleep(0.1)


async def post_all(system: Restartable) -> list[str]:
    async def to_customer(position: int) -> list[str]:
        return [
            await post_until_accepted(system, number) for number in range(position, MESSAGES, len(CUSTOMERS))
        ]

    ids = await asyncio.gather(*(to_customer(position) for position in range(len(CUSTOMERS))))
    return [message_id for some in ids for message_id in some]


async def send_in_all(simulator: SimulatorClient) -> None:
    for number in range(MESSAGES):
        await simulator.send(CUSTOMERS[number % len(CUSTOMERS)], NUMBER, f"in {number:03d}")
        await asyncio.sleep(0.005)


async def wait_for_arrivals(simulator: SimulatorClient, at_least: int) -> None:
    async def look() -> bool:
        counts = [len(await simulator.messages(customer)) for customer in CUSTOMERS]
        return sum(counts) >= at_least

    await eventually(look, timeout_s=60, every_s=0.02)


async def assert_everything_once(
    simulator: SimulatorClient, client: RestClient, message_ids: list[str], receiver: WebhookReceiver
) -> None:
    assert len(set(message_ids)) == MESSAGES
    await wait_until_all_arrived(simulator)
    for position, customer in enumerate(CUSTOMERS):
        expected = [f"out {number:03d}" for number in range(position, MESSAGES, len(CUSTOMERS))]
        seen = [
            m["text"] for m in await simulator.messages(customer) if not m["duplicate"] and not m["from_me"]
        ]
        assert seen == expected, f"recipient {customer}"

    async def all_recorded() -> list[dict[str, Any]] | None:
        events = [event for event in await whole_log(client) if event["type"] == "message.received"]
        return events if len(events) >= MESSAGES else None

    received = await eventually(all_recorded, timeout_s=90, every_s=0.1)
    texts = Counter(event["data"]["text"]["body"] for event in received)
    assert texts == Counter(f"in {number:03d}" for number in range(MESSAGES))

    async def all_delivered() -> bool:
        log = await whole_log(client)
        return {event["id"] for event in log if event["type"].startswith("message.")} <= set(receiver.events)

    await eventually(all_delivered, timeout_s=90, every_s=0.5)
    log = await whole_log(client)
    assert [int(event["sequence"]) for event in log] == list(range(1, len(log) + 1))


async def wait_until_all_arrived(simulator: SimulatorClient) -> None:
    async def look() -> bool:
        for position, customer in enumerate(CUSTOMERS):
            expected = len(range(position, MESSAGES, len(CUSTOMERS)))
            texts = {m["text"] for m in await simulator.messages(customer) if not m["from_me"]}
            if len(texts) < expected:
                return False
        return True

    await eventually(look, timeout_s=120, every_s=0.1)


async def whole_log(client: RestClient) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    while True:
        after = int(events[-1]["sequence"]) if events else 0
        page = await client.get(f"/v1/events?after={after}&page_size=500")
        if not page["events"]:
            return events
        events += page["events"]


async def prepare(
    system: Restartable, simulator: SimulatorClient, receiver: WebhookReceiver
) -> LinkedCompany:
    for customer in CUSTOMERS:
        await simulator.create_phone(customer)
    admin = RestClient(system.http, system.ponte.http_url, ADMIN_KEY)
    company = await link_company(admin, simulator, "kill", NUMBER)
    system.key = company.key
    webhook = await company.client.post("/v1/webhooks", {"url": receiver.url, "events": ["message.*"]})
    receiver.secret = webhook["secret"]
    return company


async def test_a_kill_of_the_whole_tree_in_the_middle_loses_nothing_and_doubles_nothing(
    data_dir: Path, deployment: Mapping[str, str], simulator: SimulatorClient
) -> None:
    async with aiohttp.ClientSession() as http, webhook_receiver() as receiver:
        system = Restartable(await start_ponte(data_dir, deployment), http)
        try:
            company = await prepare(system, simulator, receiver)
            work = asyncio.gather(post_all(system), send_in_all(simulator))
            await wait_for_arrivals(simulator, MESSAGES // 4)

            await system.ponte.kill_tree()
            system.ponte = await start_ponte(data_dir, deployment)

            message_ids, _ = await work
            await wait_for_state(system.client, company.session_id, "CONNECTED")
            await assert_everything_once(simulator, system.client, message_ids, receiver)
        finally:
            if system.ponte.process.returncode is None:
                await system.ponte.terminate()


async def test_a_wiped_redis_in_the_middle_loses_nothing_and_doubles_nothing(
    data_dir: Path, deployment: Mapping[str, str], simulator: SimulatorClient
) -> None:
    async with (
        aiohttp.ClientSession() as http,
        webhook_receiver() as receiver,
        running_ponte(data_dir, deployment) as ponte,
    ):
        system = Restartable(ponte, http)
        await prepare(system, simulator, receiver)
        work = asyncio.gather(post_all(system), send_in_all(simulator))
        for quarter in (1, 2, 3):
            await wait_for_arrivals(simulator, MESSAGES * quarter // 4)
            await flush_redis(data_dir, deployment)
        message_ids, _ = await work
        await assert_everything_once(simulator, system.client, message_ids, receiver)
