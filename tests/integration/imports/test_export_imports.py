"""Exported chats, from the upload to the messages: once each, oldest first, without a word to anybody."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orchestrator.domain import errors
from orchestrator.domain.chat import ChatAction
from orchestrator.domain.content import (
    Content,
    Delete,
    Edit,
    MediaRef,
    Pin,
    Reaction,
    Text,
)
from orchestrator.domain.errors import ErrorCode, PonteError
from orchestrator.domain.exported_chat.lines import DateOrder
from orchestrator.domain.imports import Counts, ImportKind, ImportState
from orchestrator.domain.jid import ContactId
from orchestrator.domain.message import Direction, MessageStatus
from orchestrator.domain.page import PageRequest
from orchestrator.services import export_imports
from orchestrator.services.chats import ChatService
from orchestrator.services.contacts import ContactService
from orchestrator.services.export_imports import ExportImports
from orchestrator.services.exports import ExportService, GivenExport
from orchestrator.services.import_progress import HELD
from orchestrator.services.imports import ImportService
from orchestrator.services.messages import SubmitText
from orchestrator.store import sessions
from tests.support.clock import ManualClock
from tests.support.export_house import ANA, ANA_LID, ANA_NUMBER, House, file_of
from tests.support.exports import CHAT_NAME, picture, text_file, zip_file

GROUP = "120363000000000001@g.us"
NOON = datetime(2025, 1, 5, 12, tzinfo=UTC)
HELLO = "[05/01/2025, 12:00:00] Ana: Hello"
ANSWER = "[13/01/2025, 12:00:07] Bia: Hi\nthere"


async def test_an_exported_text_is_imported_with_its_times_and_directions_and_only_the_import_is_told(
    house: House,
) -> None:
    begun = await house.begin(text_file("[05/01/2025, 12:00:00] Ana: \u200eEncrypted.", HELLO, ANSWER))
    assert (begun.state, begun.kind) == (ImportState.WAITING, ImportKind.EXPORT)
    await house.work()
    ended = await house.look(begun)
    assert (ended.state, ended.percent) == (ImportState.COMPLETED, 100)
    assert ended.counts == Counts(total=3, read=3, added=2, skipped=1)
    answer, hello = await house.stored()
    assert (hello.direction, hello.status, hello.text) == (Direction.INBOUND, MessageStatus.RECEIVED, "Hello")
    assert (answer.direction, answer.status, answer.text) == (
        *(Direction.OUTBOUND, MessageStatus.SENT),
        "Hi\nthere",
    )
    assert hello.imported
    assert hello.times.sent_at == hello.times.created_at == NOON
    assert (hello.chat_jid, hello.contact, hello.push_name) == (ANA, ContactId(ANA), "Ana")
    assert await house.event_types() == ["import.started", "import.progress", "import.completed"]


async def test_an_opt_out_of_before_stops_nobody_now(house: House) -> None:
    await house.take_in(HELLO, ANSWER, "[13/01/2025, 12:00:09] Ana: STOP")
    assert await house.desk.submit("Hello", ANA_NUMBER)


async def test_a_second_import_of_a_chat_adds_what_is_new_in_it(house: House) -> None:
    await house.take_in(HELLO, ANSWER)
    again = await house.take_in(HELLO, ANSWER, "[13/01/2025, 12:00:09] Ana: Bye")
    assert (again.counts.added, again.counts.known) == (1, 2)
    assert await house.texts() == ["Hello", "Hi\nthere", "Bye"]


async def test_what_is_here_already_is_not_added_again_as_often_as_it_is_here(house: House) -> None:
    await house.receive("ok", NOON)
    ok = "[05/01/2025, 12:00:00] Ana: ok"
    first = await house.take_in(ok, ok, ok, "[05/01/2025, 12:00:00] Bia: ok", ANSWER)
    assert (first.counts.added, first.counts.known) == (4, 1)
    again = await house.take_in(ok, ok, ok, "[05/01/2025, 12:00:00] Bia: ok", ANSWER)
    assert (again.counts.added, again.counts.known) == (0, 5)
    assert {message.contact for message in await house.stored()} == {ContactId(ANA, ANA_LID)}


async def test_without_seconds_what_is_alike_in_a_minute_is_one(house: House) -> None:
    await house.receive("ok", NOON + timedelta(seconds=41))
    ended = await house.take_in(
        "13/01/2025 11:59 - Bia: ok", "05/01/2025 12:00 - Ana: ok", "05/01/2025 12:01 - Ana: ok"
    )
    assert (ended.counts.added, ended.counts.known) == (2, 1)


async def test_the_address_books_name_does_not_replace_the_contacts_own(house: House) -> None:
    await house.receive("Hello", NOON)
    await house.take_in("[05/01/2025, 12:00:00] Aninha: Older", ANSWER)
    page = await ContactService(house.desk.context, house.desk.gateway).list_known(
        house.desk.scope, ANA_NUMBER, PageRequest()
    )
    assert [contact.push_name for contact in page.items] == ["Ana herself"]


async def test_a_number_in_its_other_spelling_is_the_chat_that_whatsapp_names(house: House) -> None:
    whatsapps = ContactId("553188887777@s.whatsapp.net", ANA_LID)
    await house.receive("Hello", NOON, whatsapps)
    ended = await house.take_in(HELLO, ANSWER, chat="+5531988887777")
    assert (ended.counts.added, ended.counts.known) == (1, 1)
    assert {message.chat_jid for message in await house.stored()} == {whatsapps.pn_jid}


async def test_in_a_group_who_wrote_is_known_by_the_number_or_the_name(house: House) -> None:
    await house.take_in(HELLO, "[13/01/2025, 12:00:00] +55 11 91111-1111: Hello", ANSWER, chat=GROUP)
    await house.take_in("[13/01/2025, 12:00:00] +0 000 000 000: Who?", ANSWER, chat=GROUP)
    seen = {(one.push_name, one.contact.pn_jid, one.chat_jid) for one in await house.stored()}
    assert seen == {
        ("Ana", "", GROUP),
        ("+55 11 91111-1111", ANA, GROUP),
        ("+0 000 000 000", "", GROUP),
        ("", "", GROUP),
    }


async def test_times_are_of_the_zone_that_was_given(house: House) -> None:
    await house.take_in(HELLO, ANSWER, time_zone="America/Sao_Paulo", date_order=DateOrder.DAY_FIRST)
    assert (await house.stored())[-1].times.sent_at == NOON + timedelta(hours=3)


async def test_no_message_is_dated_after_its_import_which_tells_the_order_of_dates(house: House) -> None:
    later = "[05/01/2030, 12:00:00] Bia: later"
    ended = await house.take_in("[05/01/2026, 12:00:00] Bia: Hello", later)
    assert (ended.state, ended.counts.total) == (ImportState.COMPLETED, 1)
    [message] = await house.stored()
    assert (message.text, message.times.sent_at) == (f"Hello\n{later}", datetime(2026, 1, 5, 12, tzinfo=UTC))


async def test_files_in_the_zip_are_stored_and_are_those_of_their_messages(house: House) -> None:
    lines = text_file(
        "[13/01/2025, 12:00:00] Ana: Look \u200e<attached: 1.png>",
        "[13/01/2025, 12:00:01] Ana: \u200e<attached: 2.jpg>",
        "[13/01/2025, 12:00:02] Ana: \u200e<attached: 3.opus>",
        "[13/01/2025, 12:00:03] Ana: \u200e<attached: 4.webp>",
        "[13/01/2025, 12:00:03] Ana: \u200e<attached: 5.m4a>",
        "[13/01/2025, 12:00:03] Ana: \u200e<attached: 6.mp4>",
        "[13/01/2025, 12:00:04] Ana: <Media omitted>",
        "[13/01/2025, 12:00:05] Bia: bye",
    )
    files = {"Chat/1.png": picture(), "../2.jpg": b"no picture", "__MACOSX/3.opus": b"junk", "3.opus/": b""}
    ended = await house.take_in_file(zip_file(lines, files, f"Chat/{CHAT_NAME}"))
    assert (ended.state, ended.counts.added) == (ImportState.COMPLETED, 8)
    found = {message.kind: message for message in await house.stored()}
    image, document = file_of(found["image"]), file_of(found["document"])
    assert (image.width, found["image"].text) == (4, "Look")
    stored = await house.media.get(house.desk.scope, image.media_id)
    assert b"".join([part async for part in house.media.open(stored)]) == picture()
    assert (document.mime_type, document.file_name) == ("text/plain", "2.jpg")
    for kind, name in {"voice": "3.opus", "sticker": "4.webp", "audio": "5.m4a", "video": "6.mp4"}.items():
        assert file_of(found[kind]) == MediaRef(file_name=name)
    assert "unknown" in found
    again = await house.take_in_file(zip_file(lines, files))
    assert (again.counts.added, again.counts.known) == (0, 8)


async def test_a_file_that_is_not_kept_leaves_its_message_without_it(house: House) -> None:
    bomb = picture()[:40]
    lines = text_file("[13/01/2025, 12:00:00] Bia: \u200e<attached: 1.png>")
    ended = await house.take_in_file(zip_file(lines, {"1.png": bomb, "2.png": b""}))
    assert ended.counts.added == 1
    [message] = await house.stored()
    assert message.kind == "image"


@pytest.mark.parametrize(
    ("file", "code"),
    [
        (zip_file(b"Hello", chat_name="other.pdf"), errors.EXPORT_WITHOUT_CHAT),
        (zip_file(b"a", {"b.txt": b"b"}, "a.txt"), errors.EXPORT_WITHOUT_CHAT),
        (zip_file(b"Hello"), errors.EXPORT_WITHOUT_MESSAGES),
        (zip_file(f"{HELLO}\n".encode() + b"\xff"), errors.EXPORT_ENCODING),
        (zip_file(HELLO.encode()).replace(b"_chat.txt", b"_chat.tyt"), errors.EXPORT_WITHOUT_CHAT),
        (text_file("Hello"), errors.EXPORT_WITHOUT_MESSAGES),
        (text_file(HELLO.replace("05/", "13/")), errors.EXPORT_OWN_NAME_UNKNOWN),
        (text_file(HELLO), errors.EXPORT_DATES_AMBIGUOUS),
        (b"x" * 9000 + b"\xff", errors.EXPORT_ENCODING),
    ],
)
async def test_what_is_wrong_with_a_file_ends_its_import(house: House, file: bytes, code: ErrorCode) -> None:
    ended = await house.take_in_file(file)
    assert (ended.state, ended.error_code) == (ImportState.FAILED, code.name)
    assert ended.error_detail
    assert await house.stored() == []
    assert (await house.event_types())[-1] == "import.failed"


async def test_a_damaged_zip_ends_its_import(house: House) -> None:
    whole = zip_file(text_file(HELLO, ANSWER, *["x" * 100] * 50))
    at = whole.index(b"_chat.txt") + 20
    ended = await house.take_in_file(whole[:at] + b"\0\0\0\0" + whole[at + 4 :])
    assert ended.error_code == errors.EXPORT_UNREADABLE.name


async def test_the_names_that_there_are_stand_in_the_error(house: House) -> None:
    ended = await house.take_in(HELLO.replace("05/", "13/"), own_name="Nobody")
    assert "'Ana'" in ended.error_detail


async def test_a_file_that_is_not_there_any_more_ends_its_import(house: House) -> None:
    begun = await house.begin(text_file(HELLO, ANSWER))
    assert begun.export is not None
    await house.media.delete(house.desk.scope, begun.export.media_id)
    await house.work()
    assert (await house.look(begun)).error_code == errors.MEDIA_NOT_STORED.name


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"media_id": "no-id"}, errors.NOT_FOUND),
        ({"session_id": "no-id"}, errors.NOT_FOUND),
        ({"chat": "12"}, errors.INVALID_PHONE_NUMBER),
        ({"chat": "x@broadcast"}, errors.INVALID_ARGUMENT),
        ({"own_name": " \u200e"}, errors.INVALID_ARGUMENT),
        ({"own_name": "x" * 101}, errors.INVALID_ARGUMENT),
        ({"time_zone": "Mars/Olympus"}, errors.INVALID_ARGUMENT),
        ({"time_zone": "../etc"}, errors.INVALID_ARGUMENT),
    ],
)
async def test_a_request_that_cannot_be_is_refused_at_once(
    house: House, more: dict[str, Any], code: ErrorCode
) -> None:
    with pytest.raises(PonteError) as refused:
        await house.begin(text_file(HELLO), **more)
    assert refused.value.code is code


async def test_what_is_neither_text_nor_zip_is_refused_at_once(house: House) -> None:
    for file in (picture(), b"\0\1\2\3"):
        with pytest.raises(PonteError) as refused:
            await house.begin(file)
        assert refused.value.code is errors.EXPORT_UNREADABLE


async def test_a_text_in_another_encoding_is_refused_at_once(house: House) -> None:
    for encoding in ("utf-16", "latin-1"):
        with pytest.raises(PonteError) as refused:
            await house.begin(f"{HELLO} \xe9".encode(encoding), "chat.TXT")
        assert refused.value.code is errors.EXPORT_ENCODING


async def test_the_session_may_be_left_out_and_a_key_makes_one_import(house: House) -> None:
    begun = await house.begin(text_file(HELLO), session_id="")
    assert begun.session_id == house.desk.session_id
    assert begun.export is not None
    given = GivenExport("", begun.export.media_id, ANA_NUMBER, "Bia")
    service, scope = ExportService(house.desk.context, house.media), house.desk.scope
    first, again = [await service.create(scope, given, "key") for _ in range(2)]
    assert first == again
    with pytest.raises(PonteError) as refused:
        await service.create(scope, replace(given, own_name="Ana"), "key")
    assert refused.value.code is errors.IDEMPOTENCY_KEY_REUSED


async def test_an_import_that_is_cut_off_goes_on_where_it_was(
    house: House, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_imports, "BATCH", 2)
    lines = [f"[13/01/2025, 12:00:{second:02}] Bia: ok {second}" for second in range(7)]
    begun = await house.begin(text_file(*lines))
    job = ExportImports(house.desk.context, house.media)
    working = asyncio.create_task(job.run(house.desk.scope, begun.id))
    async with asyncio.timeout(20):
        while (await house.look(begun)).counts.read < 2:
            await asyncio.sleep(0)
    working.cancel()
    await asyncio.wait([working])
    half = await house.look(begun)
    assert 0 < half.counts.read < 7
    await house.work()
    assert await house.look(begun) == half
    clock.advance(HELD.total_seconds())
    await house.work()
    ended = await house.look(begun)
    assert ended.counts == Counts(total=7, read=7, added=7)
    assert await house.texts() == [f"ok {second}" for second in range(7)]


async def test_a_long_import_says_meanwhile_that_it_is_being_worked_on(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_imports, "_HOLD_EVERY", timedelta(0))
    monkeypatch.setattr(export_imports, "FILES_IN_BATCH", 1)
    lines = text_file(*[f"[13/01/2025, 12:00:00] Bia: \u200e<attached: {number}.png>" for number in range(3)])
    begun = await house.begin(zip_file(lines, {"0.png": picture(), "1.png": picture()}))
    await house.work()
    assert (await house.look(begun)).counts.added == 3
    files = [file_of(message).media_id for message in reversed(await house.stored())]
    assert [bool(media_id) for media_id in files] == [True, True, False]


async def test_two_workers_write_nothing_twice(
    house: House, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_imports, "BATCH", 2)
    lines = [f"[13/01/2025, 12:00:{second:02}] Bia: ok {second}" for second in range(20)]
    begun = await house.begin(text_file(*lines))
    jobs = [ExportImports(house.desk.context, house.media) for _ in range(2)]
    working = asyncio.create_task(jobs[0].run(house.desk.scope, begun.id))
    async with asyncio.timeout(20):
        while not (await house.look(begun)).counts.read:
            await asyncio.sleep(0)
    clock.advance(HELD.total_seconds())
    await asyncio.gather(working, jobs[1].run(house.desk.scope, begun.id))
    ended = await house.look(begun)
    assert (ended.state, ended.counts) == (ImportState.COMPLETED, Counts(total=20, read=20, added=20))
    assert len(await house.stored()) == 20


async def test_a_cancelled_import_ends_and_the_session_goes_on_to_want_its_history(house: House) -> None:
    desk = house.desk
    async with desk.context.database.transaction(desk.scope) as tx:
        await sessions.change(tx, desk.scope, desk.session_id, {"history_days": 30})
    begun = await house.begin(text_file(HELLO, ANSWER))
    await ImportService(desk.context).cancel(desk.scope, begun.id)
    await house.work()
    assert (await house.look(begun)).state is ImportState.CANCELLED
    assert await house.stored() == []
    async with desk.context.database.reading(desk.scope) as tx:
        record = await sessions.find_record(tx, desk.scope, desk.session_id)
    assert record is not None
    assert record.wish.days == 30


async def test_an_import_that_is_cancelled_on_the_way_stops(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_imports, "BATCH", 1)
    lines = [f"[13/01/2025, 12:{minute:02}:00] Bia: ok" for minute in range(40)]
    begun = await house.begin(text_file(*lines))
    working = asyncio.create_task(
        ExportImports(house.desk.context, house.media).run(house.desk.scope, begun.id)
    )
    async with asyncio.timeout(20):
        while not (await house.look(begun)).counts.read:
            await asyncio.sleep(0)
    await ImportService(house.desk.context).cancel(house.desk.scope, begun.id)
    await working
    ended = await house.look(begun)
    assert ended.state is ImportState.CANCELLED
    assert len(await house.stored()) == ended.counts.added < 40


@pytest.mark.parametrize(
    "content",
    [
        lambda id_: Content(Text("Yes"), reply_to=id_),
        lambda id_: Content(Reaction(message_id=id_, emoji="+")),
        lambda id_: Content(Edit(message_id=id_, body="x")),
        lambda id_: Content(Delete(message_id=id_)),
        lambda id_: Content(Pin(message_id=id_)),
    ],
)
async def test_whatsapp_is_not_told_of_a_message_that_it_does_not_know(house: House, content: Any) -> None:
    await house.take_in(HELLO, ANSWER)
    answer, hello = await house.stored()
    desk = house.desk
    commands = [
        SubmitText(desk.session_id, "", "", content=content(answer.id)),
        SubmitText(desk.session_id, ANA_NUMBER, "", forward=answer.id),
    ]
    for command in commands:
        with pytest.raises(PonteError) as refused:
            await desk.messages.submit(desk.scope, command)
        assert refused.value.code is errors.EXPORTED_MESSAGE
    with pytest.raises(PonteError) as refused:
        await desk.messages.retry(desk.scope, answer.id)
    assert refused.value.code is errors.EXPORTED_MESSAGE
    chats = ChatService(desk.context, desk.gateway)
    with pytest.raises(PonteError) as refused:
        await chats.mark_read(desk.scope, [hello.id])
    assert refused.value.code is errors.EXPORTED_MESSAGE
    await chats.show(desk.scope, desk.session_id, ANA_NUMBER, ChatAction.TYPING)
