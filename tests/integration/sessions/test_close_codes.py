"""Each row of the table of closed connections, on real Baileys: state, retry, breaker, event, and what a user reads."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from orchestrator.domain.breaker import BreakerState
from orchestrator.store.models import ArchivedCredentialsRow, AuthCredentialsRow, AuthKeyRow
from tests.support.session_house import SessionHouse
from tests.support.simulator import eventually

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.parametrize("database_kind", ["sqlite"]),
]

CUSTOMER = "+5511987654321"
CLOSED, HALF_OPEN, OPEN = BreakerState.CLOSED, BreakerState.HALF_OPEN, BreakerState.OPEN


@dataclass(frozen=True)
class Row:
    """One row: what WhatsApp does, and what follows."""

    fault: str
    code: int
    reason: str
    wait_s: float = 0.0
    breaker: BreakerState = CLOSED
    state: str = ""
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.fault} {self.code}"


PASSING = [
    Row("cut", 428, "connection_closed", wait_s=1),
    Row("stream_error", 503, "service_unavailable", wait_s=5),
    Row("stream_error", 500, "unknown", wait_s=1, breaker=HALF_OPEN),
    Row("stream_error", 599, "unknown", wait_s=1, breaker=HALF_OPEN),
    Row("stream_error", 429, "rate_limited", wait_s=60, breaker=HALF_OPEN),
]

PERMANENT = [
    Row("stream_error", 440, "replaced", breaker=OPEN, state="REPLACED", advice="connected from elsewhere"),
    Row("stream_error", 409, "bad_session", breaker=OPEN, state="STOPPED", advice="bad request"),
    Row("stream_error", 411, "bad_session", breaker=OPEN, state="STOPPED", advice="bad request"),
    Row("stream_error", 413, "bad_session", breaker=OPEN, state="STOPPED", advice="bad request"),
    Row("stream_error", 414, "bad_session", breaker=OPEN, state="STOPPED", advice="bad request"),
    Row("stream_error", 415, "bad_session", breaker=OPEN, state="STOPPED", advice="bad request"),
    Row("login_failure", 403, "forbidden", breaker=OPEN, state="BANNED", advice="locked or banned"),
    Row("login_failure", 406, "banned", breaker=OPEN, state="BANNED", advice="locked or banned"),
    Row("login_failure", 405, "outdated_client", breaker=OPEN, state="STOPPED", advice="update Ponte"),
    Row("login_failure", 402, "banned", breaker=OPEN, state="BANNED", advice="banned the number for a time"),
]


async def strike(house: SessionHouse, session: str, row: Row, **more: object) -> None:
    """Let WhatsApp do it, now or at the next login."""
    settings = {"code": row.code} if row.fault != "cut" else {}
    await house.simulator.fault(row.fault, number=house.numbers[session], count=1, **settings, **more)
    if row.fault == "login_failure":
        await house.simulator.fault("cut", number=house.numbers[session])


def moment(text: str) -> datetime:
    """A time as REST and events write it."""
    return datetime.fromisoformat(text)


def wait_s(closed: dict[str, Any], house: SessionHouse) -> float:
    """The wait that an event tells; the clock stood still meanwhile."""
    return (moment(closed["reconnect_at"]) - house.clock()).total_seconds()


async def stored(house: SessionHouse, session: str, model: Any) -> int:
    """How many rows of a table a session has."""
    table = model.__table__
    async with house.context.database.reading(house.scope) as tx:
        query = select(func.count()).select_from(table).where(table.c.session_id == session)
        return int((await tx.connection.execute(query)).scalar_one())


async def connections(house: SessionHouse, session: str) -> int:
    """How often the session was connected."""
    return len(await house.events(session, "session.connected"))


async def connected_again(house: SessionHouse, session: str, before: int) -> None:
    """Wait until it was connected more often than before."""

    async def look() -> bool:
        return await connections(house, session) > before

    await eventually(look, timeout_s=20)


async def send_one(house: SessionHouse, session: str) -> None:
    """A message of the session arrives."""
    await house.simulator.create_phone(CUSTOMER)
    message = await house.send(session, CUSTOMER)
    await house.message(message, lambda one: one["status"] in ("SENT", "DELIVERED"))


@pytest.mark.parametrize("row", PASSING, ids=str)
async def test_what_closes_in_passing_connects_again_after_its_wait(house: SessionHouse, row: Row) -> None:
    session = await house.link()

    await strike(house, session, row)

    closed = await house.closed(session, row.code)
    assert (closed["reason"], closed["permanent"]) == (row.reason, False)
    assert closed["advice"] == "Nothing; the session connects again by itself."
    # The longest of the jitter, which the test's chances draw.
    assert wait_s(closed, house) == pytest.approx(row.wait_s, abs=0.002)
    assert (await house.breaker(session)).state is row.breaker
    seen = await house.reach(session, "RECONNECTING")
    assert abs(moment(seen["reconnect_at"]) - moment(closed["reconnect_at"])) < timedelta(seconds=0.002)

    await house.advance(session, row.wait_s)
    seen = await house.reach(session, "CONNECTED")
    assert "reconnect_at" not in seen
    last = seen["last_close"]
    assert (last["code"], last["reason"], last["permanent"]) == (row.code, row.reason, False)
    assert last["advice"] == closed["advice"]
    await send_one(house, session)
    await house.breaker_is(session, CLOSED)


async def test_a_restart_is_followed_at_once_with_the_same_credentials(house: SessionHouse) -> None:
    session = await house.link()

    await strike(house, session, Row("stream_error", 515, "restart_required"))

    closed = await house.closed(session, 515)
    assert closed["reason"] == "restart_required"
    assert abs(wait_s(closed, house)) < 0.002
    seen = await house.reach(session, "CONNECTED")
    assert (
        seen["last_close"]["advice"] == closed["advice"] == "Nothing; the session connects again by itself."
    )
    await send_one(house, session)
    await house.breaker_is(session, CLOSED)
    assert len(await house.simulator.devices(house.numbers[session])) == 1


@pytest.mark.parametrize("row", PERMANENT, ids=str)
async def test_what_closes_for_good_stays_down_until_a_person_starts_it(
    house: SessionHouse, row: Row
) -> None:
    house.rng.share = 0.0
    session = await house.link()

    await strike(house, session, row)

    seen = await house.reach(session, row.state)
    closed = await house.closed(session, row.code)
    last = seen["last_close"]
    assert (closed["reason"], closed["permanent"], closed["reconnect_at"]) == (row.reason, True, None)
    assert (last["code"], last["reason"], last["permanent"]) == (row.code, row.reason, True)
    assert row.advice in last["advice"] == closed["advice"]
    breaker = await house.breaker(session)
    assert (breaker.state, breaker.waits_for_person) == (OPEN, True)
    assert await stored(house, session, AuthCredentialsRow) == 1
    await house.advance(session, 7200)
    assert (await house.session(session))["state"] == row.state

    await house.call("POST", f"/v1/sessions/{session}:start", {})
    await house.reach(session, "CONNECTED")
    assert (await house.breaker(session)).state is HALF_OPEN
    await send_one(house, session)
    await house.breaker_is(session, CLOSED)


@pytest.mark.parametrize("fault", ["stream_error", "login_failure"])
async def test_a_number_that_was_unlinked_is_archived_and_must_be_paired_again(
    house: SessionHouse, fault: str
) -> None:
    house.rng.share = 0.0
    session = await house.link()

    await strike(house, session, Row(fault, 401, "logged_out"))

    seen = await house.reach(session, "LOGGED_OUT")
    closed = await house.closed(session, 401)
    assert (closed["reason"], closed["permanent"]) == ("logged_out", True)
    assert "pair it again" in seen["last_close"]["advice"]
    assert seen["phone_number"] == ""
    assert (await house.breaker(session)).waits_for_person
    assert await stored(house, session, ArchivedCredentialsRow) == 1
    assert await stored(house, session, AuthCredentialsRow) == await stored(house, session, AuthKeyRow) == 0
    refused = await house.rest.ask("POST", f"/v1/sessions/{session}:start", {})
    assert refused.body["code"] == "SESSION_NOT_LINKED"

    offer = await house.call("POST", f"/v1/sessions/{session}:pair", {})
    await house.simulator.scan(house.numbers[session], offer["qr"])
    await house.reach(session, "CONNECTED")
    assert (await house.breaker(session)).state is CLOSED
    assert await stored(house, session, ArchivedCredentialsRow) == 1


async def test_a_temporary_ban_rests_until_a_day_after_its_end(house: SessionHouse) -> None:
    house.rng.share = 0.0
    session = await house.link()

    await strike(house, session, Row("login_failure", 402, "banned"), expire_s=7200, ban_code=104)

    seen = await house.reach(session, "BANNED")
    advice = seen["last_close"]["advice"]
    assert "the same message to too many people (104)" in advice
    assert "about 2 h" in advice
    until = house.clock() + timedelta(hours=26)
    assert abs(moment(seen["last_close"]["start_not_before"]) - until) < timedelta(seconds=1)
    assert (await house.closed(session, 402))["start_not_before"]
    await house.advance(session, 25 * 3600)
    refused = await house.rest.ask("POST", f"/v1/sessions/{session}:start", {})
    assert (refused.status, refused.body["code"]) == (409, "SESSION_BANNED")
    assert refused.body["retry_after_s"] == pytest.approx(3600, abs=2)
    assert (await house.session(session))["state"] == "BANNED"

    await house.advance(session, 3601)
    await house.call("POST", f"/v1/sessions/{session}:start", {})
    await house.reach(session, "CONNECTED")


async def test_an_unknown_error_is_tried_five_times_and_never_costs_the_link(house: SessionHouse) -> None:
    house.rng.share = 0.0
    session = await house.link()

    for _ in range(5):
        before = await connections(house, session)
        await strike(house, session, Row("stream_error", 500, "unknown"))
        await connected_again(house, session, before)
    await strike(house, session, Row("stream_error", 500, "unknown"))

    seen = await house.reach(session, "STOPPED")
    assert "6 times in a row" in seen["last_close"]["advice"]
    assert seen["last_close"]["permanent"]
    assert (await house.closed(session, 500))["permanent"]
    assert (await house.breaker(session)).waits_for_person
    assert await stored(house, session, AuthCredentialsRow) == 1
    await house.call("POST", f"/v1/sessions/{session}:start", {})
    await house.reach(session, "CONNECTED")


async def test_a_failing_network_makes_messages_go_one_by_one_and_a_loop_is_told_once(
    house: SessionHouse,
) -> None:
    house.rng.share = 0.0
    session = await house.link()
    for count in range(1, 8):
        assert (await house.breaker(session)).state is (HALF_OPEN if count > 5 else CLOSED)
        before = await connections(house, session)
        await house.simulator.fault("cut", number=house.numbers[session])
        await connected_again(house, session, before)
        loops = await house.events(session, "session.reconnect_loop")
        assert len(loops) == (1 if count >= 5 else 0)

    assert (loops[0]["reconnects"], loops[0]["window_s"], loops[0]["code"]) == (5, 600, 428)
    advice = (await house.session(session))["last_close"]["advice"]
    assert "again and again" in advice
    assert "again and again" in loops[0]["advice"]
    await send_one(house, session)
    await house.breaker_is(session, CLOSED)


@pytest.mark.parametrize(
    ("status", "wait", "breaker"),
    [
        (502, 5, CLOSED),
        (503, 5, CLOSED),
        (504, 5, CLOSED),
        (429, 60, HALF_OPEN),
        (401, 5, CLOSED),
        (403, 5, CLOSED),
    ],
)
async def test_a_refused_upgrade_is_tried_again_ever_later(
    house: SessionHouse, status: int, wait: float, breaker: BreakerState
) -> None:
    session = await house.link()
    await house.call("POST", f"/v1/sessions/{session}:stop", {})
    await house.simulator.fault("refuse", code=status, count=2)

    await house.call("POST", f"/v1/sessions/{session}:start", {})

    for longest in (wait, 2 * wait):
        seen = await house.reach(session, "RECONNECTING")

        async def waits(longest: float = longest) -> bool:
            planned = (await house.row(session)).reconnect_at
            return bool(planned) and abs((planned - house.clock()).total_seconds() - longest) < 0.002

        await eventually(waits)
        seen = await house.session(session)
        last = seen["last_close"]
        assert (last["code"], last["reason"], last["permanent"]) == (status, "upgrade_refused", False)
        assert (await house.breaker(session)).state is breaker
        await house.advance(session, longest)
    await house.reach(session, "CONNECTED")
    # Told once, however often it was tried.
    told = [one for one in await house.events(session, "session.closed") if one["code"] == status]
    assert len(told) == 1


@pytest.mark.parametrize("gateway_settings", [{"connect_timeout_ms": 4000}])
async def test_a_login_that_is_stuck_is_given_up_in_time(house: SessionHouse) -> None:
    session = await house.link()
    await house.call("POST", f"/v1/sessions/{session}:stop", {})
    await house.reach(session, "STOPPED")
    await house.simulator.fault("freeze", number=house.numbers[session])

    await house.call("POST", f"/v1/sessions/{session}:start", {})

    seen = await house.reach(session, "RECONNECTING", timeout_s=12)
    last = seen["last_close"]
    assert (last["code"], last["reason"], last["permanent"]) == (0, "connect_timeout", False)
    await house.simulator.clear_faults()
    await house.advance(session, 1)
    await house.reach(session, "CONNECTED")


@pytest.mark.parametrize("gateway_settings", [{"keep_alive_ms": 1000, "silence_timeout_ms": 2500}])
async def test_a_dead_connection_is_noticed_in_bounded_time(house: SessionHouse) -> None:
    session = await house.link()

    await house.simulator.fault("freeze", number=house.numbers[session])
    closed = await house.closed(session, 408, timeout_s=6)

    assert (closed["reason"], closed["permanent"]) == ("connection_lost", False)
    assert wait_s(closed, house) == pytest.approx(1, abs=0.002)
    await house.simulator.clear_faults()
    await house.advance(session, 1)
    await house.reach(session, "CONNECTED")
    await send_one(house, session)


@pytest.mark.parametrize("gateway_settings", [{"whatsapp_url": "ws://127.0.0.1:1/ws/chat"}])
async def test_a_server_that_is_not_there_ends_a_pairing_with_advice(house: SessionHouse) -> None:
    session = (await house.call("POST", "/v1/sessions", {"name": "Sales"}))["id"]

    refused = await house.rest.ask("POST", f"/v1/sessions/{session}:pair", {})

    assert (refused.status, refused.body["code"]) == (503, "GATEWAY_UNAVAILABLE")
    assert "connection_closed" in refused.body["detail"]
    seen = await house.reach(session, "NEW")
    assert "lost while pairing" in seen["last_close"]["advice"]
    assert (await house.breaker(session)).state is CLOSED
