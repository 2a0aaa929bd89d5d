"""The sending policy, enforced, with the clock 20 times as fast: what leaves is measured at the server."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.support.company import LinkedCompany, link_company, wait_for_state
from tests.support.fast_clock import next_wednesday_noon_in_brazil, set_clock
from tests.support.ponte import ADMIN_KEY, RestClient, running_ponte
from tests.support.simulator import SimulatorClient, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

SPEED = 20.0
JITTER_S = 12.0
"""Of Ponte's clock: what 0.6 s of a busy machine are, on the way of one message and not on that of the next."""

ROUNDING_S = 0.001 * SPEED
"""Of Ponte's clock: the server gives whole milliseconds."""

CAMPAIGN = 7
NEW_CHATS = 14


@pytest.fixture
async def admin(data_dir: Path, simulator: SimulatorClient) -> AsyncIterator[RestClient]:
    """The administrator's client of a Ponte that enforces its limits, at noon on a Wednesday."""
    await set_clock(data_dir, SPEED, next_wednesday_noon_in_brazil())
    settings = {
        "PONTE_WHATSAPP_URL": simulator.ws_url,
        "PONTE_CLOCK_SPEED": f"{SPEED:g}",
        **simulator.bridge_environment,
    }
    async with running_ponte(data_dir, settings) as ponte, aiohttp.ClientSession() as http:
        yield RestClient(http, ponte.http_url, ADMIN_KEY)


async def customers(simulator: SimulatorClient, prefix: str, count: int) -> list[str]:
    numbers = [f"+55119{prefix}{index:05d}" for index in range(count)]
    await asyncio.gather(*(simulator.create_phone(number) for number in numbers))
    return numbers


async def declare_mature(admin: RestClient, company: LinkedCompany) -> None:
    path = f"/v1/companies/{company.company_id}/sessions/{company.session_id}/policy:declareMature"
    policy = await admin.post(path, {"reason": "a test's number"})
    assert policy["declared_mature"]


async def submit(company: LinkedCompany, to: str, body: str, lane: str = "TRANSACTIONAL") -> dict[str, Any]:
    message: dict[str, Any] = await company.client.post(
        "/v1/messages", {"to": to, "text": {"body": body}, "lane": lane}
    )
    return message


async def reached(company: LinkedCompany, message: dict[str, Any], *statuses: str) -> dict[str, Any]:
    """Wait until a message has one of these statuses."""

    async def look() -> Any:
        now = await company.client.get(f"/v1/messages/{message['id']}")
        return now if now["status"] in statuses else None

    found: dict[str, Any] = await eventually(look, timeout_s=40)
    return found


async def waits_for(company: LinkedCompany, message: dict[str, Any], code: str, words: str = "") -> str:
    """Wait until a message says that it waits for this, in words that begin so; gives them all."""

    async def look() -> Any:
        now = await company.client.get(f"/v1/messages/{message['id']}")
        assert now["status"] == "QUEUED", now
        waiting = now.get("waiting_for", {})
        said = waiting.get("detail", "") if waiting.get("code") == code else ""
        return said if said.startswith(words) else None

    return str(await eventually(look, timeout_s=20))


async def arrived_s(simulator: SimulatorClient, messages: list[dict[str, Any]]) -> list[float]:
    """When messages arrived at the server, in seconds of Ponte's clock, in order."""
    ids = {message["wa_message_id"] for message in messages}
    arrivals = [arrival for arrival in await simulator.arrivals() if arrival["id"] in ids]
    return sorted(arrival["at_ms"] / 1000 * SPEED for arrival in arrivals)


async def test_gaps_and_caps_hold_at_the_server_and_replies_do_not_wait(
    admin: RestClient, simulator: SimulatorClient
) -> None:
    shop = await link_company(admin, simulator, "shop", "+5511800000001")
    news = await link_company(admin, simulator, "news", "+5511800000002")
    for company in (shop, news):
        await declare_mature(admin, company)
    recipients = await customers(simulator, "61", CAMPAIGN)
    strangers = await customers(simulator, "62", NEW_CHATS)
    await shop.client.post(
        "/v1/opt-ins", {"opt_ins": [{"phone_number": to, "source": "form"} for to in recipients]}
    )
    offers = [await submit(shop, to, "an offer", "CAMPAIGN") for to in recipients]
    hellos = [await submit(news, to, "hello") for to in strangers]

    [asker] = await customers(simulator, "63", 1)
    await simulator.send(asker, shop.phone_number, "are you open?")
    await eventually(lambda: received(shop))
    answer = await submit(shop, asker, "yes", "REPLY")
    await waits_for(shop, offers[-1], "CAMPAIGN_GAP", "gap between campaign messages, next at ")
    await reached(shop, answer, "SENT", "DELIVERED")

    for company, messages in ((news, hellos), (shop, offers)):
        for message in messages:
            await reached(company, message, "SENT", "DELIVERED")
    times = await arrived_s(simulator, offers)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert len(gaps) == CAMPAIGN - 1
    assert min(gaps) >= 60 * 0.7 - JITTER_S
    assert max(gaps) <= 60 * 1.3 + JITTER_S
    first = await arrived_s(simulator, hellos)
    assert len(first) == NEW_CHATS
    assert first[12] - first[0] >= 60 - ROUNDING_S, "a cap holds at the server, on a slow machine too"
    [answered] = await arrived_s(simulator, [answer])
    assert answered < times[-1]
    await assert_read_and_typed_before(simulator, shop, asker, answered)


