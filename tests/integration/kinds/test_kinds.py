"""Each kind of content in both directions, with real Baileys on the other side; the table in the docs is made of it."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from google.protobuf import json_format

from orchestrator._generated.ponte.v1 import content_pb2, message_pb2, message_pb2_grpc
from orchestrator.domain.content import to_values
from orchestrator.services.webhook_delivery import WebhookDeliveryService
from orchestrator.services.webhooks import WebhookService
from orchestrator.url_guard.guard import UrlGuard
from orchestrator.webhooks.client import WebhookClient
from orchestrator.webhooks.settings import WebhookSettings
from tests.integration.kinds.cases import Json, Received, Sent, filled, missing
from tests.integration.kinds.received import RECEIVED
from tests.integration.kinds.sent import SENT
from tests.integration.kinds.table import PAGE, Table
from tests.integration.webhooks.receiver import Receiver, running_receiver
from tests.support import files
from tests.support.raw_baileys import RawBaileys, running_raw_baileys
from tests.support.session_house import SessionHouse, running_house, running_servers
from tests.support.simulator import eventually

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("database_kind", ["sqlite"])]

_DONE = ("SENT", "DELIVERED", "READ")


@dataclass
class World:
    """A session of Ponte, raw Baileys on the other side, and an endpoint that hears of everything."""

    house: SessionHouse
    peer: RawBaileys
    peer_number: str
    session: str
    receiver: Receiver
    table: Table
    files: dict[str, str]
    """What the words for files stand for."""

    @property
    def number(self) -> str:
        """The session's phone number."""
        return self.house.numbers[self.session]

    async def post(self, body: Json) -> Json:
        """Send a message and wait until the server has it."""
        request = {"session_id": self.session, "to": self.peer_number, **body}
        message: Json = await self.house.call("POST", "/v1/messages", request)
        return await self.house.message(message["id"], lambda found: found["status"] in _DONE)

    async def event(self, type_: str, wa_message_id: str) -> Json:
        """The data of the event of one type about a message, once it is there."""

        async def look() -> Json | None:
            found = await self.house.events(self.session, type_)
            return next((data for data in found if data["wa_message_id"] == wa_message_id), None)

        data: Json = await eventually(look, timeout_s=30)
        return data

    async def check_everywhere(self, kind: str, told: Json) -> None:
        """What an event told of a message is what is stored, and what REST and gRPC give."""
        wanted = _content(told["content"])
        assert told["type"] == kind
        self.table.mark(kind, ["event"])
        stored = await self.house.api.services.messages.get(self.house.scope, told["id"])
        assert stored.whole_content is not None
        assert _content(to_values(stored.whole_content)) == wanted
        self.table.mark(kind, ["stored"])
        assert _content((await self.house.call("GET", f"/v1/messages/{told['id']}"))["content"]) == wanted
        self.table.mark(kind, ["REST"])
        stub = message_pb2_grpc.MessageServiceStub(self.house.api.channel)
        answer = await stub.GetMessage(
            message_pb2.GetMessageRequest(message_id=told["id"]),
            metadata=self.house.api.metadata(self.house.rest.key),
        )
        assert answer.content == wanted
        self.table.mark(kind, ["gRPC"])


@asynccontextmanager
async def _running_world(folder: Path, database_url: str) -> AsyncIterator[World]:
    async with (
        running_servers(folder) as servers,
        running_house(servers, database_url) as house,
        running_raw_baileys(folder, servers.simulator) as peer,
        running_receiver() as receiver,
    ):
        session = await house.link()
        peer_number = servers.new_number()
        await servers.simulator.create_phone(peer_number)
        await peer.link(peer_number, folder / "peer")
        uploaded = await _upload(house, folder)
        yield World(house, peer, peer_number, session, receiver, Table(), uploaded)


async def _upload(house: SessionHouse, folder: Path) -> dict[str, str]:
    made = {
        "picture": files.png(),
        "film": files.film(folder / "a.mp4", 1.0).read_bytes(),
        "sound": files.tone(folder / "a.mp3", 1.0).read_bytes(),
    }
    ids: dict[str, str] = {}
    for word, contents in made.items():
        form = aiohttp.FormData()
        form.add_field("file", contents, filename=word)
        answer = await house.rest.ask("POST", "/v1/media", data=form)
        ids[word] = answer.body["id"]
    return ids


@asynccontextmanager
async def _heard(world: World) -> AsyncIterator[None]:
    """What happens in the block is delivered to the receiver at its end."""
    context, guard = world.house.context, UrlGuard(allow_private_networks=True)
    _, world.receiver.secret = await WebhookService(context, guard).create(
        world.house.scope, world.receiver.url, ["message.*"]
    )
    yield
    client = WebhookClient(guard, context.clock, WebhookSettings(request_timeout_s=20))
    delivery = WebhookDeliveryService(context, client)
    await delivery.run(world.house.scope)
    await delivery.close(grace_s=0.5)
    await client.close()


async def test_every_kind_works_where_the_table_says_so(database_url: str, tmp_path: Path) -> None:
    told: list[tuple[str, Json]] = []
    async with _running_world(tmp_path, database_url) as world:
        async with _heard(world):
            told += [(case.kind, await _send(world, case)) for case in SENT]
            told.append(("poll_vote", await _vote(world)))
            told.append(("album", await _send_album(world)))
            told += [(arrival.kind, await _receive(world, arrival)) for arrival in RECEIVED]
            for kind, data in told:
                await world.check_everywhere(kind, data)
        await _act_on_chat(world)
        heard = {one.event["data"]["id"]: one.event["data"] for one in world.receiver.taken}
        for kind, data in told:
            assert heard[data["id"]]["content"] == data["content"], kind
            world.table.mark(kind, ["webhook"])
    if os.environ.get("PONTE_WRITE_DOCS"):
        PAGE.write_text(world.table.page(), encoding="utf-8")
    assert world.table.page() == PAGE.read_text(encoding="utf-8")


