"""Channels on real Baileys: found by their link, followed, posted in, and read."""

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


async def made(house: SessionHouse, owner: str, name: str) -> dict[str, Any]:
    """A channel that a number owns."""
    body = {"owner": owner, "name": name, "description": "What is new"}
    channel: dict[str, Any] = await house.simulator.call("POST", "/channels", body)
    return channel


async def ask(house: SessionHouse, verb: str, session: str, channel: str) -> dict[str, Any]:
    body = {"session_id": session, "channel": channel}
    found: dict[str, Any] = await house.call("POST", f"/v1/channels:{verb}", body)
    return found


async def send(house: SessionHouse, session: str, channel: str, **content: Any) -> dict[str, Any]:
    """Post something; gives the message once it has left or failed."""
    message = await house.call("POST", "/v1/messages", {"session_id": session, "to": channel, **content})
    return await house.message(message["id"], lambda one: one["status"] == "SENT" or "error" in one)


async def test_a_channel_is_found_followed_and_left_by_its_link(house: SessionHouse) -> None:
    owner, reader = await house.link(), await house.link()
    channel = await made(house, house.numbers[owner], "News")
    link = f"https://whatsapp.com/channel/{channel['invite']}"
    found = await ask(house, "lookUp", reader, link)
    assert found == {
        "jid": channel["jid"],
        "name": "News",
        "description": "What is new",
        "followers": 0,
        "link": link,
        "following": False,
        "can_post": False,
    }
    followed = await ask(house, "follow", reader, link)
    assert (followed["following"], followed["followers"]) == (True, 1)
    assert (await ask(house, "lookUp", owner, channel["jid"]))["can_post"] is True
    assert (await ask(house, "unfollow", reader, channel["jid"]))["following"] is False
    for unknown in ("120363000000000000@newsletter", "no-such-channel"):
        answer = await house.rest.ask(
            "POST", "/v1/channels:lookUp", {"session_id": reader, "channel": unknown}
        )
        assert (answer.status, answer.body["code"]) == (404, "CHANNEL_NOT_FOUND")


async def test_what_is_posted_reaches_those_who_follow(house: SessionHouse) -> None:
    owner, reader = await house.link(), await house.link()
    channel = await made(house, house.numbers[owner], "News")
    await ask(house, "follow", reader, channel["jid"])
    form = aiohttp.FormData()
    form.add_field("file", png(), filename="a.png")
    media_id = (await house.rest.ask("POST", "/v1/media", data=form)).body["id"]
    sent = [
        await send(house, owner, channel["jid"], text={"body": "We are open"}),
        await send(house, owner, channel["jid"], image={"media": {"media_id": media_id}, "caption": "Look"}),
    ]
    assert [one["status"] for one in sent] == ["SENT", "SENT"]
    posts = (await house.simulator.call("GET", f"/channels/{channel['jid']}"))["posts"]
    assert [(post["id"], post["kind"], post["text"]) for post in posts] == [
        (sent[0]["wa_message_id"], "text", "We are open"),
        (sent[1]["wa_message_id"], "image", "Look"),
    ]

    async def received() -> list[dict[str, Any]]:
        found = await house.events(reader, "message.received")
        return found if len(found) == 2 else []

    first, second = await eventually(received)
    assert (first["chat"], first["type"], first["text"]["body"]) == (channel["jid"], "text", "We are open")
    assert (second["chat"], second["type"], second["wa_message_id"]) == (
        channel["jid"],
        "image",
        sent[1]["wa_message_id"],
    )
    listed = await house.call("GET", f"/v1/messages?session_id={reader}&chat={channel['jid']}")
    assert len(listed["messages"]) == 2


async def test_a_post_that_came_while_the_session_was_stopped_is_received_once_it_is_back(
    house: SessionHouse,
) -> None:
    owner, reader = await house.link(), await house.link()
    channel = await made(house, house.numbers[owner], "News")
    await ask(house, "follow", reader, channel["jid"])
    await house.call("POST", f"/v1/sessions/{reader}:stop", {})
    await house.reach(reader, "STOPPED")

    async def gone() -> bool:
        return reader not in (await house.bridge.status(5.0)).session_ids

    await eventually(gone)
    post = await house.simulator.call("POST", f"/channels/{channel['jid']}:post", {"text": "Closed today"})
    await house.call("POST", f"/v1/sessions/{reader}:start", {})

    async def received() -> dict[str, Any]:
        found = await house.events(reader, "message.received")
        return next((one for one in found if one["wa_message_id"] == post["id"]), NOT_YET)

    told = await eventually(received, timeout_s=20)
    assert (told["text"]["body"], told["offline"]) == ("Closed today", True)
    assert len(await house.events(reader, "message.received")) == 1


async def test_who_may_not_post_is_told_so(house: SessionHouse) -> None:
    owner, reader = await house.link(), await house.link()
    channel = await made(house, house.numbers[owner], "News")
    message = await send(house, reader, channel["jid"], text={"body": "Me too"})
    assert message["error"]["detail"].startswith("403")
    assert (await house.simulator.call("GET", f"/channels/{channel['jid']}"))["posts"] == []