async def assert_read_and_typed_before(
    simulator: SimulatorClient, company: LinkedCompany, contact: str, answered: float
) -> None:
    """A person has read, and types for at least a second."""
    shown = await simulator.activity(company.phone_number)
    here = [one for one in shown if one["kind"] == "read" or one["to"].startswith(contact.lstrip("+"))]
    assert [one["kind"] for one in here] == ["read", "composing"]
    read, typed = (one["at_ms"] / 1000 * SPEED for one in here)
    assert read <= typed
    assert 1.2 - ROUNDING_S <= answered - typed <= 8.0 + JITTER_S


async def test_each_reaction_of_the_table_is_seen(admin: RestClient, simulator: SimulatorClient) -> None:
    companies = [
        await link_company(admin, simulator, f"company {index}", f"+551181000000{index}")
        for index in range(5)
    ]
    for company in companies:
        await declare_mature(admin, company)
    limited, cold, known, stale, locked = companies
    await asyncio.gather(
        a_rate_limit_halves_the_rate(simulator, limited),
        a_refused_stranger_stops_new_chats(simulator, cold),
        a_refused_contact_is_held(simulator, known),
        a_stale_device_is_asked_for_anew(simulator, stale),
        a_lock_stops_the_session(simulator, locked),
    )


async def a_rate_limit_halves_the_rate(simulator: SimulatorClient, company: LinkedCompany) -> None:
    first, *others = await customers(simulator, "71", 9)
    await simulator.fault("ack_error", number=company.phone_number, code=429, count=1)
    messages = [await submit(company, first, "hello")]
    health = await in_health(company, lambda health: health["slowdowns"])
    assert [(one["cause"], one["factor"]) for one in health["slowdowns"]] == [("RATE_LIMITED", 0.5)]
    await reached(company, messages[0], "SENT", "DELIVERED")
    messages += [await submit(company, to, "hello") for to in others]
    for message in messages:
        await reached(company, message, "SENT", "DELIVERED")
    times = (await arrived_s(simulator, messages))[-len(messages) :]
    assert len(times) == 9
    for sixth_before, at in zip(times, times[6:], strict=False):
        assert at - sixth_before >= 60 - ROUNDING_S, "half of the 12 a minute"


async def a_refused_stranger_stops_new_chats(simulator: SimulatorClient, company: LinkedCompany) -> None:
    to, other = await customers(simulator, "72", 2)
    await simulator.fault("ack_error", number=company.phone_number, code=463, count=1)
    message = await submit(company, to, "hello")
    assert (await reached(company, message, "FAILED"))["error"]["code"] == "REACHOUT_LOCKED"
    health = await in_health(company, lambda health: health["pauses"])
    assert health["level"] == "CAUTION"
    assert {pause["scope"] for pause in health["pauses"]} == {"CAMPAIGNS", "NEW_CHATS"}
    await waits_for(company, await submit(company, other, "hello"), "NEW_CHATS_PAUSED")


async def a_refused_contact_is_held(simulator: SimulatorClient, company: LinkedCompany) -> None:
    [to] = await customers(simulator, "73", 1)
    await simulator.send(to, company.phone_number, "hi")
    await eventually(lambda: received(company))
    await simulator.fault("ack_error", number=company.phone_number, code=463, count=1)
    await reached(company, await submit(company, to, "hello", "REPLY"), "FAILED")
    held = await submit(company, to, "hello again", "REPLY")
    await waits_for(company, held, "CONTACT_HELD")
    await simulator.send(to, company.phone_number, "still there?")
    await reached(company, held, "SENT", "DELIVERED")


async def a_stale_device_is_asked_for_anew(simulator: SimulatorClient, company: LinkedCompany) -> None:
    [to] = await customers(simulator, "74", 1)
    await simulator.fault("ack_error", number=company.phone_number, code=479, count=1)
    message = await reached(company, await submit(company, to, "hello"), "SENT", "DELIVERED")
    assert message["attempts"] == 2
    health = await company.client.get(f"/v1/sessions/{company.session_id}/health")
    assert (health["score"], health["pauses"]) == (0, [])


async def a_lock_stops_the_session(simulator: SimulatorClient, company: LinkedCompany) -> None:
    await simulator.fault("stream_error", number=company.phone_number, code=403, count=1)
    await wait_for_state(company.client, company.session_id, "BANNED")
    health = await in_health(company, lambda health: health["pauses"])
    assert [(event["cause"], event["score"]) for event in health["events"]] == [("FORBIDDEN", 40)]
    events = await company.client.get("/v1/events?types=health.changed")
    assert events["events"][0]["data"]["causes"] == ["FORBIDDEN", "LOCKED"]


async def in_health(company: LinkedCompany, seen: Any) -> dict[str, Any]:
    """A session's health once `seen` finds in it what it looks for."""

    async def look() -> Any:
        health = await company.client.get(f"/v1/sessions/{company.session_id}/health")
        return health if seen(health) else None

    found: dict[str, Any] = await eventually(look, timeout_s=20)
    return found


async def received(company: LinkedCompany) -> Any:
    return (await company.client.get("/v1/events?types=message.received"))["events"]
