"""Files of received messages, fetched through real Baileys from the simulator's media host."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from tests.support import files
from tests.support.session_house import SessionHouse
from tests.support.simulator import eventually

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.parametrize("database_kind", ["sqlite"]),
]
PEER = "+5511966660001"


async def receive(house: SessionHouse, session: str, kind: str, path: Path | None = None, **said: Any) -> str:
    """Let the peer send a file; gives the message's WhatsApp id."""
    await house.simulator.create_phone(PEER)
    body = {"to": house.numbers[session], "kind": kind, **({"path": str(path)} if path else {}), **said}
    return str((await house.simulator.call("POST", f"/phones/{PEER}:send-file", body))["id"])


async def told(house: SessionHouse, session: str, type_: str, wa_message_id: str) -> dict[str, Any]:
    async def look() -> dict[str, Any] | None:
        found = await house.events(session, type_)
        return next((data for data in found if data["wa_message_id"] == wa_message_id), None)

    data: dict[str, Any] = await eventually(look)
    return data


async def download(house: SessionHouse, media_id: str) -> bytes:
    answer = await house.rest.ask("GET", f"/v1/media/{media_id}")
    assert answer.status == 200
    return answer.raw


async def test_each_kind_of_file_is_fetched_and_told_of(house: SessionHouse, tmp_path: Path) -> None:
    session = await house.link()
    picture = tmp_path / "a.png"
    picture.write_bytes(files.png(64, 48))
    cases: list[tuple[str, Path, dict[str, Any]]] = [
        ("image", picture, {"mime_type": "image/png", "caption": "look"}),
        ("video", files.film(tmp_path / "a.mp4"), {"mime_type": "video/mp4"}),
        ("audio", files.tone(tmp_path / "a.ogg", 1.0, "-c:a", "libopus"), {"voice": True}),
        ("document", files.tone(tmp_path / "a.wav"), {"file_name": "a.wav"}),
        ("sticker", files.made_by_ffmpeg(tmp_path / "a.webp", "-i", str(picture)), {}),
    ]
    for kind, path, said in cases:
        wa_id = await receive(house, session, kind, path, **said)

        stored = await told(house, session, "message.media_stored", wa_id)

        type_ = "voice" if said.get("voice") else kind
        media = stored["content"][type_]["media"]
        assert stored["type"] == type_
        assert media["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert await download(house, media["media_id"]) == path.read_bytes()
        first = await told(house, session, "message.received", wa_id)
        assert first["id"] == stored["id"]
        assert "media_id" not in first["content"][type_]["media"]
        message = await house.call("GET", f"/v1/messages/{stored['id']}")
        assert message["content"][type_]["media"]["media_id"] == media["media_id"]


async def test_a_file_that_whatsapp_has_no_more_is_asked_for_anew(house: SessionHouse) -> None:
    session = await house.link()
    await house.simulator.call("POST", "/faults", {"kind": "media_download", "code": 410, "count": 1})

    wa_id = await receive(house, session, "document", size=5000)

    stored = await told(house, session, "message.media_stored", wa_id)
    assert stored["content"]["document"]["media"]["size"] == 5000
    assert (await house.simulator.call("GET", "/stats"))["media_requests"] >= 1


async def test_a_file_that_was_not_fetched_before_the_end_is_fetched_after_it(
    house: SessionHouse,
) -> None:
    session = await house.link()
    await house.simulator.call("POST", "/faults", {"kind": "media_download", "code": 500})
    wa_id = await receive(house, session, "document", size=3000)
    await told(house, session, "message.received", wa_id)
    await house.postponed(1)
    await house.call("POST", f"/v1/sessions/{session}:stop", {})
    await house.reach(session, "STOPPED")
    await house.simulator.clear_faults()
    house.clock.advance(60)

    await house.call("POST", f"/v1/sessions/{session}:start", {})

    stored = await told(house, session, "message.media_stored", wa_id)
    assert stored["content"]["document"]["media"]["size"] == 3000