async def _send(world: World, case: Sent) -> Json:
    words = world.files | (await _named(world, case.about) if case.about else {})
    sent = await world.post(filled(case.body, **words))
    arrived = await world.peer.message(sent["wa_message_id"])
    gaps = missing(filled(case.arrives, **words), arrived["message"])
    assert not gaps, f"{case.kind}: {gaps} in {arrived}"
    world.table.mark(case.kind, ["send"])
    return await world.event("message.sent", sent["wa_message_id"])


async def _named(world: World, which: str) -> Json:
    """A new message to be named: `{id}` here, `{wa_id}`, and its `{key}` as the other side has it."""
    if which == "theirs":
        wa_id = await world.peer.post(world.number, {"text": "theirs"})
        told = await world.event("message.received", wa_id)
        key: Any = {"remoteJid": _jid(world.number), "fromMe": True, "id": wa_id}
        return {"id": told["id"], "wa_id": wa_id, "key": key}
    ours = await world.post({"text": {"body": "ours"}})
    wa_id = ours["wa_message_id"]
    return {"id": ours["id"], "wa_id": wa_id, "key": (await world.peer.message(wa_id))["key"]}


async def _receive(world: World, case: Received) -> Json:
    words = await _named(world, case.about) if case.about else {}
    if case.content is not None:
        wa_id = await world.peer.post(world.number, filled(case.content, **words))
    else:
        wa_id = await world.peer.relay(world.number, case.message or {})
    told = await world.event(case.event, wa_id)
    gaps = missing(filled(case.becomes, **words), told["content"])
    assert not gaps, f"{case.kind}: {gaps} in {told}"
    if case.event != "message.received":
        assert told["target"]["id"] == words["id"], case.kind
    world.table.mark(case.kind, ["receive"])
    return told


async def _vote(world: World) -> Json:
    """A vote is opened and counted."""
    poll = await world.post({"poll": {"question": "Which day?", "options": ["Monday", "Friday"]}})
    await world.peer.message(poll["wa_message_id"])
    told = await world.event("message.poll_vote", await world.peer.vote(poll["wa_message_id"], "Friday"))
    assert told["content"]["poll_vote"] == {"message_id": poll["id"], "options": ["Friday"]}
    counted = await world.house.call("GET", f"/v1/messages/{poll['id']}")
    assert [(result["option"], result["votes"]) for result in counted["poll_results"]] == [
        ("Monday", 0),
        ("Friday", 1),
    ]
    world.table.mark("poll_vote", ["receive"])
    return told


async def _send_album(world: World) -> Json:
    """An album is announced, and its items name it."""
    items = [
        {"image": {"media": {"media_id": world.files["picture"]}, "caption": "first"}},
        {"video": {"media": {"media_id": world.files["film"]}}},
    ]
    sent = await world.post({"album": {"items": items}})
    album = sent["content"]["album"]
    assert (album["expected_images"], album["expected_videos"]) == (1, 1)
    arrived = await world.peer.message(sent["wa_message_id"])
    assert not missing({"expectedImageCount": 1, "expectedVideoCount": 1}, arrived["message"]["albumMessage"])
    for kind, message_id in zip(("image", "video"), album["message_ids"], strict=True):
        item = await world.house.message(message_id, lambda found: found["status"] in _DONE)
        assert item["content"]["album_wa_message_id"] == sent["wa_message_id"]
        shown = (await world.peer.message(item["wa_message_id"]))["message"]
        assert not missing({"mimetype": item["content"][kind]["media"]["mime_type"]}, shown[f"{kind}Message"])
        named = shown["messageContextInfo"]["messageAssociation"]
        assert named["associationType"] == "MEDIA_ALBUM"
        assert named["parentMessageKey"]["id"] == sent["wa_message_id"]
    world.table.mark("album", ["send"])
    return await world.event("message.sent", sent["wa_message_id"])


async def _act_on_chat(world: World) -> None:
    """The other side sees a read mark; WhatsApp takes typing and blocks."""
    words = await _named(world, "theirs")
    await world.house.call("POST", "/v1/chats:markRead", {"message_ids": [words["id"]]})
    await world.peer.was_read(words["wa_id"])
    for activity in ("TYPING", "RECORDING", "PAUSED"):
        asked = {"chat": world.peer_number, "activity": activity}
        await world.house.call("POST", "/v1/chats:showActivity", asked)
    await world.house.call("POST", "/v1/contacts:watchPresence", {"contact": world.peer_number})
    for activity in ("composing", "recording", "paused"):
        await world.peer.show(world.number, activity)

    async def told() -> bool:
        data = await world.house.events(world.session, "contact.presence")
        expected = ["AVAILABLE", "TYPING", "RECORDING", "AVAILABLE"]
        seen = [(one["contact"]["phone_number"], one["presence"]) for one in data]
        return seen == [(world.peer_number, presence) for presence in expected]

    await eventually(told, timeout_s=30)
    for verb in ("block", "unblock"):
        await world.house.call("POST", f"/v1/contacts:{verb}", {"contact": world.peer_number})


def _content(values: Json) -> content_pb2.Content:
    return json_format.ParseDict(values, content_pb2.Content())


def _jid(number: str) -> str:
    return f"{number.removeprefix('+')}@s.whatsapp.net"
