"""A campaign over several numbers, killed in the middle: each recipient gets it once, from the number it belongs to."""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import pytest

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.consent import OptIn
from orchestrator.domain.ids import make_id
from orchestrator.domain.jid import ContactId, phone_number_to_jid
from orchestrator.store import consent as consent_store
from orchestrator.store.database import Database
from tests.support.company import wait_for_state
from tests.support.ponte import ADMIN_KEY, RestClient, start_ponte
from tests.support.simulator import SimulatorClient, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.chaos, pytest.mark.timeout(240)]

NUMBERS = [f"+5531988881{slot:03d}" for slot in range(3)]
PEOPLE = 30
SPEED = 20


async def linked(client: RestClient, simulator: SimulatorClient, number: str) -> str:
    """Link a number to a new session; gives the session's id."""
    session = await client.post("/v1/sessions", {"name": number})
    await simulator.create_phone(number)
    offer = await client.post(f"/v1/sessions/{session['id']}:pair", {})
    await simulator.scan(number, offer["qr"])
    await wait_for_state(client, session["id"], "CONNECTED")
    return str(session["id"])


async def opt_in(data_dir: Path, company_id: str, people: list[str]) -> None:
    """Record consents as an import of them would."""
    now, rng = datetime.now(UTC), Random(1)
    database = await Database.open(f"sqlite+aiosqlite:///{data_dir}/ponte.db")
    scope = CompanyScope(company_id)
    entries = [
        OptIn(make_id(now, rng), ContactId(phone_number_to_jid(number)), "form", now, now)
        for number in people
    ]
    async with database.transaction(scope) as tx:
        await consent_store.add_opt_ins(tx, scope, entries)
    await database.close()


async def test_a_killed_campaign_reaches_everyone_once_from_their_number(
    data_dir: Path, simulator_environment: dict[str, str], simulator: SimulatorClient
) -> None:
    settings = {**simulator_environment, "PONTE_CLOCK_SPEED": str(SPEED)}
    people = await simulator.create_phones("+5531977781000", PEOPLE)
    ponte = await start_ponte(data_dir, settings)
    async with aiohttp.ClientSession() as http:
        try:
            admin = RestClient(http, ponte.http_url, ADMIN_KEY)
            company = await admin.post("/v1/companies", {"name": "campaign", "max_sessions": len(NUMBERS)})
            company_id = str(company["id"])
            client = admin.with_key(
                (await admin.post(f"/v1/companies/{company_id}/keys", {"name": "k"}))["key"]
            )
            sessions = [await linked(client, simulator, number) for number in NUMBERS]
            await opt_in(data_dir, company_id, people)
            campaign = await a_campaign(client, sessions, people)
            await client.post(f"/v1/campaigns/{campaign}:start", {})
            await eventually(lambda: arrived(simulator, people, 5), timeout_s=60, every_s=0.05)

            await ponte.kill_tree()
            ponte = await start_ponte(data_dir, settings)
            client = client.at(ponte.http_url)

            done = await eventually(lambda: ended(client, campaign), timeout_s=120, every_s=0.2)
            assert (done["state"], done["progress"]["sent"]) == ("COMPLETED", PEOPLE), done
            await assert_each_got_it_once(simulator, people)
        finally:
            if ponte.process.returncode is None:
                await ponte.terminate()


async def a_campaign(client: RestClient, sessions: list[str], people: list[str]) -> str:
    """A campaign to these people over these sessions; gives its id."""
    made = await client.post("/v1/recipient-lists", {"name": "Customers", "region": "BR"})
    given = [{"phone_number": number, "name": "Ana Silva"} for number in people]
    taken = await client.post(f"/v1/recipient-lists/{made['id']}:import", {"recipients": given})
    assert (taken["accepted"], taken["reported"]) == (len(people), {})
    body = {
        "name": "Spring",
        "recipient_list_id": made["id"],
        "session_ids": sessions,
        "variants": [{"text": f"Wording {number} for {{first_name}}"} for number in range(5)],
    }
    campaign = await client.post("/v1/campaigns", body)
    plan = await client.post(f"/v1/campaigns/{campaign['id']}:plan", {})
    assert (plan["recipients"], sum(hour["messages"] for hour in plan["curve"])) == (len(people), len(people))
    return str(campaign["id"])


async def arrived(simulator: SimulatorClient, people: list[str], least: int) -> bool:
    """Whether so many people have a message."""
    counts = await asyncio.gather(*(simulator.messages(number) for number in people))
    return sum(bool(messages) for messages in counts) >= least


async def ended(client: RestClient, campaign_id: str) -> dict[str, Any] | None:
    """The campaign, once it moves no more by itself."""
    campaign: dict[str, Any] = await client.get(f"/v1/campaigns/{campaign_id}")
    return campaign if campaign["state"] not in ("SCHEDULED", "RUNNING") else None


async def assert_each_got_it_once(simulator: SimulatorClient, people: list[str]) -> None:
    """Exactly one message each; who it is from follows from the place on the list."""
    wordings: Counter[str] = Counter()
    for position, number in enumerate(people):
        [message] = [one for one in await simulator.messages(number) if not one["duplicate"]]
        assert message["text"].endswith("for Ana")
        assert NUMBERS[position % len(NUMBERS)].removeprefix("+") in str(message)
        wordings[message["text"]] += 1
    assert len(wordings) == 5
