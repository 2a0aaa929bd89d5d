"""Each row of the table of failed sends, on real Baileys: status, attempts, retry, breaker, event, what users read."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Table, select

from orchestrator.domain.breaker import BreakerState
from orchestrator.store.models import MessageRow
from tests.support.session_house import SessionHouse
from tests.support.simulator import eventually

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.parametrize("database_kind", ["sqlite"]),
]

MESSAGES: Table = MessageRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
CLOSED, HALF_OPEN, OPEN = BreakerState.CLOSED, BreakerState.HALF_OPEN, BreakerState.OPEN


@dataclass(frozen=True)
class Row:
    """One code of a negative ack: what stands in the message, when it is tried again (None for never)."""

    code: int
    error: str
    again_s: float | None = None
    failures: int = 0

    def __str__(self) -> str:
        return str(self.code)


REFUSED_FOR_GOOD = [Row(463, "REACHOUT_LOCKED"), Row(405, "PAYLOAD_NOT_SUPPORTED")]
REFUSED_ONCE = [
    Row(479, "STALE_DEVICE_SESSION", 0),
    Row(421, "STALE_GROUP_ADDRESSING", 0),
    Row(400, "REJECTED_BY_WHATSAPP", 600, failures=1),
    Row(420, "REJECTED_BY_WHATSAPP", 600, failures=1),
    Row(475, "REJECTED_BY_WHATSAPP", 600, failures=1),
    Row(599, "REJECTED_BY_WHATSAPP", 600, failures=1),
]


def is_in(*statuses: str) -> Callable[[dict[str, Any]], bool]:
    """A message that has one of these statuses."""
    return lambda message: message["status"] in statuses


def tried(attempts: int) -> Callable[[dict[str, Any]], bool]:
    """A message after so many attempts."""
    return lambda message: message.get("attempts", 0) >= attempts and message["status"] != "SENDING"


async def customer(house: SessionHouse) -> str:
    """The number of a new customer."""
    number = house.servers.new_number()
    await house.simulator.create_phone(number)
    return number


async def due_in_s(house: SessionHouse, message_id: str) -> float:
    """When a message is tried again, from the standing clock on."""
    async with house.context.database.reading(house.scope) as tx:
        query = select(MESSAGES.c.due_at).where(MESSAGES.c.id == message_id)
        due_at: datetime = (await tx.connection.execute(query)).scalar_one()
    return (due_at - house.clock()).total_seconds()


async def failure_told(house: SessionHouse, session: str, message_id: str) -> dict[str, Any]:
    """The error in the message.failed event of a message."""

    async def look() -> dict[str, Any]:
        for data in await house.events(session, "message.failed"):
            if data["id"] == message_id:
                error: dict[str, Any] = data["error"]
                return error
        return {}

    error: dict[str, Any] = await eventually(look)
    return error


async def refuse(house: SessionHouse, session: str, code: int, count: int = 1) -> None:
    """Let WhatsApp refuse the next messages."""
    await house.simulator.fault("ack_error", number=house.numbers[session], code=code, count=count)


async def queries_when_quiet(house: SessionHouse) -> int:
    """How many queries the server got, once none comes any more: a fresh login asks for this and that by itself."""
    deadline = asyncio.get_running_loop().time() + 10
    count, quiet_looks = -1, 0
    while quiet_looks < 5:
        assert asyncio.get_running_loop().time() < deadline
        seen = int((await house.simulator.stats())["iqs"])
        quiet_looks = quiet_looks + 1 if seen == count else 0
        count = seen
        await asyncio.sleep(0.1)
    return count


@pytest.mark.parametrize("row", REFUSED_FOR_GOOD, ids=str)
async def test_what_cannot_get_better_fails_at_once(house: SessionHouse, row: Row) -> None:
    session, to = await house.link(), await customer(house)
    await refuse(house, session, row.code)

    failed = await house.message(await house.send(session, to), is_in("FAILED"))

    assert (failed["error"]["code"], failed["attempts"]) == (row.error, 1)
    assert str(row.code) in failed["error"]["detail"]
    assert (await failure_told(house, session, failed["id"]))["code"] == row.error
    breaker = await house.breaker(session)
    assert (breaker.state, breaker.failures) == (CLOSED, 0)
    assert await house.simulator.messages(to) == []


@pytest.mark.parametrize("row", REFUSED_ONCE, ids=str)
async def test_what_may_get_better_is_tried_once_more_with_the_same_id(house: SessionHouse, row: Row) -> None:
    session, to = await house.link(), await customer(house)
    await refuse(house, session, row.code)
    message = await house.send(session, to)

    if row.again_s:
        waiting = await house.message(message, tried(1))
        assert (waiting["status"], waiting["error"]["code"]) == ("QUEUED", row.error)
        assert await due_in_s(house, message) == row.again_s
        assert (await house.breaker(session)).failures == row.failures
        await house.advance(session, row.again_s)

    sent = await house.message(message, is_in("SENT", "DELIVERED"))
    assert sent["attempts"] == 2
    assert "error" not in sent
    [received] = await house.simulator.messages(to, wait_count=1)
    assert received["id"] == sent["wa_message_id"]
    assert await house.events(session, "message.failed") == []
    assert (await house.breaker(session)).failures == 0


@pytest.mark.parametrize("row", REFUSED_ONCE, ids=str)
async def test_what_is_refused_twice_is_a_dead_letter(house: SessionHouse, row: Row) -> None:
    session, to = await house.link(), await customer(house)
    await refuse(house, session, row.code, count=2)
    message = await house.send(session, to)
    if row.again_s:
        await house.message(message, tried(1))
        await house.advance(session, row.again_s)

    failed = await house.message(message, is_in("FAILED"))

    assert (failed["error"]["code"], failed["attempts"]) == (row.error, 2)
    assert (await failure_told(house, session, message))["code"] == row.error
    assert (await house.breaker(session)).failures == 2 * row.failures
    await house.call("POST", f"/v1/messages/{message}:retry", {})
    await house.message(message, is_in("SENT", "DELIVERED"))


@pytest.mark.parametrize("code", [479, 421])
async def test_a_stale_recipient_is_asked_for_anew_before_the_second_attempt(
    house: SessionHouse, code: int
) -> None:
    session, to = await house.link(), await customer(house)
    await house.message(await house.send(session, to, "the first asks for devices and keys"), tried(1))

    async def queries_of_one(text: str) -> int:
        before = await queries_when_quiet(house)
        await house.message(await house.send(session, to, text), is_in("SENT", "DELIVERED"))
        return await queries_when_quiet(house) - before

    assert await queries_of_one("a known recipient costs no query") == 0
    await refuse(house, session, code)
    assert await queries_of_one("a stale one does") >= 2


async def stale_devices_are(house: SessionHouse, session: str, count: int) -> None:
    """Wait until the breaker counts so many."""

    async def look() -> bool:
        return len((await house.breaker(session)).stale_devices) == count

    await eventually(look)


async def test_three_stale_recipients_in_an_hour_make_messages_go_one_by_one(house: SessionHouse) -> None:
    session, to = await house.link(), await customer(house)
    for count in (1, 2):
        await refuse(house, session, 479)
        await house.message(await house.send(session, to), is_in("SENT", "DELIVERED"))
        await stale_devices_are(house, session, count)
        await house.breaker_is(session, CLOSED)
    await refuse(house, session, 479, count=2)
    await house.message(await house.send(session, to), is_in("FAILED"))

    assert (await house.breaker(session)).state is HALF_OPEN
    await house.message(await house.send(session, to), is_in("SENT", "DELIVERED"))
    await house.breaker_is(session, CLOSED)


async def test_a_rate_limit_holds_all_messages_longer_each_time_and_loses_none(house: SessionHouse) -> None:
    session, to, other = await house.link(), await customer(house), await customer(house)
    await refuse(house, session, 429, count=2)
    message = await house.send(session, to)

    for attempt, longest in ((1, 60), (2, 120)):
        limited = await house.message(message, tried(attempt))
        assert (limited["status"], limited["error"]["code"]) == ("QUEUED", "WHATSAPP_RATE_LIMITED")
        assert await due_in_s(house, message) == longest
        breaker = await house.breaker(session)
        assert breaker.state is OPEN
        assert breaker.until is not None
        assert (breaker.until - house.clock()).total_seconds() == longest
        held = await house.send(session, other, f"held {attempt}")
        await house.advance(session, longest - 1)
        assert await house.simulator.messages(other) == []
        assert (await house.message(held, is_in("QUEUED")))["status"] == "QUEUED"
        if attempt == 1:
            await house.call("POST", f"/v1/messages/{held}:cancel", {})
        await house.advance(session, 1)

    await house.message(message, is_in("SENT", "DELIVERED"))
    await house.message(held, is_in("SENT", "DELIVERED"))
    await house.breaker_is(session, CLOSED)


async def test_a_query_that_is_limited_waits_as_long(house: SessionHouse) -> None:
    session, to = await house.link(), await customer(house)
    await queries_when_quiet(house)
    await house.simulator.fault("iq_error", number=house.numbers[session], xmlns="usync", code=429)
    message = await house.send(session, to)

    limited = await house.message(message, tried(1))

    assert limited["error"]["code"] == "WHATSAPP_RATE_LIMITED"
    assert await due_in_s(house, message) == 60
    assert (await house.breaker(session)).state is OPEN
    await house.simulator.clear_faults()
    await house.advance(session, 60)
    await house.message(message, is_in("SENT", "DELIVERED"))


@pytest.mark.parametrize("exists", [False, True], ids=["never seen", "given up"])
async def test_a_number_without_an_account_fails_at_once(house: SessionHouse, exists: bool) -> None:
    session, to = await house.link(), house.servers.new_number()
    if exists:
        await house.simulator.create_phone(to)
        await house.simulator.set_phone(to, registered=False)

    failed = await house.message(await house.send(session, to), is_in("FAILED"))

    assert (failed["error"]["code"], failed["attempts"]) == ("NOT_ON_WHATSAPP", 1)
    assert (await failure_told(house, session, failed["id"]))["code"] == "NOT_ON_WHATSAPP"
    assert (await house.breaker(session)).failures == 0


async def test_a_recipient_without_keys_is_tried_once_more_and_counts(house: SessionHouse) -> None:
    session, to = await house.link(), await customer(house)
    await house.simulator.fault("no_keys", number=to)

    failed = await house.message(await house.send(session, to), is_in("FAILED"))

    assert (failed["error"]["code"], failed["attempts"]) == ("ENCRYPTION_FAILED", 2)
    assert (await house.breaker(session)).failures == 2
    await house.simulator.clear_faults()
    await house.call("POST", f"/v1/messages/{failed['id']}:retry", {})
    await house.message(failed["id"], is_in("SENT", "DELIVERED"))
    assert (await house.breaker(session)).failures == 0


@pytest.mark.parametrize("gateway_settings", [{"ack_timeout_ms": 500}])
@pytest.mark.parametrize("fault", ["lost_ack", "lost_message"])
async def test_a_send_of_unknown_outcome_is_repeated_with_the_same_id(
    house: SessionHouse, fault: str
) -> None:
    session, to = await house.link(), await customer(house)
    await house.simulator.set_phone(to, auto_delivery_receipt=False)
    await house.simulator.fault(fault, number=house.numbers[session], count=1)
    message = await house.send(session, to)

    unknown = await house.message(message, tried(1))

    assert (unknown["status"], unknown["error"]["code"]) == ("QUEUED", "OUTCOME_UNKNOWN")
    assert await due_in_s(house, message) == 5
    breaker = await house.breaker(session)
    assert (breaker.state, breaker.failures) == (CLOSED, 0)
    await house.advance(session, 5)
    sent = await house.message(message, is_in("SENT"))
    assert sent["attempts"] == 2
    received = await house.simulator.messages(to, wait_count=1)
    assert {one["id"] for one in received} == {sent["wa_message_id"]}
    assert len([one for one in received if not one["duplicate"]]) == 1


@pytest.mark.parametrize("fault", ["cut_before_message", "cut_after_message"])
async def test_a_send_that_a_cut_interrupts_arrives_once_after_the_reconnect(
    house: SessionHouse, fault: str
) -> None:
    house.rng.share = 0.0
    session, to = await house.link(), await customer(house)
    await house.simulator.fault(fault, number=house.numbers[session], count=1)

    message = await house.send(session, to)
    await house.closed(session, 428)
    await house.reach(session, "CONNECTED")
    await house.advance(session, 5)

    sent = await house.message(message, is_in("SENT", "DELIVERED"))
    received = await house.simulator.messages(to, wait_count=1)
    assert {one["id"] for one in received} == {sent["wa_message_id"]}
    assert len([one for one in received if not one["duplicate"]]) == 1


async def test_messages_wait_while_the_session_is_down_for_good(house: SessionHouse) -> None:
    session, to = await house.link(), await customer(house)
    await house.simulator.fault("stream_error", number=house.numbers[session], code=440)
    await house.reach(session, "REPLACED")

    message = await house.send(session, to)
    await house.advance(session, 3600)

    assert (await house.message(message, is_in("QUEUED"))).get("attempts", 0) == 0
    await house.call("POST", f"/v1/sessions/{session}:start", {})
    assert (await house.message(message, is_in("SENT", "DELIVERED")))["attempts"] == 1
