"""Messages in groups, on real Baileys against the simulated WhatsApp, both ways."""

import hashlib
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.support.files import png
from tests.support.group_circle import Circle, make_circle
from tests.support.session_house import NOT_YET, SessionHouse
from tests.support.simulator import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def gateway_settings() -> dict[str, Any]:
    """Groups are read at once after connecting."""
    return {"groups_after_s": (0.0, 0.0)}


async def said(circle: Circle, **content: Any) -> dict[str, Any]:
    """Send something to the group, and wait until it has left."""
    body = {"session_id": circle.session, "to": circle.group, **content}
    message = await circle.house.call("POST", "/v1/messages", body)
    left = ("SENT", "DELIVERED", "READ", "PLAYED", "FAILED")
    sent = await circle.house.message(message["id"], lambda one: one["status"] in left)
    assert sent["status"] != "FAILED", sent
    return sent


async def got(circle: Circle, number: str, count: int) -> list[dict[str, Any]]:
    """What a phone got in the group, once there are so many."""

    async def look() -> list[dict[str, Any]]:
        found = [
            one for one in await circle.house.simulator.messages(number) if one.get("group") == circle.group
        ]
        return found if len(found) >= count else []

    found: list[dict[str, Any]] = await eventually(look)
    return found


async def heard(circle: Circle, wa_message_id: str, type_: str = "message.received") -> dict[str, Any]:
    """Wait for an event about a message that somebody wrote."""

    async def look() -> dict[str, Any]:
        found = await circle.house.events(circle.session, type_)
        return next((one for one in found if one["wa_message_id"] == wa_message_id), NOT_YET)

    event: dict[str, Any] = await eventually(look)
    return event


async def say(circle: Circle, by: str, text: str, **more: Any) -> str:
    """Let somebody write in the group; gives WhatsApp's id."""
    return str((await circle.on_phones("send", by=by, text=text, **more))["id"])


async def test_a_text_reaches_each_member_once_and_is_delivered_when_all_have_it(circle: Circle) -> None:
    house, [ana, bob] = circle.house, circle.people
    message = await said(circle, text={"body": "Your order is ready"})

    for person in (ana, bob):
        [one] = await got(circle, person, 1)
        assert (one["id"], one["text"], one["duplicate"]) == (
            message["wa_message_id"],
            "Your order is ready",
            False,
        )
    delivered = await house.message(message["id"], lambda one: one["status"] == "DELIVERED")
    assert delivered["chat"] == circle.group
    await circle.on_phones("read", by=ana)

    async def read_by_one() -> dict[str, Any]:
        found: dict[str, Any] = await house.call("GET", f"/v1/messages/{message['id']}/receipts")
        return found if found["read"] == 1 else NOT_YET

    receipts = await eventually(read_by_one)
    assert (receipts["awaited"], receipts["delivered"]) == (2, 2)
    readers = [one["contact"]["phone_number"] for one in receipts["receipts"] if one.get("read_at")]
    assert readers == [ana]
    assert (await house.call("GET", f"/v1/messages/{message['id']}"))["status"] == "DELIVERED"
    await circle.on_phones("read", by=bob)
    await house.message(message["id"], lambda one: one["status"] == "READ")


async def test_what_a_member_writes_is_told_with_the_group_and_the_member(circle: Circle) -> None:
    [ana, _bob] = circle.people
    wa_id = await say(circle, ana, "STOP")

    event = await heard(circle, wa_id)

    assert (event["chat"], event["text"]["body"]) == (circle.group, "STOP")
    assert event["contact"]["phone_number"] == ana
    assert event["contact"]["lid"]
    assert await circle.house.events(circle.session, "contact.opted_out") == []


async def test_everybody_is_mentioned_by_the_name_that_the_group_has_for_them(circle: Circle) -> None:
    [ana, bob] = circle.people
    await said(circle, text={"body": "Lunch, all?"}, mention_all=True)
    await said(circle, text={"body": "Ana?"}, mentions=[ana])

    everybody, one = await got(circle, bob, 2)

    assert len(set(everybody["mentioned"])) == len(everybody["mentioned"]) == 2
    assert len(one["mentioned"]) == 1
    assert one["mentioned"][0] in everybody["mentioned"]


