"""Linking a number on real Baileys: QR and code, their ends, cancelling, and linking again."""

from typing import Any

import pytest
from sqlalchemy import func, select

from orchestrator.domain.breaker import BreakerState
from orchestrator.store.models import ArchivedCredentialsRow, AuthCredentialsRow
from tests.support.qr_reader import read_png, read_svg
from tests.support.session_house import SessionHouse
from tests.support.simulator import SimulatorError, eventually

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.parametrize("database_kind", ["sqlite"]),
]

FAST_QRS = {"qr_lifetime_ms": 700, "qr_codes": 3}


async def new_session(house: SessionHouse) -> str:
    """A session that no number is linked to."""
    return str((await house.call("POST", "/v1/sessions", {"name": "Sales"}))["id"])


async def new_phone(house: SessionHouse) -> str:
    """The number of a new phone."""
    number = house.servers.new_number()
    await house.simulator.create_phone(number)
    return number


async def pair(house: SessionHouse, session: str, **more: object) -> dict[str, Any]:
    """Ask for an offer."""
    offer: dict[str, Any] = await house.call("POST", f"/v1/sessions/{session}:pair", more)
    return offer


async def stored(house: SessionHouse, session: str, model: Any) -> int:
    """How many rows of a table a session has."""
    table = model.__table__
    async with house.context.database.reading(house.scope) as tx:
        query = select(func.count()).select_from(table).where(table.c.session_id == session)
        return int((await tx.connection.execute(query)).scalar_one())


async def sockets_are(house: SessionHouse, count: int) -> None:
    """Wait until the server has so many sockets."""

    async def look() -> bool:
        return bool((await house.simulator.stats())["sockets"] == count)

    await eventually(look)


async def test_the_qr_is_the_same_as_text_svg_and_png_and_a_phone_can_scan_it(house: SessionHouse) -> None:
    session, number = await new_session(house), await new_phone(house)

    offer = await pair(house, session)

    text = offer["qr"]
    assert "unofficial" in offer["notice"]
    path = f"/v1/sessions/{session}/qr"
    assert (await house.call("GET", path))["qr"] == text
    assert read_svg((await house.rest.ask("GET", f"{path}.svg")).raw) == text
    from_picture = read_png((await house.rest.ask("GET", f"{path}.png")).raw)
    assert from_picture == text
    assert [event["qr"] for event in await house.events(session, "session.qr")] == [text]
    await house.simulator.scan(number, from_picture)
    linked = await house.reach(session, "CONNECTED")
    assert linked["phone_number"] == number
    gone = await house.rest.ask("GET", path)
    assert (gone.status, gone.body["code"]) == (409, "QR_NOT_AVAILABLE")


async def test_asking_again_answers_the_qr_on_show_and_is_no_event(house: SessionHouse) -> None:
    session = await new_session(house)

    offers = [await pair(house, session) for _ in range(5)]

    assert len({offer["qr"] for offer in offers}) == 1
    assert len(await house.events(session, "session.qr")) == 1
    assert len(await house.events(session, "session.state")) == 1


@pytest.mark.parametrize("gateway_settings", [FAST_QRS])
async def test_qrs_follow_each_other_up_to_the_limit_then_the_pairing_ends(house: SessionHouse) -> None:
    session = await new_session(house)
    await pair(house, session)

    ended = await house.reach(session, "NEW")

    told = [event["qr"] for event in await house.events(session, "session.qr")]
    assert len(told) == len(set(told)) == 3
    last = ended["last_close"]
    assert (last["code"], last["reason"], last["permanent"]) == (408, "qr_expired", True)
    assert "ask for a new one" in last["advice"]
    closed = await house.closed(session, 408)
    assert (closed["reason"], closed["permanent"], closed["reconnect_at"]) == ("qr_expired", True, None)
    assert (await house.breaker(session)).state is BreakerState.CLOSED
    assert (await house.rest.ask("GET", f"/v1/sessions/{session}/qr")).body["code"] == "QR_NOT_AVAILABLE"
    with pytest.raises(SimulatorError, match="QR_NOT_FOUND"):
        await house.simulator.scan(await new_phone(house), told[-1])

    number = await new_phone(house)
    await house.simulator.scan(number, (await pair(house, session))["qr"])
    await house.reach(session, "CONNECTED")


async def test_a_number_is_linked_by_a_code(house: SessionHouse) -> None:
    session, number = await new_session(house), await new_phone(house)

    offer = await pair(house, session, method="CODE", phone_number=number)

    assert len(offer["code"]) == 8
    assert offer["qr"] == ""
    await house.simulator.enter_code(number, offer["code"])
    assert (await house.reach(session, "CONNECTED"))["phone_number"] == number


async def test_a_number_is_linked_by_a_code_of_ones_own(house: SessionHouse) -> None:
    session, number = await new_session(house), await new_phone(house)

    offer = await pair(house, session, method="CODE", phone_number=number, custom_code="P0NTE4U2")

    assert offer["code"] == "P0NTE4U2"
    await house.simulator.enter_code(number, "P0NTE4U2")
    assert (await house.reach(session, "CONNECTED"))["phone_number"] == number


