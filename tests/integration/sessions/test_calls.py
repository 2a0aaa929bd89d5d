"""Calls to a number: a virtual phone calls, real Baileys hears it, events tell of it."""

from typing import Any

import pytest

from tests.support.session_house import SessionHouse
from tests.support.simulator import eventually

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.parametrize("database_kind", ["sqlite"]),
]
CALLER = "+5511966660077"


async def ring(house: SessionHouse, session: str, **said: Any) -> str:
    """Let the caller's phone call, or go on with a call; gives WhatsApp's id of the call."""
    await house.simulator.create_phone(CALLER)
    body = {"to": house.numbers[session], **said}
    return str((await house.simulator.call("POST", f"/phones/{CALLER}:call", body))["call_id"])


async def told(house: SessionHouse, session: str, type_: str, call_id: str) -> dict[str, Any]:
    async def look() -> dict[str, Any] | None:
        found = await house.events(session, type_)
        return next((data for data in found if data["wa_call_id"] == call_id), None)

    data: dict[str, Any] = await eventually(look)
    return data


async def of_call(house: SessionHouse, session: str, call_id: str) -> list[str]:
    """The states that the events of a call told, oldest first."""
    found = await house.events(session, "call.*")
    return [data["state"] for data in found if data["wa_call_id"] == call_id]


async def is_gone(house: SessionHouse, session: str) -> bool:
    """The bridge holds no socket of the session any more."""
    return session not in (await house.bridge.status(5.0)).session_ids


async def test_a_call_that_nobody_takes_is_missed(house: SessionHouse) -> None:
    session = await house.link()
    call = await ring(house, session, video=True)
    received = await told(house, session, "call.received", call)
    assert received["contact"]["phone_number"] == CALLER
    assert (received["video"], received["state"], received["offline"]) == (True, "RINGING", False)
    await ring(house, session, call_id=call, step="preaccept")
    await ring(house, session, call_id=call, step="terminate", reason="timeout")
    ended = await told(house, session, "call.ended", call)
    assert ended == received | {"state": "MISSED", "ended_at": ended["ended_at"]}
    await ring(house, session, call_id=call, step="terminate")
    later = await ring(house, session)
    await told(house, session, "call.received", later)
    assert await of_call(house, session, call) == ["RINGING", "MISSED"]


async def test_a_call_taken_on_the_phone_is_told_with_both_names_of_the_caller(house: SessionHouse) -> None:
    session = await house.link()
    phone = await house.simulator.create_phone(CALLER)
    await house.simulator.set_phone(CALLER, addressing="lid")
    call = await ring(house, session)
    contact = (await told(house, session, "call.received", call))["contact"]
    assert (contact["phone_number"], contact["lid"]) == (CALLER, phone["lid"])
    [known] = (await house.call("GET", f"/v1/contacts?phone_number=%2B{CALLER[1:]}"))["contacts"]
    assert (known["phone_number"], known["jid"], known["lid"]) == (CALLER, phone["jid"], phone["lid"])
    await ring(house, session, call_id=call, step="accept")
    await told(house, session, "call.accepted", call)
    await ring(house, session, call_id=call, step="terminate")
    assert (await told(house, session, "call.ended", call))["state"] == "ENDED"
    await house.simulator.set_phone(CALLER, addressing="pn")


async def test_a_call_while_the_session_is_stopped_is_told_once_it_is_back(house: SessionHouse) -> None:
    session = await house.link()
    await house.call("POST", f"/v1/sessions/{session}:stop", {})
    await eventually(lambda: is_gone(house, session))
    call = await ring(house, session)
    await ring(house, session, call_id=call, step="terminate", reason="timeout")
    assert await of_call(house, session, call) == []
    await house.call("POST", f"/v1/sessions/{session}:start", {})
    assert (await told(house, session, "call.ended", call))["state"] == "MISSED"
    assert (await told(house, session, "call.received", call))["offline"] is True
