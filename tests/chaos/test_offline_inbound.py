"""What customers write while Ponte is down is there after the start: all, once, in order, and marked as offline."""

import asyncio
import os
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.chaos.deployments import EMBEDDED, SERVERS, deployed
from tests.support.company import LinkedCompany, link_company, wait_for_state
from tests.support.ponte import ADMIN_KEY, RestClient
from tests.support.servers import ServerUnavailable, give_up
from tests.support.simulator import SimulatorClient, eventually, running_simulator

pytestmark = [pytest.mark.chaos, pytest.mark.slow, pytest.mark.timeout(300)]

DOWN_S = float(os.environ.get("PONTE_TEST_DOWN_S", "10"))
"""How long Ponte is down."""

NUMBER = "+5531988880000"
CUSTOMERS = [f"+5531977770{number:03d}" for number in range(8)]
TEXTS_PER_CUSTOMER = 12


async def write_while_down(simulator: SimulatorClient) -> dict[str, list[str]]:
    """Let every customer write at an even pace until Ponte comes back; gives what each wrote."""
    written: dict[str, list[str]] = {customer: [] for customer in CUSTOMERS}
    for number in range(TEXTS_PER_CUSTOMER):
        for customer in CUSTOMERS:
            text = f"{customer[-3:]} while down {number:02d}"
            await simulator.send(customer, NUMBER, text)
            written[customer].append(text)
        await asyncio.sleep(DOWN_S / TEXTS_PER_CUSTOMER)
    return written


async def received(client: RestClient, count: int) -> list[dict[str, Any]]:
    """The `message.received` events once there are so many."""

    async def look() -> list[dict[str, Any]] | None:
        page = await client.get("/v1/events?after=0&page_size=500&types=message.received")
        events: list[dict[str, Any]] = page["events"]
        return events if len(events) >= count else None

    events: list[dict[str, Any]] = await eventually(look, timeout_s=60, every_s=0.1)
    return events


def texts_of(events: list[dict[str, Any]], customer: str) -> list[str]:
    return [
        event["data"]["text"]["body"]
        for event in events
        if event["data"]["contact"]["phone_number"] == customer
    ]


async def introduce(simulator: SimulatorClient, admin: RestClient) -> LinkedCompany:
    """Link the number; half of the customers are known to it before Ponte goes down."""
    for customer in CUSTOMERS:
        await simulator.create_phone(customer)
    company = await link_company(admin, simulator, "offline", NUMBER)
    for customer in CUSTOMERS[::2]:
        await simulator.send(customer, NUMBER, "known")
    events = await received(company.client, len(CUSTOMERS[::2]))
    assert not any(event["data"].get("offline") for event in events)
    return company


@pytest.mark.parametrize(("deployment", "ending"), [(EMBEDDED, "kill"), (SERVERS, "stop")])
async def test_what_was_written_while_ponte_was_down_is_all_there_once_and_in_order(
    deployment: str, ending: str, short_folder: Path
) -> None:
    try:
        await _go_through(deployment, ending, short_folder)
    except ServerUnavailable as error:
        give_up("PostgreSQL or Redis", error)


async def _go_through(deployment: str, ending: str, folder: Path) -> None:
    async with (
        running_simulator(folder) as simulator,
        deployed(deployment, folder, simulator) as house,
        aiohttp.ClientSession() as http,
    ):
        await house.ponte.start()
        company = await introduce(simulator, RestClient(http, house.ponte.http_url, ADMIN_KEY))
        known = len(CUSTOMERS[::2])
        await (house.ponte.stop() if ending == "stop" else house.ponte.kill())
        written = await write_while_down(simulator)
        await house.ponte.start()

        client = RestClient(http, house.ponte.http_url, company.key)
        total = known + len(CUSTOMERS) * TEXTS_PER_CUSTOMER
        await received(client, total)
        await wait_for_state(client, company.session_id, "CONNECTED")
        await simulator.send(CUSTOMERS[0], NUMBER, "back")
        events = await received(client, total + 1)

        assert len(events) == total + 1
        missed = events[known:-1]
        assert all(event["data"]["offline"] is True for event in missed)
        for customer, texts in written.items():
            assert texts_of(missed, customer) == texts
        assert events[-1]["data"]["text"]["body"] == "back"
        assert not events[-1]["data"].get("offline")
        await house.ponte.stop()
        assert house.ponte.complaints == []
