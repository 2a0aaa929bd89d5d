"""Receipts move messages on, never back."""

import asyncio

import pytest

from orchestrator.domain.inbound import Receipt, ReceiptKind
from orchestrator.domain.message import Message, MessageStatus
from orchestrator.domain.retry import Outcome, SendReport
from orchestrator.services.receipts import ReceiptService
from orchestrator.store import events
from tests.support.clock import ManualClock
from tests.support.desk import Desk

AMBIGUOUS = SendReport(Outcome.AMBIGUOUS, reason="ack_timeout")


@pytest.fixture
def receipts(desk: Desk) -> ReceiptService:
    return ReceiptService(desk.context)


def _receipt(desk: Desk, kind: ReceiptKind, *messages: Message, code: int = 0) -> Receipt:
    ids = tuple(message.wa_message_id for message in messages)
    return Receipt(ids, "777@lid", "", kind, desk.context.clock(), code)


async def _submitted(desk: Desk, body: str = "Hello") -> Message:
    return await desk.messages.get(desk.scope, await desk.submit(body))


async def _event_types(desk: Desk) -> list[str]:
    async with desk.context.database.reading(desk.scope) as tx:
        return [event.type for event in await events.list_after(tx, desk.scope, 0, 500)]


async def test_delivered_then_read(desk: Desk, receipts: ReceiptService, clock: ManualClock) -> None:
    message = await _submitted(desk)
    await desk.send_all()
    delivered_at = clock.advance(1)
    await receipts.record(desk.scope, desk.session_id, _receipt(desk, ReceiptKind.DELIVERED, message))
    read_at = clock.advance(1)
    await receipts.record(desk.scope, desk.session_id, _receipt(desk, ReceiptKind.READ, message))
    now = await desk.messages.get(desk.scope, message.id)
    assert (now.status, now.times.delivered_at, now.times.read_at) == (
        MessageStatus.READ,
        delivered_at,
        read_at,
    )
    assert await _event_types(desk) == ["message.queued", "message.sent", "message.delivered", "message.read"]


async def test_doubled_and_late_receipts_change_nothing(desk: Desk, receipts: ReceiptService) -> None:
    message = await _submitted(desk)
    await desk.send_all()
    for kind in (ReceiptKind.READ, ReceiptKind.DELIVERED, ReceiptKind.READ, ReceiptKind.SERVER_ACK):
        await receipts.record(desk.scope, desk.session_id, _receipt(desk, kind, message))
    assert await desk.status(message.id) == "READ"
    assert await _event_types(desk) == ["message.queued", "message.sent", "message.read"]


async def test_one_receipt_for_many_and_many_at_once(desk: Desk, receipts: ReceiptService) -> None:
    messages = [await _submitted(desk, str(number)) for number in range(10)]
    await desk.send_all()
    await receipts.record(desk.scope, desk.session_id, _receipt(desk, ReceiptKind.DELIVERED, *messages))
    await asyncio.gather(
        *(
            receipts.record(desk.scope, desk.session_id, _receipt(desk, ReceiptKind.PLAYED, message))
            for message in messages
        )
    )
    assert [await desk.status(message.id) for message in messages] == ["PLAYED"] * 10
    types = await _event_types(desk)
    assert (types.count("message.delivered"), types.count("message.played")) == (10, 10)


async def test_unknown_ids_are_ignored(desk: Desk, receipts: ReceiptService) -> None:
    unknown = Receipt(("3EB0FFFF",), "777@lid", "", ReceiptKind.READ, desk.context.clock())
    await receipts.record(desk.scope, desk.session_id, unknown)
    assert await _event_types(desk) == []


@pytest.mark.parametrize(
    ("kind", "status"), [(ReceiptKind.SERVER_ACK, "SENT"), (ReceiptKind.DELIVERED, "DELIVERED")]
)
async def test_a_message_that_waits_for_its_retry_and_did_arrive_is_not_sent_again(
    desk: Desk, receipts: ReceiptService, clock: ManualClock, kind: ReceiptKind, status: str
) -> None:
    message = await _submitted(desk)
    follower = await _submitted(desk, "next")
    desk.gateway.answer_next("Hello", AMBIGUOUS)
    await desk.send_all()
    await receipts.record(desk.scope, desk.session_id, _receipt(desk, kind, message))
    await desk.send_all()
    assert await desk.status(follower.id) == "SENT", "it need not wait for the retry any more"
    clock.advance(5)
    await desk.send_all()
    assert await desk.status(message.id) == status
    assert [outgoing.text for _, outgoing in desk.gateway.attempts] == ["Hello", "next"]
    assert (await _event_types(desk)).count("message.sent") == 2


async def test_a_late_error_decides_a_message_of_unknown_fate(desk: Desk, receipts: ReceiptService) -> None:
    message = await _submitted(desk)
    desk.gateway.answer_next("Hello", AMBIGUOUS)
    await desk.send_all()
    await receipts.record(desk.scope, desk.session_id, _receipt(desk, ReceiptKind.ERROR, message, code=463))
    failed = await desk.messages.get(desk.scope, message.id)
    assert failed.status is MessageStatus.FAILED
    assert failed.error is not None
    assert failed.error.code == "REACHOUT_LOCKED"
    assert (await _event_types(desk))[-1] == "message.failed"


async def test_a_late_error_that_can_be_retried_sets_the_time_of_the_retry(
    desk: Desk, receipts: ReceiptService, clock: ManualClock
) -> None:
    message = await _submitted(desk)
    desk.gateway.answer_next("Hello", AMBIGUOUS)
    await desk.send_all()
    await receipts.record(desk.scope, desk.session_id, _receipt(desk, ReceiptKind.ERROR, message, code=429))
    clock.advance(59)
    await desk.send_all()
    assert await desk.status(message.id) == "QUEUED"
    clock.advance(1)
    await desk.send_all()
    assert await desk.status(message.id) == "SENT"


async def test_a_late_error_does_not_undo_what_was_sent(desk: Desk, receipts: ReceiptService) -> None:
    message = await _submitted(desk)
    await desk.send_all()
    await receipts.record(desk.scope, desk.session_id, _receipt(desk, ReceiptKind.ERROR, message, code=463))
    assert await desk.status(message.id) == "SENT"
