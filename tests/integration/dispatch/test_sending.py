"""From submit to the gateway's answer, on real databases."""

from datetime import timedelta

import pytest

from orchestrator.domain.errors import MESSAGE_NOT_CANCELLABLE, MESSAGE_NOT_RETRYABLE, PonteError
from orchestrator.domain.message import Lane, MessageStatus
from orchestrator.domain.message_filter import FailedFilter, MessageFilter
from orchestrator.domain.page import PageRequest
from orchestrator.domain.retry import Outcome, SendReport
from orchestrator.services import messages as messages_module
from orchestrator.store import events
from orchestrator.store import messages as message_store
from tests.support.bells import RecordingBells
from tests.support.clock import ManualClock
from tests.support.desk import Desk

OTHER = "+5511987654322"
AMBIGUOUS = SendReport(Outcome.AMBIGUOUS, reason="ack_timeout")
REFUSED = SendReport(Outcome.REJECTED, wa_code=405)
ABSENT = SendReport(Outcome.NOT_SENT, reason="not_on_whatsapp")


async def _event_types(desk: Desk) -> list[str]:
    async with desk.context.database.reading(desk.scope) as tx:
        return [event.type for event in await events.list_after(tx, desk.scope, 0, 500)]


async def test_a_submitted_text_is_sent_once_with_its_stored_id(desk: Desk) -> None:
    message_id = await desk.submit("Hello")
    queued = await desk.messages.get(desk.scope, message_id)
    await desk.send_all()
    await desk.send_all()
    sent = await desk.messages.get(desk.scope, message_id)
    assert (queued.status, sent.status) == (MessageStatus.QUEUED, MessageStatus.SENT)
    assert [outgoing.wa_message_id for _, outgoing in desk.gateway.attempts] == [queued.wa_message_id]
    assert sent.attempts == 1
    assert sent.times.sent_at == desk.context.clock()


async def test_each_step_is_an_event_that_carries_the_whole_message(desk: Desk) -> None:
    message_id = await desk.submit("Hello")
    await desk.send_all()
    async with desk.context.database.reading(desk.scope) as tx:
        queued, sent = await events.list_after(tx, desk.scope, 0, 10)
    assert (queued.type, sent.type) == ("message.queued", "message.sent")
    assert (sent.sequence, sent.session_id) == (2, desk.session_id)
    assert sent.data["id"] == message_id
    assert sent.data["text"] == {"body": "Hello"}
    assert sent.data["status"] == "SENT"
    assert sent.data["contact"]["phone_number"] == "+5511987654321"  # type: ignore[index]
    assert sent.data["sent_at"] == "2026-01-05T12:00:00Z"


async def test_what_was_sent_is_kept_for_recipients_that_ask_again(desk: Desk) -> None:
    message = await desk.messages.get(desk.scope, await desk.submit("Hello"))
    await desk.send_all()
    async with desk.context.database.reading(desk.scope) as tx:
        proto = await message_store.find_proto(tx, desk.scope, desk.session_id, message.wa_message_id)
        unknown = await message_store.find_proto(tx, desk.scope, desk.session_id, "3EB0")
    assert (proto, unknown) == (b"Hello", None)


async def test_the_rings_come_after_the_commit(desk: Desk, bells: RecordingBells) -> None:
    await desk.submit("Hello")
    assert bells.messages == [(desk.scope.company_id, desk.session_id)]
    assert bells.events == [desk.scope.company_id]


async def test_an_ambiguous_send_is_repeated_with_the_same_id_after_5_25_and_125_seconds(
    desk: Desk, clock: ManualClock
) -> None:
    message_id = await desk.submit("Hello")
    desk.gateway.answer_next("Hello", AMBIGUOUS, AMBIGUOUS, AMBIGUOUS)
    for wait in (5, 25, 125):
        await desk.send_all()
        assert await desk.status(message_id) == "QUEUED"
        clock.advance(wait - 1)
        tried = len(desk.gateway.attempts)
        await desk.send_all()
        assert len(desk.gateway.attempts) == tried, "sent before its time"
        clock.advance(1)
    await desk.send_all()
    assert await desk.status(message_id) == "SENT"
    assert len({outgoing.wa_message_id for _, outgoing in desk.gateway.attempts}) == 1
    assert len(desk.gateway.attempts) == 4


