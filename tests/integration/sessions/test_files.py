"""Files in messages, sent through real Baileys to phones that really open them."""

import hashlib
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.support import files
from tests.support.session_house import SessionHouse
from tests.support.simulator import eventually

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.parametrize("database_kind", ["sqlite"]),
]
PEER = "+5511977770001"
_DONE = ("SENT", "DELIVERED", "READ")


async def upload(house: SessionHouse, contents: bytes, name: str = "file") -> dict[str, Any]:
    form = aiohttp.FormData()
    form.add_field("file", contents, filename=name)
    answer = await house.rest.ask("POST", "/v1/media", data=form)
    assert answer.status == 201, answer.body
    made: dict[str, Any] = answer.body
    return made


async def send(
    house: SessionHouse, session: str, kind: str, contents: bytes, **said: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Upload and send a file; gives what a user reads of the message and what the phone got."""
    media = await upload(house, contents, "a.bin")
    body = {"session_id": session, "to": PEER, kind: {"media": {"media_id": media["id"]}, **said}}
    message = await house.call("POST", "/v1/messages", body)
    message = await house.message(message["id"], lambda found: found["status"] in _DONE)

    async def look() -> dict[str, Any] | None:
        got = await house.simulator.call("GET", f"/phones/{PEER}/messages")
        return next((found for found in got if found["id"] == message["wa_message_id"]), None)

    return message, await eventually(look)


def sha256(contents: bytes) -> str:
    return hashlib.sha256(contents).hexdigest()


async def test_each_kind_of_file_arrives_as_it_should(house: SessionHouse, tmp_path: Path) -> None:
    await house.simulator.create_phone(PEER)
    session = await house.link()
    report = b"%PDF-1.7" + bytes(range(256)) * 1000
    picture, film = files.png(640, 480), files.film(tmp_path / "a.mp4", 2.0).read_bytes()
    gif, sound = files.film(tmp_path / "a.gif").read_bytes(), files.tone(tmp_path / "a.mp3", 3.0).read_bytes()

    message, arrived = await send(house, session, "document", report, caption="as asked")
    assert (arrived["kind"], arrived["text"]) == ("document", "as asked")
    assert arrived["file"]["sha256"] == sha256(report)
    assert (arrived["file"]["mime_type"], arrived["file"]["file_name"]) == ("application/pdf", "a.bin")
    told = message["content"]["document"]["media"]
    assert (told["sha256"], told["size"], told["file_name"]) == (sha256(report), len(report), "a.bin")

    _, arrived = await send(house, session, "image", picture)
    assert (arrived["kind"], arrived["file"]["sha256"]) == ("image", sha256(picture))
    assert 200 < arrived["file"]["thumbnail_bytes"] < 16_384

    _, arrived = await send(house, session, "video", film)
    assert (arrived["kind"], arrived["file"]["seconds"]) == ("video", 2)
    assert arrived["file"]["sha256"] == sha256(film)
    assert arrived["file"]["thumbnail_bytes"] > 200

    _, arrived = await send(house, session, "video", film, round=True)
    assert (arrived["kind"], arrived["file"]["sha256"]) == ("ptv", sha256(film))

    message, arrived = await send(house, session, "video", gif, gif=True)
    told = message["content"]["video"]
    assert (arrived["file"]["mime_type"], told["gif"]) == ("video/mp4", True)
    assert arrived["file"]["sha256"] == told["media"]["sha256"] != sha256(gif)

    _, arrived = await send(house, session, "voice", sound)
    file = arrived["file"]
    assert arrived["kind"] == "audio"
    assert (file["mime_type"], file["seconds"], file["waveform_bytes"]) == ("audio/ogg; codecs=opus", 3, 64)

    _, arrived = await send(house, session, "audio", sound)
    assert (arrived["file"]["sha256"], arrived["file"]["seconds"]) == (sha256(sound), 3)
    assert arrived["file"]["mime_type"] == "audio/mpeg"

    _, arrived = await send(house, session, "sticker", picture)
    assert (arrived["kind"], arrived["file"]["mime_type"]) == ("sticker", "image/webp")
    assert arrived["file"]["sha256"]


async def test_a_picture_can_be_seen_once_and_quote_another(house: SessionHouse) -> None:
    await house.simulator.create_phone(PEER)
    session = await house.link()
    first, _ = await send(house, session, "image", files.png(100, 100))

    again = {"media": {"media_id": first["content"]["image"]["media"]["media_id"]}}
    body = {"session_id": session, "to": PEER, "image": again, "view_once": True, "reply_to": first["id"]}
    message = await house.call("POST", "/v1/messages", body)
    message = await house.message(message["id"], lambda found: found["status"] in _DONE)

    assert message["content"]["view_once"] is True
    path = f"/phones/{PEER}/messages"
    arrived = await house.simulator.call("GET", path, wait_count="2", **{"from": house.numbers[session]})
    assert [found["file"]["sha256"] for found in arrived] == [sha256(files.png(100, 100))] * 2


async def test_a_file_can_be_forwarded(house: SessionHouse) -> None:
    await house.simulator.create_phone(PEER)
    other = (await house.simulator.create_phones("+5511977770200", 1))[0]
    session = await house.link()
    first, arrived = await send(house, session, "image", files.png(90, 90))

    body = {"session_id": session, "to": other, "forward": {"message_id": first["id"]}}
    message = await house.call("POST", "/v1/messages", body)
    await house.message(message["id"], lambda found: found["status"] in _DONE)

    got = await house.simulator.call("GET", f"/phones/{other}/messages", wait_count="1")
    assert [found["file"]["sha256"] for found in got] == [arrived["file"]["sha256"]]


async def test_a_file_is_uploaded_once_for_many(house: SessionHouse) -> None:
    media = await upload(house, b"%PDF-1.7 for all")
    session = await house.link()
    before = (await house.simulator.call("GET", "/stats"))["uploads"]
    numbers = await house.simulator.create_phones("+5511977770100", 5)
    sent = [
        await house.call(
            "POST",
            "/v1/messages",
            {"session_id": session, "to": to, "document": {"media": {"media_id": media["id"]}}},
        )
        for to in numbers
    ]

    for message in sent:
        await house.message(message["id"], lambda found: found["status"] in _DONE)

    assert (await house.simulator.call("GET", "/stats"))["uploads"] == before + 1


async def test_an_upload_that_fails_is_tried_again(house: SessionHouse) -> None:
    await house.simulator.create_phone(PEER)
    session = await house.link()
    media = await upload(house, b"%PDF-1.7 again")
    await house.simulator.call("POST", "/faults", {"kind": "media_upload", "code": 503, "count": 1})
    body = {"session_id": session, "to": PEER, "document": {"media": {"media_id": media["id"]}}}
    message = await house.call("POST", "/v1/messages", body)
    failed = await house.message(message["id"], lambda found: found["attempts"] == 1 and "error" in found)
    assert failed["error"]["code"] == "MEDIA_UPLOAD_FAILED"

    await house.advance(session, 6)

    assert (await house.message(message["id"], lambda found: found["status"] in _DONE))["attempts"] == 2


async def test_a_message_whose_file_is_deleted_fails_for_good(house: SessionHouse) -> None:
    session = await house.link()
    media = await upload(house, b"%PDF-1.7 gone")
    body = {"session_id": session, "to": PEER, "document": {"media": {"media_id": media["id"]}}}
    await house.call("POST", f"/v1/sessions/{session}:stop", {})
    message = await house.call("POST", "/v1/messages", body)
    assert (await house.rest.ask("DELETE", f"/v1/media/{media['id']}")).status == 204
    await house.call("POST", f"/v1/sessions/{session}:start", {})
    await house.reach(session, "CONNECTED")

    failed = await house.message(message["id"], lambda found: found["status"] == "FAILED")

    assert failed["error"]["code"] == "MEDIA_NOT_STORED"


async def test_what_cannot_be_sent_is_refused_at_once(house: SessionHouse) -> None:
    session = await house.link()
    picture, damaged = files.png(), b"ID3\x03" + b"\0" * 100
    for kind, contents, code in (
        ("image", b"%PDF-1.7", "MEDIA_TYPE_NOT_ALLOWED"),
        ("voice", picture, "MEDIA_TYPE_NOT_ALLOWED"),
        ("voice", damaged, "MEDIA_NOT_USABLE"),
    ):
        media = await upload(house, contents)
        assert await refusal(house, session, kind, {"media_id": media["id"]}) == code
    for media, code in (
        ({"url": "http://127.0.0.1/a.png"}, "URL_NOT_ALLOWED"),
        ({"media_id": "0198c0de-0000-7000-8000-000000000000"}, "NOT_FOUND"),
        ({}, "INVALID_ARGUMENT"),
    ):
        assert await refusal(house, session, "image", media) == code


async def refusal(house: SessionHouse, session: str, kind: str, media: dict[str, Any]) -> str:
    body = {"session_id": session, "to": PEER, kind: {"media": media}}
    return str((await house.rest.ask("POST", "/v1/messages", body)).body["code"])
