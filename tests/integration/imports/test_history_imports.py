"""What phones tell of the time before: kept, and imported once, oldest first, without a word to anybody."""

from datetime import timedelta
from random import Random
from typing import Any

import pytest

from orchestrator._generated.ponte.bridge.v1 import history_pb2
from orchestrator.bridge.history import decode_chunk, read_history_message
from orchestrator.domain import errors
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError
from orchestrator.domain.imports import Counts, Import, ImportKind, ImportState
from orchestrator.domain.inbound import InboundMessage
from orchestrator.domain.jid import ContactId
from orchestrator.domain.message import Direction, Message, MessageStatus
from orchestrator.domain.message_filter import MessageFilter
from orchestrator.domain.page import PageRequest
from orchestrator.services.history import QUIET, HistoryService
from orchestrator.services.history_imports import HistoryImports
from orchestrator.services.import_rounds import ImportRounds
from orchestrator.services.imports import ImportService
from orchestrator.services.inbox import InboxService
from orchestrator.store import events, history, messages, sessions
from tests.support.clock import ManualClock
from tests.support.desk import Desk

ANA, ANA_LID = "5511911111111@s.whatsapp.net", "911@lid"
GROUP = "120363000000000001@g.us"
FENCE = 0


@pytest.fixture
async def wishing(desk: Desk) -> Desk:
    """A desk whose session wants the last 30 days, without groups."""
    async with desk.context.database.transaction(desk.scope) as tx:
        await sessions.change(tx, desk.scope, desk.session_id, {"history_days": 30})
    return desk


def told(desk: Desk, name: str, age: timedelta, **more: Any) -> history_pb2.HistoryMessage:
    sent_at = desk.context.clock() - age
    fields = {
        "wa_message_id": name,
        "chat_jid": ANA,
        "contact_pn_jid": ANA,
        "sent_at_ms": int(sent_at.timestamp() * 1000),
        "kind": "text",
        "text": f"text {name}",
        "message_proto": b"raw",
    }
    return history_pb2.HistoryMessage(**{**fields, **more})


async def keep(desk: Desk, *told_of: history_pb2.HistoryMessage, is_last: bool = True) -> None:
    chunk = decode_chunk(history_pb2.HistoryChunk(messages=told_of))
    await HistoryService(desk.context).record(
        desk.scope, desk.session_id, FENCE, chunk.messages, is_last=is_last
    )


async def work(desk: Desk) -> None:
    jobs = {ImportKind.PAIRING: HistoryImports(desk.context, read_history_message)}
    imports = ImportRounds(desk.context, jobs)
    await imports.run_once()
    await imports.idle()


async def stored(desk: Desk) -> list[Message]:
    async with desk.context.database.reading(desk.scope) as tx:
        page = await messages.list_page(tx, desk.scope, MessageFilter(), PageRequest())
    return list(page.items)


async def imports_of(desk: Desk, scope: CompanyScope | None = None) -> list[Import]:
    return list((await ImportService(desk.context).list(scope or desk.scope, "", PageRequest())).items)


async def event_types(desk: Desk) -> list[str]:
    async with desk.context.database.reading(desk.scope) as tx:
        return [str(event.type) for event in await events.list_after(tx, desk.scope, 0, 500)]


async def test_what_a_phone_told_is_imported_with_its_own_times_and_only_imports_are_told(
    wishing: Desk,
) -> None:
    await keep(wishing, told(wishing, "B", timedelta(hours=1)), is_last=False)
    own = told(wishing, "A", timedelta(hours=2), from_me=True, wa_status=4)
    await keep(wishing, own)
    await work(wishing)
    newest, oldest = await stored(wishing)
    assert (newest.wa_message_id, oldest.wa_message_id) == ("B", "A")
    assert (newest.direction, newest.status) == (Direction.INBOUND, MessageStatus.RECEIVED)
    assert (oldest.direction, oldest.status) == (Direction.OUTBOUND, MessageStatus.READ)
    assert oldest.imported
    assert oldest.times.sent_at == wishing.context.clock() - timedelta(hours=2)
    assert await event_types(wishing) == ["import.started", "import.progress", "import.completed"]
    [value] = await imports_of(wishing)
    assert (value.state, value.percent) == (ImportState.COMPLETED, 100)
    assert value.counts == Counts(total=2, read=2, added=2)


async def test_an_opt_out_of_before_stops_nobody_now(wishing: Desk) -> None:
    await keep(wishing, told(wishing, "A", timedelta(hours=1), text="STOP"))
    await work(wishing)
    assert "suppression.added" not in await event_types(wishing)
    assert await wishing.submit("Hello", "+5511911111111")