async def test_after_the_fourth_failure_it_is_a_dead_letter_that_can_be_sent_again(
    desk: Desk, clock: ManualClock
) -> None:
    message_id = await desk.submit("Hello")
    desk.gateway.answer_next("Hello", *[AMBIGUOUS] * 4)
    for wait in (0, 5, 25, 125):
        clock.advance(wait)
        await desk.send_all()
    failed = await desk.messages.get(desk.scope, message_id)
    assert failed.status is MessageStatus.FAILED
    assert failed.error is not None
    assert failed.error.code == "OUTCOME_UNKNOWN"
    assert failed.times.failed_at == clock()
    again = await desk.messages.retry(desk.scope, message_id)
    assert (again.status, again.attempts, again.error) == (MessageStatus.QUEUED, 0, None)
    clock.advance(
        60
    )  # The breaker, which four failures in a row brought near to opening, is not what is tested.
    await desk.send_all()
    assert await desk.status(message_id) == "SENT"
    assert len({outgoing.wa_message_id for _, outgoing in desk.gateway.attempts}) == 1
    assert await _event_types(desk) == ["message.queued", "message.failed", "message.queued", "message.sent"]


async def failed_twice_over(desk: Desk) -> tuple[str, str]:
    """Two dead letters, of two causes."""
    made: list[str] = []
    for text, report in (("refused", REFUSED), ("absent", ABSENT)):
        made.append(await desk.submit(text, to=f"+551190000000{len(made)}"))
        desk.gateway.answer_next(text, report)
    await desk.send_all()
    assert [await desk.status(id_) for id_ in made] == ["FAILED", "FAILED"]
    return made[0], made[1]


async def test_dead_letters_are_sent_again_by_what_they_failed_with(desk: Desk, clock: ManualClock) -> None:
    refused, absent = await failed_twice_over(desk)
    failed = (await desk.messages.get(desk.scope, refused)).error
    assert failed is not None

    assert await desk.messages.retry_failed(desk.scope, FailedFilter(error_code=failed.code)) == (1, False)

    clock.advance(60)
    await desk.send_all()
    assert (await desk.status(refused), await desk.status(absent)) == ("SENT", "FAILED")
    page = await desk.messages.list(desk.scope, MessageFilter(error_code="NOT_ON_WHATSAPP"), PageRequest(10))
    assert [message.id for message in page.items] == [absent]
    assert await desk.messages.retry_failed(desk.scope, FailedFilter(session_id="another")) == (0, False)
    since = clock() - timedelta(hours=1)
    assert await desk.messages.retry_failed(desk.scope, FailedFilter(failed_after=since)) == (1, False)


