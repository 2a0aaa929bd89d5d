"""What is noted of files that came with messages, and what follows when they cannot be fetched."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.domain.content import Content, Document, MediaRef, Reference, plain_text
from orchestrator.domain.content.changes import Delete
from orchestrator.domain.inbound import InboundMessage
from orchestrator.domain.jid import ContactId
from orchestrator.services.inbox import InboxService
from orchestrator.services.received_files import RETRY_DELAYS_S, ReceivedFiles, carries_file
from orchestrator.store import events as event_store
from tests.support.clock import START, ManualClock
from tests.support.desk import Desk
from tests.support.factories import Factories
from tests.support.media import make_media

FENCE = 3
PEER = ContactId("5511988887777@s.whatsapp.net", "123456789012345@lid")
FILE = Content(Document(MediaRef(mime_type="application/pdf", size=4, file_name="a.pdf"), "look"))


@pytest.fixture
async def desk(desk: Desk, make: Factories) -> Desk:
    session = await make.linked_session(desk.scope, fence=FENCE)
    return replace(desk, session_id=session.id)


@pytest.fixture
async def received(desk: Desk, tmp_path: Path) -> AsyncIterator[ReceivedFiles]:
    media = make_media(desk.context, tmp_path)
    yield ReceivedFiles(desk.context, media)
    await media.close()


async def take(desk: Desk, id_: str, content: Content = FILE, **more: object) -> None:
    inbound = InboundMessage(
        wa_message_id=id_,
        chat_jid=PEER.lid_jid,
        chat=PEER,
        sender=PEER,
        from_me=False,
        is_group=False,
        push_name="Ana",
        sent_at=START,
        offline=False,
        message_proto=b"proto of " + id_.encode(),
        kind=content.kind,
        text=content.text,
        content=content,
    )
    inbound = replace(inbound, **more)  # type: ignore[arg-type]  # the fields of InboundMessage
    await InboxService(desk.context).record(desk.scope, desk.session_id, FENCE, inbound)


async def event_types(desk: Desk) -> list[str]:
    async with desk.context.database.reading(desk.scope) as tx:
        return [str(event.type) for event in await event_store.list_after(tx, desk.scope, 0, 100)]


async def test_only_what_carries_a_file_is_to_be_fetched(desk: Desk, received: ReceivedFiles) -> None:
    assert not carries_file(plain_text("x"))
    assert not carries_file(None)
    await take(desk, "TEXT", plain_text("hello"))
    await take(desk, "FILE")

    [wanted] = await received.due([desk.session_id, "another"], 10)

    assert (wanted.message.wa_message_id, wanted.message_proto) == ("FILE", b"proto of FILE")
    assert (wanted.from_me, wanted.participant_jid, wanted.attempts) == (False, "", 0)
    assert await received.due([], 10) == []
    assert await received.due(["another"], 10) == []


async def test_a_fetched_file_stands_in_its_message_and_is_told_of_once(
    desk: Desk, received: ReceivedFiles
) -> None:
    await take(desk, "FILE")
    [wanted] = await received.due([desk.session_id], 10)

    for _ in range(2):
        path = received.new_path()
        path.write_bytes(b"%PDF")
        await received.store(wanted, path)
        assert not path.exists()

    message = await desk.messages.get(desk.scope, wanted.message.id)
    assert message.content is not None
    assert isinstance(message.content.body, Document)
    media = message.content.body.media
    assert (media.mime_type, media.size, media.file_name) == ("application/pdf", 4, "a.pdf")
    assert media.media_id
    assert message.content.body.caption == "look"
    assert (await event_types(desk)).count("message.media_stored") == 1
    assert await received.due([desk.session_id], 10) == []


async def test_what_cannot_be_fetched_is_tried_for_hours_and_then_given_up(
    desk: Desk, received: ReceivedFiles, clock: ManualClock
) -> None:
    await take(desk, "FILE")
    for attempts, delay_s in enumerate(RETRY_DELAYS_S):
        [wanted] = await received.due([desk.session_id], 10)
        assert wanted.attempts == attempts
        await received.give_up_or_postpone(wanted, "GONE")
        clock.advance(delay_s - 1)
        assert await received.due([desk.session_id], 10) == []
        clock.advance(2)
    [wanted] = await received.due([desk.session_id], 10)
    assert "message.media_failed" not in await event_types(desk)

    for _ in range(2):
        await received.give_up_or_postpone(wanted, "GONE")

    assert await received.due([desk.session_id], 10) == []
    assert (await event_types(desk)).count("message.media_failed") == 1


async def test_a_file_that_is_too_large_is_given_up_at_once(desk: Desk, received: ReceivedFiles) -> None:
    await take(desk, "FILE")
    [wanted] = await received.due([desk.session_id], 10)

    await received.give_up_or_postpone(wanted, "TOO_LARGE")

    assert "message.media_failed" in await event_types(desk)


async def test_the_file_of_a_message_that_was_deleted_is_not_fetched(
    desk: Desk, received: ReceivedFiles
) -> None:
    await take(desk, "FILE")
    [wanted] = await received.due([desk.session_id], 10)
    await take(desk, "GONE", Content(Delete(), reference=Reference("FILE")))
    path = received.new_path()
    path.write_bytes(b"%PDF")

    await received.store(wanted, path)

    assert await received.due([desk.session_id], 10) == []
    assert "message.media_stored" not in await event_types(desk)
