"""Older messages of a chat that a number's own phone is asked for."""

from datetime import timedelta
from typing import Any

import pytest

from orchestrator._generated.ponte.bridge.v1 import history_pb2
from orchestrator.bridge.history import decode_chunk, read_history_message
from orchestrator.domain.errors import PonteError
from orchestrator.domain.imports import Import, ImportKind, ImportState, OlderThan
from orchestrator.domain.jid import ContactId
from orchestrator.domain.message_filter import MessageFilter
from orchestrator.domain.page import PageRequest
from orchestrator.services.contacts import ContactBook
from orchestrator.services.history import QUIET, HistoryService
from orchestrator.services.history_imports import HistoryImports
from orchestrator.services.import_rounds import ImportRounds
from orchestrator.services.imports import ImportService
from orchestrator.services.older_messages import OlderMessages
from orchestrator.store import events, messages
from tests.support.clock import ManualClock
from tests.support.desk import Desk
from tests.support.factories import CUSTOMER, Factories

CHAT = f"{CUSTOMER.removeprefix('+')}@s.whatsapp.net"
FENCE = 0


def older(desk: Desk) -> OlderMessages:
    return OlderMessages(desk.context, desk.gateway)


async def asked(desk: Desk, **more: Any) -> Import:
    """Ask for what came before the only message, which has left."""
    await desk.submit("here")
    await desk.send_all()
    return await older(desk).request(desk.scope, "", CUSTOMER, 0, **more)


def told(desk: Desk, name: str, age: timedelta) -> history_pb2.HistoryMessage:
    sent_at = desk.context.clock() - age
    return history_pb2.HistoryMessage(
        wa_message_id=name,
        chat_jid=CHAT,
        contact_pn_jid=CHAT,
        sent_at_ms=int(sent_at.timestamp() * 1000),
        kind="text",
        text=f"text {name}",
        message_proto=b"raw",
    )


async def answer(desk: Desk, *told_of: history_pb2.HistoryMessage, on_demand: bool = True) -> None:
    """Let the phone answer."""
    chunk = decode_chunk(history_pb2.HistoryChunk(messages=told_of, is_last=True, on_demand=on_demand))
    await HistoryService(desk.context).record(
        desk.scope,
        desk.session_id,
        FENCE,
        chunk.messages,
        is_last=chunk.is_last,
        on_demand=chunk.on_demand,
    )


async def work(desk: Desk) -> None:
    rounds = ImportRounds(
        desk.context, {ImportKind.ON_DEMAND: HistoryImports(desk.context, read_history_message)}
    )
    await rounds.run_once()
    await rounds.idle()


async def now(desk: Desk, value: Import) -> Import:
    return await ImportService(desk.context).get(desk.scope, value.id)


async def texts(desk: Desk) -> list[str]:
    async with desk.context.database.reading(desk.scope) as tx:
        page = await messages.list_page(tx, desk.scope, MessageFilter(), PageRequest())
    return [message.text for message in reversed(page.items)]


async def test_the_phone_is_asked_before_the_oldest_message_that_whatsapp_has(
    desk: Desk, clock: ManualClock
) -> None:
    sent_at = clock()
    value = await asked(desk)
    assert (value.kind, value.state, value.chat_jid) == (ImportKind.ON_DEMAND, ImportState.WAITING, CHAT)
    [(session_id, older_than)] = desk.gateway.history_asked
    async with desk.context.database.reading(desk.scope) as tx:
        [message] = (await messages.list_page(tx, desk.scope, MessageFilter(), PageRequest())).items
    assert (session_id, older_than) == (
        desk.session_id,
        OlderThan(CHAT, message.wa_message_id, from_me=True, sent_at=sent_at, count=50),
    )


async def test_what_it_tells_is_imported_however_old_and_asked_for_again_before_that(
    desk: Desk, clock: ManualClock
) -> None:
    value = await asked(desk)
    days = [timedelta(days=day) for day in (4000, 3000)]
    await answer(desk, *(told(desk, f"M{age.days}", age) for age in days))
    await work(desk)
    done = await now(desk, value)
    assert (done.state, done.counts.added) == (ImportState.COMPLETED, 2)
    assert await texts(desk) == ["text M4000", "text M3000", "here"]
    async with desk.context.database.reading(desk.scope) as tx:
        recorded = await events.list_after(tx, desk.scope, 0, 100)
    assert [event.data["chat"] for event in recorded if event.type == "import.completed"] == [CHAT]
    assert not [event for event in recorded if event.type == "message.received"]

    clock.advance(1)
    await older(desk).request(desk.scope, desk.session_id, CHAT, 10)
    again = desk.gateway.history_asked[-1][1]
    assert (again.wa_message_id, again.from_me, again.count) == ("M4000", False, 10)