async def test_files_go_both_ways(circle: Circle, tmp_path: Path) -> None:
    house, [ana, bob] = circle.house, circle.people
    form = aiohttp.FormData()
    form.add_field("file", png(40, 40), filename="a.png")
    media = (await house.rest.ask("POST", "/v1/media", data=form)).body["id"]
    await said(circle, image={"media": {"media_id": media}, "caption": "look"})
    digest = hashlib.sha256(png(40, 40)).hexdigest()
    for person in (ana, bob):
        [one] = await got(circle, person, 1)
        assert (one["kind"], one["text"], one["file"]["sha256"]) == ("image", "look", digest)
    path = tmp_path / "b.png"
    path.write_bytes(png(30, 30))

    sent = await circle.on_phones("send-file", by=bob, kind="image", path=str(path), mime_type="image/png")

    stored = await heard(circle, sent["id"], "message.media_stored")
    assert stored["content"]["image"]["media"]["sha256"] == hashlib.sha256(png(30, 30)).hexdigest()


async def test_answers_reactions_and_edits_are_about_the_message_of_the_group(
    circle: Circle,
) -> None:
    house, [ana, bob] = circle.house, circle.people
    wa_id = await say(circle, ana, "When?")
    question = await heard(circle, wa_id)
    answer = await said(circle, text={"body": "At noon"}, reply_to=question["id"])
    await said(circle, reaction={"message_id": question["id"], "emoji": "👍"})
    _, answered, reaction = await got(circle, bob, 3)
    assert (answered["about"], reaction["about"], reaction["text"]) == (wa_id, wa_id, "👍")

    await said(circle, edit={"message_id": answer["id"], "body": "At one"})
    edited = await house.call("GET", f"/v1/messages/{answer['id']}")
    assert edited["content"]["text"]["body"] == "At one"
    await circle.on_phones("react", by=ana, message_id=answer["wa_message_id"], emoji="❤")
    reacted = await house.message(answer["id"], lambda one: bool(one.get("reactions")))
    assert [one["emoji"] for one in reacted["reactions"]] == ["❤"]


async def test_where_only_admins_send_others_are_refused(circle: Circle) -> None:
    house, [ana, bob] = circle.house, circle.people
    theirs = {"owner": ana, "subject": "News", "members": [bob, house.numbers[circle.session]]}
    circle.group = (await house.simulator.call("POST", "/groups", theirs))["jid"]
    await circle.told("group.joined")
    await house.simulator.call("PATCH", f"/groups/{circle.group}", {"only_admins_send": True})
    await circle.told("group.updated")

    body = {"session_id": circle.session, "to": circle.group, "text": {"body": "Hello?"}}
    answer = await house.rest.ask("POST", "/v1/messages", body)

    assert (answer.status, answer.body["code"]) == (403, "GROUP_NOT_ADMIN")


async def test_a_number_that_is_not_in_the_group_is_refused(circle: Circle) -> None:
    house = circle.house
    stranger = await house.link()
    await circle.call("POST", ":leave", {})
    body = {"session_id": circle.session, "to": circle.group, "text": {"body": "Hello?"}}
    answer = await house.rest.ask("POST", "/v1/messages", body)
    assert (answer.status, answer.body["code"]) == (409, "GROUP_NOT_MEMBER")

    # Of the stranger's groups nothing is known against this one until they were read: WhatsApp says no.
    answer = await house.rest.ask("POST", "/v1/messages", body | {"session_id": stranger})
    if answer.status < 300:
        failed = await house.message(answer.body["id"], lambda one: one["status"] == "FAILED")
        assert failed["error"]["code"] == "GROUP_NOT_MEMBER"
    else:
        assert answer.body["code"] == "GROUP_NOT_MEMBER"


async def test_a_member_first_known_by_the_hidden_id_is_one_contact_with_the_number(circle: Circle) -> None:
    house, [ana, _bob] = circle.house, circle.people
    in_group = await heard(circle, await say(circle, ana, "in the group"))
    wa_id = await house.simulator.send(ana, house.numbers[circle.session], "alone")

    alone = await heard(circle, wa_id)

    assert alone["contact"] == in_group["contact"]
    assert alone["chat"] != circle.group


async def test_a_text_to_twelve_reaches_each_once(house: SessionHouse) -> None:
    circle = await make_circle(house, people=12)
    messages = [await said(circle, text={"body": f"Lunch {number}"}) for number in range(3)]

    for person in circle.people:
        found = await got(circle, person, 3)
        assert [one["id"] for one in found] == [message["wa_message_id"] for message in messages]
    await house.message(messages[-1]["id"], lambda one: one["status"] == "DELIVERED")