async def test_a_message_that_was_received_live_is_not_imported_again_under_its_other_name(
    wishing: Desk,
) -> None:
    live = InboundMessage(
        wa_message_id="A",
        chat_jid=ANA_LID,
        chat=ContactId(ANA, ANA_LID),
        sender=ContactId(ANA, ANA_LID),
        from_me=False,
        is_group=False,
        push_name="Ana",
        sent_at=wishing.context.clock(),
        offline=False,
        message_proto=b"raw",
        kind="text",
        text="live",
        content=None,
    )
    await InboxService(wishing.context).record(wishing.scope, wishing.session_id, FENCE, live)
    await keep(wishing, told(wishing, "A", timedelta(0)), told(wishing, "B", timedelta(hours=1)))
    await work(wishing)
    assert [(one.text, one.imported) for one in await stored(wishing)] == [("live", False), ("text B", True)]
    [value] = await imports_of(wishing)
    assert (value.counts.added, value.counts.known) == (1, 1)


async def test_a_chunk_that_comes_again_and_a_second_import_add_nothing(wishing: Desk) -> None:
    for _ in range(2):
        await keep(wishing, told(wishing, "A", timedelta(hours=1)), is_last=False)
    await keep(wishing)
    await work(wishing)
    await keep(wishing, told(wishing, "A", timedelta(hours=1)))
    await work(wishing)
    second, first = await imports_of(wishing)
    assert (first.counts.added, second.counts.added, second.counts.known) == (1, 0, 1)
    assert len(await stored(wishing)) == 1


async def test_what_is_older_or_of_groups_or_never_left_the_phone_is_skipped_where_it_is_not_wanted(
    wishing: Desk,
) -> None:
    hour = timedelta(hours=1)
    await keep(
        wishing,
        told(wishing, "A", timedelta(days=31)),
        told(wishing, "B", hour, chat_jid=GROUP, is_group=True),
        told(wishing, "C", hour, from_me=True, wa_status=0),
        told(wishing, "D", hour, sent_at_ms=(1 << 62)),
        told(wishing, "E", hour),
    )
    await work(wishing)
    assert [one.wa_message_id for one in await stored(wishing)] == ["E"]
    [value] = await imports_of(wishing)
    assert (value.counts.added, value.counts.skipped) == (1, 4)


async def test_a_phone_that_never_says_that_it_has_told_all_is_waited_for_two_minutes(
    wishing: Desk, clock: ManualClock
) -> None:
    await keep(wishing, told(wishing, "A", timedelta(hours=1)), is_last=False)
    clock.advance(QUIET.total_seconds() - 1)
    await work(wishing)
    assert await stored(wishing) == []
    clock.advance(2)
    await work(wishing)
    assert len(await stored(wishing)) == 1


async def test_names_that_no_database_stores_are_left_out_and_the_rest_is_kept(wishing: Desk) -> None:
    rng = Random(5)
    odd = [
        told(wishing, "A\0", timedelta(0)),
        told(wishing, "B", timedelta(0), chat_jid="x" * 101),
        told(wishing, "", timedelta(0)),
        told(wishing, "C", timedelta(0), text="a\0b", push_name="\0", message_proto=rng.randbytes(50)),
    ]
    await keep(wishing, *odd)
    await work(wishing)
    [message] = await stored(wishing)
    assert (message.wa_message_id, message.text) == ("C", "a\ufffdb")


async def test_an_id_that_is_too_long_to_be_stored_does_not_keep_the_others_out(wishing: Desk) -> None:
    longest, longer = "A" * 80, "B" * 81
    await keep(wishing, told(wishing, longest, timedelta(hours=1)), told(wishing, longer, timedelta(hours=2)))
    await work(wishing)
    assert [message.wa_message_id for message in await stored(wishing)] == [longest]
    [value] = await imports_of(wishing)
    assert value.state is ImportState.COMPLETED


async def test_a_stale_gateway_keeps_nothing_and_an_unwanted_history_is_passed_over(desk: Desk) -> None:
    await keep(desk, told(desk, "A", timedelta(hours=1)))
    assert await imports_of(desk) == []
    with pytest.raises(PonteError) as refused:
        await HistoryService(desk.context).record(desk.scope, desk.session_id, 7, [], is_last=True)
    assert refused.value.code is errors.STALE_FENCE


async def test_a_cancelled_import_ends_and_its_session_wants_no_more(wishing: Desk) -> None:
    await keep(wishing, told(wishing, "A", timedelta(hours=1)))
    service = ImportService(wishing.context)
    [value] = await imports_of(wishing)
    assert (await service.cancel(wishing.scope, value.id)).state is ImportState.CANCELLED
    async with wishing.context.database.reading(wishing.scope) as tx:
        assert await history.count(tx, wishing.scope, value.id) == 0
    await keep(wishing, told(wishing, "B", timedelta(hours=1)))
    await work(wishing)
    assert await stored(wishing) == []
    assert [one.state for one in await imports_of(wishing)] == [ImportState.CANCELLED]
    with pytest.raises(PonteError) as refused:
        await service.cancel(wishing.scope, value.id)
    assert refused.value.code is errors.IMPORT_ENDED


async def test_imported_messages_are_not_read_before_an_answer(wishing: Desk) -> None:
    await keep(wishing, told(wishing, "A", timedelta(hours=1)))
    await work(wishing)
    [imported] = await stored(wishing)
    async with wishing.context.database.reading(wishing.scope) as tx:
        assert await messages.inbound_since(tx, wishing.scope, imported, None, 10) == []