async def test_many_dead_letters_come_in_portions(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await failed_twice_over(desk)
    monkeypatch.setattr(messages_module, "MOST_RETRIED", 1)
    wanted = FailedFilter(session_id=desk.session_id)
    assert await desk.messages.retry_failed(desk.scope, wanted) == (1, True)
    assert await desk.messages.retry_failed(desk.scope, wanted) == (1, False)
    assert await desk.messages.retry_failed(desk.scope, wanted) == (0, False)


@pytest.mark.parametrize("wanted", [FailedFilter(), FailedFilter(error_code="NOT_ON_WATSAPP")])
async def test_all_dead_letters_at_once_and_unknown_codes_are_refused(
    desk: Desk, wanted: FailedFilter
) -> None:
    with pytest.raises(PonteError) as refused:
        await desk.messages.retry_failed(desk.scope, wanted)
    assert [violation.field for violation in refused.value.violations] == ["error_code"]


async def test_only_a_dead_letter_can_be_sent_again(desk: Desk) -> None:
    message_id = await desk.submit("Hello")
    with pytest.raises(PonteError) as refused:
        await desk.messages.retry(desk.scope, message_id)
    assert refused.value.code is MESSAGE_NOT_RETRYABLE


async def test_a_number_that_is_not_on_whatsapp_fails_at_once(desk: Desk) -> None:
    message_id = await desk.submit("Hello")
    desk.gateway.answer_next("Hello", SendReport(Outcome.NOT_SENT, reason="not_on_whatsapp"))
    await desk.send_all()
    failed = await desk.messages.get(desk.scope, message_id)
    assert failed.status is MessageStatus.FAILED
    assert failed.error is not None
    assert failed.error.code == "NOT_ON_WHATSAPP"


async def test_a_chat_waits_as_a_whole_behind_a_failed_message_and_others_do_not(
    desk: Desk, clock: ManualClock
) -> None:
    for body in ("one", "two", "three"):
        await desk.submit(body)
    await desk.submit("elsewhere", to=OTHER)
    desk.gateway.answer_next("one", AMBIGUOUS)
    await desk.send_all()
    await desk.submit("four")
    await desk.send_all()
    assert [outgoing.text for _, outgoing in desk.gateway.attempts] == ["one", "elsewhere"]
    clock.advance(5)
    await desk.send_all()
    texts = [outgoing.text for _, outgoing in desk.gateway.attempts]
    assert texts == ["one", "elsewhere", "one", "two", "three", "four"]


async def test_cancelling_the_first_of_a_waiting_chat_lets_the_others_go(desk: Desk) -> None:
    first = await desk.submit("one")
    await desk.submit("two")
    desk.gateway.answer_next("one", AMBIGUOUS)
    await desk.send_all()
    await desk.messages.cancel(desk.scope, first)
    await desk.send_all()
    assert [outgoing.text for _, outgoing in desk.gateway.attempts] == ["one", "two"]


async def test_replies_go_first_and_take_what_stands_before_them_in_their_chat_along(desk: Desk) -> None:
    await desk.submit("elsewhere", to=OTHER)
    await desk.submit("before")
    await desk.submit("reply", lane=Lane.REPLY)
    await desk.send_all()
    texts = [outgoing.text for _, outgoing in desk.gateway.attempts]
    assert texts == ["before", "reply", "elsewhere"]


async def test_a_scheduled_message_waits_for_its_time_and_holds_up_nobody(
    desk: Desk, clock: ManualClock
) -> None:
    await desk.submit("later", send_at=clock() + timedelta(hours=1))
    await desk.submit("now")
    await desk.send_all()
    assert [outgoing.text for _, outgoing in desk.gateway.attempts] == ["now"]
    clock.advance(3600)
    await desk.send_all()
    assert [outgoing.text for _, outgoing in desk.gateway.attempts] == ["now", "later"]


async def test_a_queued_message_can_be_cancelled_and_is_not_sent(desk: Desk) -> None:
    message_id = await desk.submit("Hello")
    cancelled = await desk.messages.cancel(desk.scope, message_id)
    await desk.send_all()
    assert cancelled.status is MessageStatus.CANCELLED
    assert desk.gateway.attempts == []
    assert await _event_types(desk) == ["message.queued", "message.cancelled"]
    with pytest.raises(PonteError) as refused:
        await desk.messages.cancel(desk.scope, message_id)
    assert refused.value.code is MESSAGE_NOT_CANCELLABLE


async def test_many_messages_to_many_chats_all_leave_in_order(desk: Desk) -> None:
    sent = [(f"+55119876500{chat:02d}", f"{chat}:{number}") for number in range(20) for chat in range(12)]
    for to, body in sent:
        await desk.submit(body, to=to)
    await desk.send_all()
    by_chat: dict[str, list[int]] = {}
    for _, outgoing in desk.gateway.attempts:
        chat, number = outgoing.text.split(":")
        by_chat.setdefault(chat, []).append(int(number))
    assert by_chat == {str(chat): list(range(20)) for chat in range(12)}


async def test_nothing_is_sent_while_no_gateway_holds_the_session(desk: Desk, clock: ManualClock) -> None:
    message_id = await desk.submit("Hello")
    desk.gateway.available = False
    await desk.send_all()
    waiting = await desk.messages.get(desk.scope, message_id)
    assert (waiting.status, waiting.attempts) == (MessageStatus.QUEUED, 0)
    desk.gateway.available = True
    await desk.send_all()
    assert await desk.status(message_id) == "SENT"