async def test_a_phone_that_knows_nothing_older_ends_it_and_one_that_is_silent_fails_it(
    desk: Desk, clock: ManualClock
) -> None:
    nothing = await asked(desk)
    clock.advance(1)
    await answer(desk)
    await work(desk)
    assert (await now(desk, nothing)).state is ImportState.COMPLETED

    silent = await older(desk).request(desk.scope, "", CUSTOMER, 5)
    await answer(desk, told(desk, "A", timedelta(days=1)), on_demand=False)
    clock.advance(QUIET.total_seconds())
    await work(desk)
    failed = await now(desk, silent)
    assert (failed.state, failed.error_code) == (ImportState.FAILED, "PHONE_SILENT")
    assert await texts(desk) == ["here"]


async def test_one_is_asked_at_a_time_and_a_cancelled_one_takes_no_answer(desk: Desk) -> None:
    value = await asked(desk)
    with pytest.raises(PonteError) as refused:
        await older(desk).request(desk.scope, "", CUSTOMER, 5)
    assert refused.value.code.name == "IMPORT_ALREADY_OPEN"
    await ImportService(desk.context).cancel(desk.scope, value.id)
    await answer(desk, told(desk, "A", timedelta(days=1)))
    await work(desk)
    assert await texts(desk) == ["here"]
    assert (await older(desk).request(desk.scope, "", CUSTOMER, 5)).state is ImportState.WAITING


async def test_an_answer_of_another_chat_is_passed_over(desk: Desk, clock: ManualClock) -> None:
    value = await asked(desk)
    clock.advance(1)
    elsewhere = told(desk, "A", timedelta(days=1))
    elsewhere.chat_jid = elsewhere.contact_pn_jid = "5511900000009@s.whatsapp.net"
    await answer(desk, elsewhere)
    await work(desk)
    assert (await now(desk, value)).state is ImportState.WAITING
    by_lid = told(desk, "B", timedelta(days=1))
    by_lid.chat_jid = by_lid.contact_lid_jid = await lid_of(desk)
    await answer(desk, by_lid)
    await work(desk)
    assert (await now(desk, value)).state is ImportState.COMPLETED
    assert await texts(desk) == ["text B", "here"]


async def lid_of(desk: Desk) -> str:
    """The customer's other name, which was learned when its number was looked up."""
    async with desk.context.database.reading(desk.scope) as tx:
        [contact] = await ContactBook(desk.context).complete(tx, desk.scope, [ContactId(pn_jid=CHAT)])
    assert contact.lid_jid
    return contact.lid_jid


async def test_a_session_that_is_not_connected_cannot_ask(desk: Desk) -> None:
    await desk.submit("here")
    await desk.send_all()
    desk.gateway.available = False
    with pytest.raises(PonteError) as refused:
        await older(desk).request(desk.scope, "", CUSTOMER, 5)
    assert refused.value.code.name == "GATEWAY_UNAVAILABLE"
    page = await ImportService(desk.context).list(desk.scope, "", PageRequest())
    assert [(one.state, one.error_code) for one in page.items] == [
        (ImportState.FAILED, "GATEWAY_UNAVAILABLE")
    ]


async def test_what_cannot_be_asked_for_is_refused(desk: Desk, make: Factories) -> None:
    await desk.submit("waiting")
    unlinked = await make.session(desk.scope)
    for session_id, chat, count, code in (
        ("", CUSTOMER, 51, "INVALID_ARGUMENT"),
        ("", "12", 1, "INVALID_PHONE_NUMBER"),
        ("", "1@newsletter", 1, "INVALID_ARGUMENT"),
        (desk.session_id, CUSTOMER, 1, "CHAT_HAS_NO_MESSAGE"),
        ("nothing", CUSTOMER, 1, "NOT_FOUND"),
        (unlinked.id, CUSTOMER, 1, "SESSION_NOT_LINKED"),
    ):
        with pytest.raises(PonteError) as refused:
            await older(desk).request(desk.scope, session_id, chat, count)
        assert refused.value.code.name in (code, "SESSION_AMBIGUOUS"), chat
    assert desk.gateway.history_asked == []
