"""Campaigns over several numbers, measured where WhatsApp's server is.

PONTE_TEST_CAMPAIGN says to how many people (300 in the long form, `make test-campaigns`).
"""

import os
import time
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.support import campaigns
from tests.support.campaign_wire import (
    BRAZIL,
    DAY,
    HOUR,
    MINUTE,
    Arrival,
    by_sender,
    campaign_arrivals,
    fullest_window,
    gaps_s,
    outside_the_day,
    repeated_wordings,
    spread_gaps,
)
from tests.support.fast_clock import MovedClock, next_wednesday_noon_in_brazil
from tests.support.files import png
from tests.support.flush import flush_redis
from tests.support.ponte import ADMIN_KEY, PonteProcess, RestClient, running_ponte, start_ponte
from tests.support.simulator import SimulatorClient, eventually

PEOPLE = int(os.environ.get("PONTE_TEST_CAMPAIGN", "24"))
IS_LONG = PEOPLE >= 100
SPEED = 20 if IS_LONG else 30
LIFTED_SPEED = 20 if IS_LONG else 8
STRIKES = 10 if IS_LONG else 2
NUMBERS = [f"+5531988881{slot:03d}" for slot in range(3)]
MACHINE_S = 0.6 if IS_LONG else 1.5
"""What a machine may take longer with one message than with another: alone with it, or with another test beside it. It
only ever widens gaps."""

HOUR_CAP = 60
BATCH = 20
"""The fewest messages between two long pauses."""

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120 + 5 * PEOPLE)]


class StruckCampaign:
    """A campaign of mature numbers to known contacts, on a clock that is moved, in a Ponte that is killed."""

    def __init__(self, data_dir: Path, simulator: SimulatorClient, people: list[str]) -> None:
        self.clock = MovedClock(data_dir, SPEED)
        self.people = people
        self.strikes: list[datetime] = []
        self.ponte: PonteProcess
        self.client: RestClient
        self.id = ""
        self._data_dir = data_dir
        self._simulator = simulator
        self._settings = {
            "PONTE_WHATSAPP_URL": simulator.ws_url,
            "PONTE_CLOCK_SPEED": str(SPEED),
            **simulator.bridge_environment,
        }

    async def begin(self, http: aiohttp.ClientSession) -> None:
        """Start Ponte at noon, link the numbers, let everyone write first, and start the campaign."""
        await self.clock.move(next_wednesday_noon_in_brazil())
        self.ponte = await start_ponte(self._data_dir, self._settings)
        admin = RestClient(http, self.ponte.http_url, ADMIN_KEY)
        company_id, self.client, sessions = await campaigns.company_with_sessions(
            admin, self._simulator, NUMBERS
        )
        for session in sessions:
            path = f"/v1/companies/{company_id}/sessions/{session}/policy:declareMature"
            await admin.post(path, {"reason": "a test's number"})
        await self._simulator.send_many(
            [
                {"from": person, "to": NUMBERS[position % len(NUMBERS)], "text": "hello"}
                for position, person in enumerate(self.people)
            ]
        )
        await eventually(self._all_wrote, timeout_s=60, every_s=0.2)
        await campaigns.opt_in(self._data_dir, company_id, self.people)
        self.id = await campaigns.draft(self.client, sessions, self.people)
        plan = await self.client.post(f"/v1/campaigns/{self.id}:plan", {})
        assert sum(hour["messages"] for hour in plan["curve"]) == PEOPLE
        await self.client.post(f"/v1/campaigns/{self.id}:start", {})

    async def strike(self, shows: datetime | None = None) -> None:
        """Empty Redis, kill everything, and start again; at another time of Ponte's clock if one is given."""
        await flush_redis(self._data_dir, {})
        await self.ponte.kill_tree()
        self.strikes.append(self.clock.now())
        if shows is not None:
            await self.clock.move(shows)
            self.strikes.append(shows)
        self.ponte = await start_ponte(self._data_dir, self._settings)
        self.client = self.client.at(self.ponte.http_url)

    async def until_sent(self, least: int) -> None:
        """Wait until so many recipients have been written to."""

        async def look() -> bool:
            return bool((await self.state())["progress"]["sent"] >= least)

        await eventually(look, timeout_s=60 + 4 * PEOPLE, every_s=0.1)

    async def until_quiet_hours(self) -> None:
        """Wait until a message says that it waits for the morning."""

        async def look() -> bool:
            queued = (await self.client.get("/v1/messages?status=QUEUED"))["messages"]
            return any(message.get("waiting_for", {}).get("code") == "QUIET_HOURS" for message in queued)

        await eventually(look, timeout_s=60, every_s=0.2)

    async def state(self) -> dict[str, Any]:
        """The campaign, as the API gives it."""
        found: dict[str, Any] = await self.client.get(f"/v1/campaigns/{self.id}")
        return found

    async def arrivals(self) -> list[Arrival]:
        """What came at the server."""
        return await campaign_arrivals(self._simulator, NUMBERS, self.people, self.clock.at)

    def undisturbed(self, since: datetime, until: datetime) -> bool:
        """Whether nothing was struck meanwhile."""
        return not any(since <= strike <= until for strike in self.strikes)

    async def _all_wrote(self) -> bool:
        texts = Counter[str]()
        after = 0
        while page := (
            await self.client.get(f"/v1/events?after={after}&page_size=500&types=message.received")
        )["events"]:
            after = int(page[-1]["sequence"])
            texts.update(event["data"]["text"]["body"] for event in page)
        return texts["hello"] == PEOPLE


