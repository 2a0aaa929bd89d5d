"""Statuses on real Baileys: shown to those that they name, and who has seen them."""

from typing import Any

import aiohttp
import pytest

from tests.support.files import png
from tests.support.session_house import NOT_YET, SessionHouse
from tests.support.simulator import eventually

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.parametrize("database_kind", ["sqlite"]),
]
STATUS = "status@broadcast"


async def posted(house: SessionHouse, session: str, audience: list[str], **content: Any) -> dict[str, Any]:
    """Post a status, and wait until it has left."""
    body = {"session_id": session, "to": STATUS, "audience": audience, **content}
    message = await house.call("POST", "/v1/messages", body)
    return await house.message(message["id"], lambda one: one["status"] in ("SENT", "FAILED"))


async def shown(house: SessionHouse, number: str, wa_message_id: str) -> dict[str, Any]:
    async def look() -> dict[str, Any]:
        found = await house.simulator.messages(number)
        return next((one for one in found if one["id"] == wa_message_id), NOT_YET)

    one: dict[str, Any] = await eventually(look)
    return one


async def people(house: SessionHouse, count: int) -> list[str]:
    numbers = [house.servers.new_number() for _ in range(count)]
    for number in numbers:
        await house.simulator.create_phone(number)
    return numbers


async def test_it_is_shown_to_those_that_it_names_and_who_has_seen_it_is_told(house: SessionHouse) -> None:
    session = await house.link()
    ana, bob, eve = await people(house, 3)
    await house.simulator.set_phone(ana, auto_read=True)

    first = await posted(house, session, [ana, bob], text={"body": "We are open"})
    assert (first["status"], first["chat"]) == ("SENT", STATUS)
    for number in (ana, bob):
        one = await shown(house, number, first["wa_message_id"])
        assert (one["to"], one["text"], one["duplicate"]) == (STATUS, "We are open", False)

    async def seen() -> list[dict[str, Any]]:
        receipts = (await house.call("GET", f"/v1/messages/{first['id']}/receipts"))["receipts"]
        return [one for one in receipts if one.get("read_at")]

    [reader] = await eventually(seen)
    assert reader["contact"]["phone_number"] == ana
    told = await house.events(session, "message.receipt")
    assert {one["message_id"] for one in told} == {first["id"]}

    second = await posted(house, session, [bob, eve], text={"body": "Only today"})
    for number in (bob, eve):
        assert (await shown(house, number, second["wa_message_id"]))["text"] == "Only today"
    assert [one["text"] for one in await house.simulator.messages(ana)] == ["We are open"]


async def test_a_picture_is_posted_and_taken_back(house: SessionHouse) -> None:
    session = await house.link()
    [ana] = await people(house, 1)
    form = aiohttp.FormData()
    form.add_field("file", png(), filename="a.png")
    media_id = (await house.rest.ask("POST", "/v1/media", data=form)).body["id"]
    status = await posted(house, session, [ana], image={"media": {"media_id": media_id}, "caption": "new"})
    one = await shown(house, ana, status["wa_message_id"])
    assert (one["to"], one["kind"], one["text"]) == (STATUS, "image", "new")

    deletion = await house.call("POST", "/v1/messages", {"delete": {"message_id": status["id"]}})
    gone = await house.message(deletion["id"], lambda found: found["status"] in ("SENT", "FAILED"))
    assert (gone["status"], gone["content"]["audience"]) == ("SENT", [ana])
    arrived = await house.simulator.arrivals()
    assert [one["to"] for one in arrived if one["id"] == gone["wa_message_id"]] == [STATUS]
