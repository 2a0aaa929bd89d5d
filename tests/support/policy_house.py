"""Asking a house that enforces its limits what leaves, and looking at the simulated server whether it came."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest_asyncio

from orchestrator.domain.policy.snapshot import NewChatQuota
from orchestrator.services.context import SendingLimits
from orchestrator.services.policy_state import load_state
from orchestrator.store import policy
from tests.support.fast_clock import next_wednesday_noon_in_brazil
from tests.support.session_house import Servers, SessionHouse, running_house
from tests.support.simulator import eventually

HOUR_S = 3600


@pytest_asyncio.fixture(loop_scope="module")
async def house(servers: Servers, database_url: str) -> AsyncIterator[SessionHouse]:
    """A house that enforces its limits."""
    async with running_house(servers, database_url, SendingLimits.ENFORCED) as running:
        yield running


async def linked(house: SessionHouse) -> str:
    """A linked number that needs no warm-up."""
    session = await house.link()
    path = f"/v1/companies/{house.scope.company_id}/sessions/{session}/policy:declareMature"
    answer = await house.api.admin.ask("POST", path, {"reason": "a test's number"})
    assert answer.status == 200, answer.body
    return session


async def strangers(house: SessionHouse, count: int) -> list[str]:
    """People who never wrote."""
    numbers = [house.servers.new_number() for _ in range(count)]
    for number in numbers:
        await house.simulator.create_phone(number)
    return numbers


async def send(house: SessionHouse, session: str, to: str, lane: str = "TRANSACTIONAL") -> str:
    """Queue a message that needs no typing; gives its id."""
    place = {"latitude": -23.55, "longitude": -46.63}
    body = {"session_id": session, "to": to, "lane": lane, "location": place}
    return str((await house.call("POST", "/v1/messages", body))["id"])


async def reaches(house: SessionHouse, message: str, status: str) -> dict[str, Any]:
    wanted = {"SENT", "DELIVERED"} if status == "SENT" else {status}
    return await house.message(message, lambda found: found["status"] in wanted)


async def waits_for(house: SessionHouse, message: str, code: str) -> str:
    """Wait until a message waits for this; gives the words."""
    found = await house.message(message, lambda one: one.get("waiting_for", {}).get("code") == code)
    assert found["status"] == "QUEUED"
    return str(found["waiting_for"]["detail"])


async def health(house: SessionHouse, session: str, **causes: set[str]) -> dict[str, Any]:
    """Wait until these causes, and no others, have led to `pauses` or `slowdowns`; gives the health."""

    async def look() -> dict[str, Any]:
        found = await house.call("GET", f"/v1/sessions/{session}/health")
        seen = {name: {one["cause"] for one in found[name]} for name in causes}
        return found if seen == causes else {}

    found: dict[str, Any] = await eventually(look)
    return found


async def arrived(house: SessionHouse, session: str) -> list[str]:
    """Whom this number's messages were for, as they came to the server."""
    number = house.numbers[session]
    found = await house.simulator.call("GET", "/arrivals", **{"from": number})
    return [arrival["to"] for arrival in found if arrival["to"] != number]


async def quota(house: SessionHouse, session: str) -> NewChatQuota | None:
    """WhatsApp's quota as Ponte knows it."""
    async with house.context.database.reading(house.scope) as tx:
        record = await policy.read(tx, house.scope, session)
    assert record is not None
    return load_state(record.state, record.session_since).new_chat_quota


async def too_many_questions(house: SessionHouse, session: str) -> None:
    """WhatsApp answers a question about a number with 429."""
    [asked] = await strangers(house, 1)
    await house.simulator.fault("iq_error", number=house.numbers[session], xmlns="usync", code=429, count=1)
    path = "/v1/contacts:check"
    answer = await house.rest.ask("POST", path, {"session_id": session, "phone_numbers": [asked]})
    assert answer.body["code"] == "WHATSAPP_RATE_LIMITED", answer.body


async def linked_at_noon(house: SessionHouse) -> str:
    """The same, at an hour at which campaigns may reach people in Brazil. Times that WhatsApp says are past then."""
    session = await linked(house)
    house.clock.now = next_wednesday_noon_in_brazil()
    return session


def seconds_until(house: SessionHouse, in_s: float) -> float:
    """How far the house's clock, which stands still, is from what WhatsApp's reaches in so many seconds."""
    return (datetime.now(UTC) - house.clock()).total_seconds() + in_s


async def acquaintances(house: SessionHouse, session: str, count: int) -> list[str]:
    """People who wrote just now."""
    numbers = await strangers(house, count)
    before = len(await house.events(session, "message.received"))
    for number in numbers:
        await house.simulator.send(number, house.numbers[session], "hello")

    async def look() -> bool:
        return len(await house.events(session, "message.received")) >= before + count

    await eventually(look)
    return numbers


async def campaign_message(house: SessionHouse, session: str) -> str:
    """Queue a campaign message to somebody who wrote and opted in."""
    [to] = await acquaintances(house, session, 1)
    await house.call("POST", "/v1/opt-ins", {"opt_ins": [{"phone_number": to, "source": "form"}]})
    return await send(house, session, to, "CAMPAIGN")


async def answered(house: SessionHouse, session: str, people: list[str]) -> list[str]:
    """Write to each of those who wrote; gives the messages once WhatsApp has them or has refused them."""
    messages = [await send(house, session, to, "REPLY") for to in people]
    for message in messages:
        await house.message(message, lambda found: found["status"] in ("SENT", "DELIVERED", "FAILED"))
    # The cap of a minute inside conversations, and the gap to one contact.
    await house.advance(session, 62)
    return messages


async def started_campaign(house: SessionHouse, session: str, people: list[str]) -> str:
    """A campaign to these people, who opted in, that was started; gives its id."""
    opt_ins = [{"phone_number": to, "source": "form"} for to in people]
    await house.call("POST", "/v1/opt-ins", {"opt_ins": opt_ins})
    made = await house.call("POST", "/v1/recipient-lists", {"name": "Customers", "region": "BR"})
    given = {"recipients": [{"phone_number": to} for to in people]}
    await house.call("POST", f"/v1/recipient-lists/{made['id']}:import", given)
    variants = [{"text": f"Wording {number}"} for number in range(5)]
    body = {"name": "Spring", "recipient_list_id": made["id"], "session_ids": [session], "variants": variants}
    campaign = await house.call("POST", "/v1/campaigns", body)
    await house.call("POST", f"/v1/campaigns/{campaign['id']}:start", {})
    return str(campaign["id"])