@pytest.mark.chaos
async def test_a_campaign_keeps_all_bounds_at_the_server_while_everything_is_killed_and_wiped(
    data_dir: Path, simulator: SimulatorClient
) -> None:
    people = await simulator.create_phones("+5531977781000", PEOPLE)
    struck = StruckCampaign(data_dir, simulator, people)
    noon = next_wednesday_noon_in_brazil()
    evening, morning = noon + timedelta(hours=6, minutes=58), noon + timedelta(hours=20, minutes=58)
    async with aiohttp.ClientSession() as http:
        try:
            await struck.begin(http)
            for number in range(1, STRIKES - 1):
                await struck.until_sent(PEOPLE * number // STRIKES)
                await struck.strike()
            await struck.until_sent(PEOPLE // 2)
            await struck.strike(shows=evening)
            await struck.until_quiet_hours()
            await struck.strike(shows=morning)
            await struck.until_sent(PEOPLE)
            done = await eventually(lambda: campaigns.ended(struck.client, struck.id), timeout_s=60)
            assert (done["state"], done["progress"]["sent"]) == ("COMPLETED", PEOPLE), done
        finally:
            if struck.ponte.process.returncode is None:
                await struck.ponte.terminate()
    arrivals = await struck.arrivals()
    await assert_each_got_it_once_from_their_number(simulator, people)
    spread = 0
    for mine in by_sender(arrivals).values():
        times = [arrival.at for arrival in mine]
        for window, cap in ((MINUTE, 12), (HOUR, HOUR_CAP), (DAY, 400)):
            assert fullest_window(times, window) <= cap
        assert min(gaps_s(mine)) >= 2.0
        assert not repeated_wordings(mine)
        for gap in spread_gaps(mine, HOUR_CAP, struck.undisturbed):
            spread += 1
            assert gap.least_s <= gap.was_s <= gap.most_s + MACHINE_S * SPEED, gap
    assert spread >= PEOPLE // 6, "strikes left too few gaps to judge"
    assert not outside_the_day(arrivals, MACHINE_S * SPEED)
    assert {arrival.at.astimezone(BRAZIL).date() for arrival in arrivals} == {evening.date(), morning.date()}


async def test_without_ceilings_gaps_and_long_pauses_are_those_of_the_policy(
    data_dir: Path, simulator: SimulatorClient, simulator_environment: Mapping[str, str]
) -> None:
    people = max(PEOPLE, 105)
    arrivals = await lifted_run(data_dir, simulator, simulator_environment, people, speed=LIFTED_SPEED)
    assert len({arrival.text for arrival in arrivals}) == 5
    for mine in by_sender(arrivals).values():
        gaps = gaps_s(mine)
        assert min(gaps) >= 2.0
        pauses = [position for position, gap in enumerate(gaps) if gap >= 30.0]
        assert len(pauses) >= people // len(NUMBERS) // 30
        assert max(gaps) <= 60.0 + MACHINE_S * LIFTED_SPEED
        assert max(gap for gap in gaps if gap < 30.0) <= 5.0 + MACHINE_S * LIFTED_SPEED
        between = [later - earlier for earlier, later in zip([-1, *pauses], pauses, strict=False)]
        assert all(BATCH <= count <= 30 for count in between), between


async def test_in_real_time_gaps_are_two_to_five_seconds(
    data_dir: Path, simulator: SimulatorClient, simulator_environment: Mapping[str, str]
) -> None:
    people = 30 if IS_LONG else 9
    arrivals = await lifted_run(data_dir, simulator, simulator_environment, people, speed=1)
    for mine in by_sender(arrivals).values():
        gaps = gaps_s(mine)
        assert len(gaps) == people // len(NUMBERS) - 1
        assert min(gaps) >= 2.0
        assert max(gaps) <= 5.0 + MACHINE_S


async def lifted_run(
    data_dir: Path, simulator: SimulatorClient, environment: Mapping[str, str], count: int, *, speed: int
) -> list[Arrival]:
    """A campaign without ceilings, one of its wordings with a picture; each got it once. Gives its arrivals."""
    people = await simulator.create_phones("+5531977782000", count)
    settings = {**environment, "PONTE_CLOCK_SPEED": str(speed)}
    began = time.time()
    async with running_ponte(data_dir, settings) as ponte, aiohttp.ClientSession() as http:
        admin = RestClient(http, ponte.http_url, ADMIN_KEY)
        company_id, client, sessions = await campaigns.company_with_sessions(admin, simulator, NUMBERS)
        await campaigns.opt_in(data_dir, company_id, people)
        campaign = await campaigns.draft(client, sessions, people, png())
        await client.post(f"/v1/campaigns/{campaign}:start", {})
        done = await eventually(
            lambda: campaigns.ended(client, campaign), timeout_s=60 + 4 * count, every_s=0.2
        )
        assert (done["state"], done["progress"]["sent"]) == ("COMPLETED", count), done
    await assert_each_got_it_once_from_their_number(simulator, people)
    for number in people:
        [message] = await simulator.messages(number)
        assert (message["kind"] == "image") == (message["text"] == "Wording 0 for Ana")

    def stretched(epoch_s: float) -> datetime:
        return datetime.fromtimestamp(began + (epoch_s - began) * speed, BRAZIL)

    return await campaign_arrivals(simulator, NUMBERS, people, stretched)


async def assert_each_got_it_once_from_their_number(simulator: SimulatorClient, people: list[str]) -> None:
    """Exactly one message each; who it is from follows from the place on the list."""
    for position, number in enumerate(people):
        received = [
            one for one in await simulator.messages(number) if not one["from_me"] and not one["duplicate"]
        ]
        assert len(received) == 1, (number, received)
        [message] = received
        assert message["text"].endswith("for Ana")
        assert message["from"] == NUMBERS[position % len(NUMBERS)]