@pytest.mark.parametrize("code", ["SHORT12", "TOOLONG12", "lower123", "WITH-MIN", "ÄBCDEFGH", "ABCDEFG\n"])
async def test_a_code_of_another_form_is_refused(house: SessionHouse, code: str) -> None:
    session = await new_session(house)
    body = {"method": "CODE", "phone_number": "+5511987654321", "custom_code": code}

    refused = await house.rest.ask("POST", f"/v1/sessions/{session}:pair", body)

    assert (refused.status, refused.body["code"]) == (400, "INVALID_ARGUMENT")
    assert [one["field"] for one in refused.body["field_violations"]] == ["custom_code"]
    assert (await house.session(session))["state"] == "NEW"


async def test_a_qr_takes_no_code(house: SessionHouse) -> None:
    session = await new_session(house)

    refused = await house.rest.ask("POST", f"/v1/sessions/{session}:pair", {"custom_code": "P0NTE4U2"})

    assert [one["field"] for one in refused.body["field_violations"]] == ["custom_code"]


@pytest.mark.parametrize("gateway_settings", [FAST_QRS])
async def test_a_code_outlives_the_qrs_and_the_last_one_counts(house: SessionHouse) -> None:
    session, number, other = await new_session(house), await new_phone(house), await new_phone(house)
    await pair(house, session)
    await pair(house, session, method="CODE", phone_number=other)
    offer = await pair(house, session, method="CODE", phone_number=number)

    async def shown() -> bool:
        return len(await house.events(session, "session.qr")) == 3

    await eventually(shown)
    await house.simulator.enter_code(number, offer["code"])
    assert (await house.reach(session, "CONNECTED"))["phone_number"] == number


async def test_a_pairing_is_cancelled_by_stopping_it(house: SessionHouse) -> None:
    session, number = await new_session(house), await new_phone(house)
    before = (await house.simulator.stats())["sockets"]
    offer = await pair(house, session)

    stopped = await house.call("POST", f"/v1/sessions/{session}:stop", {})

    assert (stopped["state"], stopped["desired_state"]) == ("NEW", "STOP")
    last = stopped["last_close"]
    assert (last["reason"], last["permanent"]) == ("pairing_cancelled", True)
    assert (await house.closed(session, 0))["reason"] == "pairing_cancelled"
    await sockets_are(house, before)
    with pytest.raises(SimulatorError, match="QR_NOT_FOUND"):
        await house.simulator.scan(number, offer["qr"])
    assert (await house.rest.ask("GET", f"/v1/sessions/{session}/qr")).body["code"] == "QR_NOT_AVAILABLE"

    await house.simulator.scan(number, (await pair(house, session))["qr"])
    await house.reach(session, "CONNECTED")


async def test_a_phone_that_scans_while_the_pairing_is_cancelled_links_all_or_nothing(
    house: SessionHouse,
) -> None:
    for _ in range(5):
        session, number = await new_session(house), await new_phone(house)
        offer = await pair(house, session)
        await house.simulator.scan(number, offer["qr"])
        stopped = await house.call("POST", f"/v1/sessions/{session}:stop", {})

        async def let_go(session: str = session) -> bool:
            return bool((await house.row(session)).lease_owner == "")

        await eventually(let_go)
        linked = stopped["state"] == "STOPPED"
        assert (await house.session(session))["state"] == ("STOPPED" if linked else "NEW")
        assert await stored(house, session, AuthCredentialsRow) == int(linked)


async def test_a_session_is_linked_to_another_number_after_its_logout(house: SessionHouse) -> None:
    session = await house.link()

    out = await house.call("POST", f"/v1/sessions/{session}:logout", {})

    assert (out["state"], out["phone_number"]) == ("LOGGED_OUT", "")
    assert await stored(house, session, AuthCredentialsRow) == 0
    assert await stored(house, session, ArchivedCredentialsRow) == 1
    number = await new_phone(house)
    await house.simulator.scan(number, (await pair(house, session))["qr"])
    assert (await house.reach(session, "CONNECTED"))["phone_number"] == number
    assert await stored(house, session, ArchivedCredentialsRow) == 1


async def test_a_linked_session_is_not_paired_again(house: SessionHouse) -> None:
    session = await house.link()

    refused = await house.rest.ask("POST", f"/v1/sessions/{session}:pair", {})

    assert (refused.status, refused.body["code"]) == (409, "SESSION_ALREADY_LINKED")
    assert (await house.session(session))["state"] == "CONNECTED"


async def test_a_history_of_no_days_is_refused_and_one_of_some_is_wanted(house: SessionHouse) -> None:
    session = (await house.call("POST", "/v1/sessions", {"name": "Sales"}))["id"]
    refused = await house.rest.ask("POST", f"/v1/sessions/{session}:pair", {"history": {"groups": True}})
    assert refused.status == 400
    assert "history.days" in str(refused.body)
    await house.call("POST", f"/v1/sessions/{session}:pair", {"history": {"days": 7, "media": True}})
    row = await house.row(session)
    assert (row.history_days, row.history_groups, row.history_media) == (7, False, True)
