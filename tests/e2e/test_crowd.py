"""Ten companies at once: every text arrives once and in order per chat, out and in."""

import asyncio
from collections import defaultdict
from typing import Any

import aiohttp
import pytest

from tests.support.company import LinkedCompany, link_company
from tests.support.ponte import ADMIN_KEY, PonteProcess, RestClient
from tests.support.simulator import SimulatorClient, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

COMPANIES = 10
TEXTS_EACH_WAY = 100
CUSTOMERS_PER_COMPANY = 5


def customers_of(index: int) -> list[str]:
    return [f"+55219{index:04d}{customer:04d}" for customer in range(CUSTOMERS_PER_COMPANY)]


async def send_out(company: LinkedCompany, index: int) -> None:
    """Posts to one chat follow each other; chats go at the same time."""

    async def to_customer(position: int, customer: str) -> None:
        for number in range(position, TEXTS_EACH_WAY, CUSTOMERS_PER_COMPANY):
            await company.client.post("/v1/messages", {"to": customer, "text": {"body": f"out {number:03d}"}})

    await asyncio.gather(*(to_customer(position, to) for position, to in enumerate(customers_of(index))))


async def send_in(simulator: SimulatorClient, company: LinkedCompany, index: int) -> None:
    async def from_customer(position: int, customer: str) -> None:
        for number in range(position, TEXTS_EACH_WAY, CUSTOMERS_PER_COMPANY):
            await simulator.send(customer, company.phone_number, f"in {number:03d}")

    await asyncio.gather(*(from_customer(position, who) for position, who in enumerate(customers_of(index))))


async def received_events(company: LinkedCompany) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    after = 0
    while True:
        page = await company.client.get(f"/v1/events?after={after}&page_size=500&types=message.received")
        if not page["events"]:
            return events
        events += page["events"]
        after = int(page["last_sequence"])


async def test_ten_companies_send_and_receive_at_once_every_text_once_and_in_order(
    ponte: PonteProcess, simulator: SimulatorClient
) -> None:
    async with aiohttp.ClientSession() as http:
        admin = RestClient(http, ponte.http_url, ADMIN_KEY)
        for index in range(COMPANIES):
            await asyncio.gather(*(simulator.create_phone(number) for number in customers_of(index)))
        companies = await asyncio.gather(
            *(
                link_company(admin, simulator, f"company {index}", f"+55118{index:08d}")
                for index in range(COMPANIES)
            )
        )

        await asyncio.gather(
            *(send_out(company, index) for index, company in enumerate(companies)),
            *(send_in(simulator, company, index) for index, company in enumerate(companies)),
        )

        for index, company in enumerate(companies):
            await assert_all_went_out(simulator, company, index)
            await assert_all_came_in(company)


async def assert_all_went_out(simulator: SimulatorClient, company: LinkedCompany, index: int) -> None:
    for position, customer in enumerate(customers_of(index)):
        expected = [f"out {number:03d}" for number in range(position, TEXTS_EACH_WAY, CUSTOMERS_PER_COMPANY)]

        async def arrived(customer: str = customer, expected: list[str] = expected) -> list[str] | None:
            messages = await simulator.messages(customer)
            texts = [message["text"] for message in messages if message["from"] == company.phone_number]
            return texts if len(texts) >= len(expected) else None

        texts = await eventually(arrived, timeout_s=120, every_s=0.1)
        assert texts == expected


async def assert_all_came_in(company: LinkedCompany) -> None:
    async def recorded() -> list[dict[str, Any]] | None:
        events = await received_events(company)
        return events if len(events) >= TEXTS_EACH_WAY else None

    events = await eventually(recorded, timeout_s=120, every_s=0.1)
    assert len(events) == TEXTS_EACH_WAY
    by_chat: dict[str, list[str]] = defaultdict(list)
    for event in events:
        by_chat[event["data"]["contact"]["phone_number"]].append(event["data"]["text"]["body"])
    assert len(by_chat) == CUSTOMERS_PER_COMPANY
    for texts in by_chat.values():
        assert texts == sorted(texts)

    log = await company.client.get("/v1/events?after=0&page_size=500")
    assert [int(event["sequence"]) for event in log["events"]] == list(range(1, len(log["events"]) + 1))
