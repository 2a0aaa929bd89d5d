"""Numbers with two spellings, on real Baileys: messages to either one reach the phone, and its answers their chat."""

from typing import Any

import pytest

from tests.support.session_house import SessionHouse
from tests.support.simulator import eventually

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.parametrize("database_kind", ["sqlite"]),
]


@pytest.mark.parametrize(
    ("number", "other"), [("+553187650001", "+5531987650001"), ("+5215512340001", "+525512340001")]
)
async def test_either_spelling_is_the_same_chat(house: SessionHouse, number: str, other: str) -> None:
    session = await house.link()
    await house.simulator.create_phone(number)
    first = await house.send(session, other, "first")
    sent = await house.message(first, lambda message: message["status"] == "DELIVERED")
    assert sent["contact"]["phone_number"] == number
    await house.simulator.send(number, house.numbers[session], "answer")
    second = await house.send(session, number, "second")
    await house.message(second, lambda message: message["status"] == "DELIVERED")

    async def all_there() -> list[dict[str, Any]]:
        found = await house.call("GET", f"/v1/messages?chat={other.replace('+', '%2B')}")
        return found["messages"] if len(found["messages"]) == 3 else []

    messages = await eventually(all_there)
    assert {message["text"]["body"] for message in messages} == {"first", "answer", "second"}
    assert {message["chat"] for message in messages} == {f"{number[1:]}@s.whatsapp.net"}
    check = await house.call("POST", "/v1/contacts:check", {"session_id": session, "phone_numbers": [other]})
    assert check["contacts"][0]["jid"] == f"{number[1:]}@s.whatsapp.net"
