"""A campaign over several numbers, killed in the middle: each recipient gets it once, from the number it belongs to."""

import asyncio
from collections import Counter
from pathlib import Path

import aiohttp
import pytest

from tests.support import campaigns
from tests.support.ponte import ADMIN_KEY, RestClient, start_ponte
from tests.support.simulator import SimulatorClient, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.chaos, pytest.mark.timeout(240)]

NUMBERS = [f"+5531988881{slot:03d}" for slot in range(3)]
PEOPLE = 30
SPEED = 20


async def test_a_killed_campaign_reaches_everyone_once_from_their_number(
    data_dir: Path, simulator_environment: dict[str, str], simulator: SimulatorClient
) -> None:
    settings = {**simulator_environment, "PONTE_CLOCK_SPEED": str(SPEED)}
    people = await simulator.create_phones("+5531977781000", PEOPLE)
    ponte = await start_ponte(data_dir, settings)
    async with aiohttp.ClientSession() as http:
        try:
            admin = RestClient(http, ponte.http_url, ADMIN_KEY)
            company_id, client, sessions = await campaigns.company_with_sessions(admin, simulator, NUMBERS)
            await campaigns.opt_in(data_dir, company_id, people)
            campaign = await campaigns.draft(client, sessions, people)
            plan = await client.post(f"/v1/campaigns/{campaign}:plan", {})
            assert sum(hour["messages"] for hour in plan["curve"]) == PEOPLE
            await client.post(f"/v1/campaigns/{campaign}:start", {})
            await eventually(lambda: arrived(simulator, people, 5), timeout_s=60, every_s=0.05)

            await ponte.kill_tree()
            ponte = await start_ponte(data_dir, settings)
            client = client.at(ponte.http_url)

            done = await eventually(lambda: campaigns.ended(client, campaign), timeout_s=120, every_s=0.2)
            assert (done["state"], done["progress"]["sent"]) == ("COMPLETED", PEOPLE), done
            await assert_each_got_it_once(simulator, people)
        finally:
            if ponte.process.returncode is None:
                await ponte.terminate()


async def arrived(simulator: SimulatorClient, people: list[str], least: int) -> bool:
    """Whether so many people have a message."""
    counts = await asyncio.gather(*(simulator.messages(number) for number in people))
    return sum(bool(messages) for messages in counts) >= least


async def assert_each_got_it_once(simulator: SimulatorClient, people: list[str]) -> None:
    """Exactly one message each; who it is from follows from the place on the list."""
    wordings: Counter[str] = Counter()
    for position, number in enumerate(people):
        [message] = [one for one in await simulator.messages(number) if not one["duplicate"]]
        assert message["text"].endswith("for Ana")
        assert NUMBERS[position % len(NUMBERS)].removeprefix("+") in str(message)
        wordings[message["text"]] += 1
    assert len(wordings) == 5
