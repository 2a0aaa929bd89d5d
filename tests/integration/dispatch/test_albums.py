"""Albums: taken in as one, sent as a message each."""

from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.domain import errors
from orchestrator.domain.content import Album, AlbumItem, Content, Image, MediaRef
from orchestrator.domain.errors import PonteError
from orchestrator.domain.message import Message, MessageStatus
from orchestrator.domain.retry import Outcome, SendReport
from orchestrator.services.context import Limits
from orchestrator.services.messages import MessageService, SubmitText
from orchestrator.services.outgoing_files import OutgoingFiles
from tests.support import files
from tests.support.clock import ManualClock
from tests.support.desk import Desk
from tests.support.factories import CUSTOMER
from tests.support.media import in_one_piece, make_media


def album(*captions: str, media_id: str = "m") -> Content:
    return Content(Album(tuple(AlbumItem(image=Image(MediaRef(media_id), caption)) for caption in captions)))


def order(desk: Desk, content: Content, key: str = "") -> SubmitText:
    return SubmitText(desk.session_id, CUSTOMER, "", content=content, idempotency_key=key)


def ids_of(message: Message) -> tuple[str, ...]:
    assert message.content is not None
    assert isinstance(message.content.body, Album)
    return message.content.body.message_ids


async def test_it_leaves_before_its_items_which_leave_in_their_order(desk: Desk) -> None:
    message = await desk.messages.submit(desk.scope, order(desk, album("one", "two", "three")))
    await desk.send_all()
    sent = [outgoing for _, outgoing in desk.gateway.attempts]
    assert [outgoing.text for outgoing in sent] == ["", "one", "two", "three"]
    assert sent[0].wa_message_id == message.wa_message_id
    for id_ in ids_of(message):
        item = await desk.messages.get(desk.scope, id_)
        assert item.status is MessageStatus.SENT
        assert item.content is not None
        assert item.content.album_wa_message_id == message.wa_message_id


async def test_the_same_key_gives_the_same_album(desk: Desk) -> None:
    first = await desk.messages.submit(desk.scope, order(desk, album("one", "two"), "key"))
    again = await desk.messages.submit(desk.scope, order(desk, album("one", "two"), "key"))
    assert (again.id, ids_of(again)) == (first.id, ids_of(first))
    await desk.send_all()
    assert len(desk.gateway.attempts) == 3


async def test_cancelling_it_takes_back_what_has_not_left(desk: Desk) -> None:
    message = await desk.messages.submit(desk.scope, order(desk, album("one", "two")))
    await desk.messages.cancel(desk.scope, ids_of(message)[1])
    await desk.messages.cancel(desk.scope, message.id)
    await desk.send_all()
    assert desk.gateway.attempts == []
    assert [await desk.status(id_) for id_ in (message.id, *ids_of(message))] == ["CANCELLED"] * 3


async def test_what_has_not_left_is_taken_back_when_the_album_itself_has(
    desk: Desk, clock: ManualClock
) -> None:
    message = await desk.messages.submit(desk.scope, order(desk, album("one", "two")))
    desk.gateway.answer_next("one", SendReport(Outcome.AMBIGUOUS, reason="ack_timeout"))
    await desk.send_all()
    assert await desk.status(message.id) == "SENT"
    assert (await desk.messages.cancel(desk.scope, message.id)).status is MessageStatus.SENT
    clock.advance(60)
    await desk.send_all()
    assert [await desk.status(id_) for id_ in ids_of(message)] == ["CANCELLED", "CANCELLED"]
    with pytest.raises(PonteError) as refused:
        await desk.messages.cancel(desk.scope, message.id)
    assert refused.value.code is errors.MESSAGE_NOT_CANCELLABLE


async def test_an_album_that_does_not_fit_into_the_outbox_is_refused_as_a_in_one_piece(desk: Desk) -> None:
    desk.adopt(replace(desk.context, limits=Limits(waiting_messages_per_session=3)))
    with pytest.raises(PonteError) as refused:
        await desk.messages.submit(desk.scope, order(desk, album("one", "two", "three")))
    assert refused.value.code is errors.QUEUE_FULL
    await desk.messages.submit(desk.scope, order(desk, album("one", "two")))
    await desk.send_all()
    assert [outgoing.text for _, outgoing in desk.gateway.attempts] == ["", "one", "two"]


async def test_nobody_is_mentioned_as_everybody_where_there_is_no_group(desk: Desk) -> None:
    everybody = replace(album("one", "two"), mention_all=True)
    with pytest.raises(PonteError) as refused:
        await desk.messages.submit(desk.scope, order(desk, everybody))
    assert refused.value.violations[0].field == "mention_all"


async def test_its_files_are_found_and_one_that_is_none_is_named(desk: Desk, tmp_path: Path) -> None:
    media = make_media(desk.context, tmp_path)
    service = MessageService(desk.context, files=OutgoingFiles(media))
    picture = await media.add(desk.scope, in_one_piece(files.png()))
    message = await service.submit(desk.scope, order(desk, album("one", "two", media_id=picture.id)))
    item = await service.get(desk.scope, ids_of(message)[1])
    assert item.content is not None
    assert isinstance(item.content.body, Image)
    assert item.content.body.media.sha256 == picture.sha256

    text = await media.add(desk.scope, in_one_piece(b"no picture"))
    with pytest.raises(PonteError) as refused:
        await service.submit(desk.scope, order(desk, album("one", "two", media_id=text.id)))
    assert refused.value.code is errors.MEDIA_TYPE_NOT_ALLOWED
    assert refused.value.violations[0].field == "album.items[0].image.media"
    await media.close()
