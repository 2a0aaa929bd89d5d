"""What is taken in, what is refused, and what happens when the same request comes twice."""

import asyncio
from datetime import timedelta

import pytest

from orchestrator.domain import errors
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import ErrorCode, PonteError
from orchestrator.domain.ids import is_id
from orchestrator.domain.message import Lane, MessageStatus
from orchestrator.domain.page import PageRequest
from orchestrator.domain.session import SessionState
from orchestrator.services.context import Context, Limits
from orchestrator.services.messages import MessageFilter, MessageService, SubmitText
from orchestrator.store import events
from tests.support.clock import ManualClock
from tests.support.desk import Desk
from tests.support.factories import CUSTOMER, Factories


async def _refusal(service: MessageService, scope: CompanyScope, command: SubmitText) -> PonteError:
    with pytest.raises(PonteError) as refused:
        await service.submit(scope, command)
    return refused.value


async def _event_count(desk: Desk) -> int:
    async with desk.context.database.reading(desk.scope) as tx:
        return await events.last_sequence(tx, desk.scope)


@pytest.mark.parametrize(
    ("to", "body", "code", "field"),
    [
        ("5511987654321", "Hello", errors.INVALID_PHONE_NUMBER, "to"),
        ("+55 11 98765-4321", "Hello", errors.INVALID_PHONE_NUMBER, "to"),
        ("+551198765432199999", "Hello", errors.INVALID_PHONE_NUMBER, "to"),
        ("+1555", "Hello", errors.INVALID_PHONE_NUMBER, "to"),
        ("+9990000000", "Hello", errors.INVALID_PHONE_NUMBER, "to"),
        ("", "Hello", errors.INVALID_PHONE_NUMBER, "to"),
        (CUSTOMER, "", errors.TEXT_EMPTY, "text.body"),
        (CUSTOMER, " \n\t ", errors.TEXT_EMPTY, "text.body"),
        (CUSTOMER, "x" * 65_537, errors.TEXT_TOO_LONG, "text.body"),
        (CUSTOMER, "a\0b", errors.INVALID_ARGUMENT, "text.body"),
    ],
)
async def test_what_cannot_be_sent_is_refused_with_its_code_and_field(
    desk: Desk, to: str, body: str, code: ErrorCode, field: str
) -> None:
    refusal = await _refusal(desk.messages, desk.scope, SubmitText(desk.session_id, to, body))
    assert refusal.code is code
    assert [violation.field for violation in refusal.violations] == [field]
    assert await _event_count(desk) == 0


async def test_a_text_of_the_greatest_length_is_taken(desk: Desk) -> None:
    assert await desk.status(await desk.submit("x" * 65_536)) == "QUEUED"


@pytest.mark.parametrize("state", [SessionState.NEW, SessionState.PAIRING, SessionState.LOGGED_OUT])
async def test_a_session_without_a_number_takes_no_messages(
    desk: Desk, make: Factories, state: SessionState
) -> None:
    session = await make.session(desk.scope, state=state.value)
    refusal = await _refusal(desk.messages, desk.scope, SubmitText(session.id, CUSTOMER, "Hello"))
    assert refusal.code is errors.SESSION_NOT_LINKED


@pytest.mark.parametrize("state", [SessionState.RECONNECTING, SessionState.STOPPED, SessionState.CONNECTING])
async def test_a_linked_session_takes_messages_also_while_it_is_offline(
    desk: Desk, make: Factories, state: SessionState
) -> None:
    session = await make.linked_session(desk.scope, state=state.value)
    message = await desk.messages.submit(desk.scope, SubmitText(session.id, CUSTOMER, "Hello"))
    dispatch = desk.dispatch()
    await dispatch.run(desk.scope, session.id)
    assert await desk.status(message.id) == "QUEUED"
    assert desk.gateway.attempts == []


async def test_an_unknown_a_deleted_and_another_companys_session_are_the_same(
    desk: Desk, make: Factories, clock: ManualClock
) -> None:
    deleted = await make.linked_session(desk.scope, deleted_at=clock())
    stranger = await make.company()
    refusals = [
        await _refusal(desk.messages, desk.scope, SubmitText("no-such-session", CUSTOMER, "Hello")),
        await _refusal(desk.messages, desk.scope, SubmitText(deleted.id, CUSTOMER, "Hello")),
        await _refusal(desk.messages, stranger, SubmitText(desk.session_id, CUSTOMER, "Hello")),
    ]
    assert {refusal.code for refusal in refusals} == {errors.NOT_FOUND}
    assert len({refusal.sentence for refusal in refusals}) == 1


async def test_a_company_with_one_session_need_not_name_it(desk: Desk, make: Factories) -> None:
    message = await desk.messages.submit(desk.scope, SubmitText("", CUSTOMER, "Hello"))
    assert message.session_id == desk.session_id
    await make.linked_session(desk.scope)
    refusal = await _refusal(desk.messages, desk.scope, SubmitText("", CUSTOMER, "Hello"))
    assert refusal.code is errors.SESSION_AMBIGUOUS
    nobody = await make.company()
    assert (await _refusal(desk.messages, nobody, SubmitText("", CUSTOMER, "Hello"))).code is errors.NOT_FOUND


async def test_ids_are_given_at_once_and_lanes_default_to_transactional(desk: Desk) -> None:
    message = await desk.messages.submit(desk.scope, SubmitText(desk.session_id, CUSTOMER, "Hello"))
    assert is_id(message.id)
    assert message.wa_message_id.startswith("3EB0")
    assert message.lane is Lane.TRANSACTIONAL
    assert message.chat_jid == "5511987654321@s.whatsapp.net"
    assert message == await desk.messages.get(desk.scope, message.id)


async def test_it_cannot_be_scheduled_more_than_a_year_ahead(desk: Desk, clock: ManualClock) -> None:
    too_late = SubmitText(desk.session_id, CUSTOMER, "Hello", send_at=clock() + timedelta(days=366))
    refusal = await _refusal(desk.messages, desk.scope, too_late)
    assert (refusal.code, refusal.violations[0].field) == (errors.INVALID_ARGUMENT, "send_at")


async def test_the_same_idempotency_key_and_request_give_the_same_message(desk: Desk) -> None:
    command = SubmitText(desk.session_id, CUSTOMER, "Hello", idempotency_key="order-1")
    first = await desk.messages.submit(desk.scope, command)
    await desk.send_all()
    second = await desk.messages.submit(desk.scope, command)
    assert (second.id, second.status) == (first.id, MessageStatus.SENT)
    assert await _event_count(desk) == 2


async def test_one_key_used_at_the_same_time_makes_one_message(desk: Desk) -> None:
    command = SubmitText(desk.session_id, CUSTOMER, "Hello", idempotency_key="order-1")
    made = await asyncio.gather(*(desk.messages.submit(desk.scope, command) for _ in range(20)))
    assert len({message.id for message in made}) == 1
    assert await _event_count(desk) == 1


async def test_a_key_that_stood_for_another_request_fails_only_its_own_caller(desk: Desk) -> None:
    await desk.submit("Hello", idempotency_key="order-1")
    outcomes = await asyncio.gather(
        desk.submit("Other", idempotency_key="order-1"), desk.submit("Fine"), return_exceptions=True
    )
    assert isinstance(outcomes[0], PonteError)
    assert outcomes[0].code is errors.IDEMPOTENCY_KEY_REUSED
    assert isinstance(outcomes[1], str)


async def test_many_at_once_are_numbered_without_gaps_and_in_order(desk: Desk) -> None:
    await asyncio.gather(*(desk.submit(f"text {number}") for number in range(150)))
    async with desk.context.database.reading(desk.scope) as tx:
        recorded = await events.list_after(tx, desk.scope, 0, 500)
    assert [event.sequence for event in recorded] == list(range(1, 151))


async def test_a_full_outbox_refuses_until_some_have_left(
    desk: Desk, context: Context, clock: ManualClock
) -> None:
    small = Context(
        context.database,
        context.vault,
        context.bells,
        context.clock,
        context.rng,
        Limits(waiting_messages_per_session=3),
        sending_limits=context.sending_limits,
    )
    service = MessageService(small)
    for number in range(3):
        await service.submit(desk.scope, SubmitText(desk.session_id, CUSTOMER, str(number)))
    one_too_many = SubmitText(desk.session_id, CUSTOMER, "one too many", idempotency_key="once")
    for _ in range(2):
        refusal = await _refusal(service, desk.scope, one_too_many)
        assert refusal.code is errors.QUEUE_FULL
        assert refusal.retry_after_s == 1
    await desk.send_all()
    clock.advance(1)
    accepted = await service.submit(desk.scope, one_too_many)
    assert (await service.submit(desk.scope, one_too_many)).id == accepted.id


async def test_lists_are_newest_first_in_pages_and_filtered(desk: Desk) -> None:
    ids = [await desk.submit(f"text {number}", to=f"+551198765432{number % 2}") for number in range(5)]
    await desk.messages.cancel(desk.scope, ids[4])
    first = await desk.messages.list(desk.scope, MessageFilter(), PageRequest(3))
    rest = await desk.messages.list(desk.scope, MessageFilter(), PageRequest(3, first.next_token))
    assert [message.id for message in [*first.items, *rest.items]] == ids[::-1]
    assert rest.next_token == ""

    async def found(wanted: MessageFilter) -> list[str]:
        page = await desk.messages.list(desk.scope, wanted, PageRequest())
        return [message.id for message in page.items]

    assert await found(MessageFilter(chat="+5511987654321")) == [ids[3], ids[1]]
    assert await found(MessageFilter(chat="5511987654321@s.whatsapp.net")) == [ids[3], ids[1]]
    assert await found(MessageFilter(status=MessageStatus.CANCELLED)) == [ids[4]]
    assert await found(MessageFilter(session_id="another")) == []
    with pytest.raises(PonteError) as refused:
        await found(MessageFilter(chat="12"))
    assert refused.value.violations[0].field == "chat"


async def test_another_companys_message_is_not_found(desk: Desk, make: Factories) -> None:
    message_id = await desk.submit("Hello")
    stranger = await make.company()
    for verb in (desk.messages.get, desk.messages.cancel, desk.messages.retry):
        with pytest.raises(PonteError) as refused:
            await verb(stranger, message_id)
        assert refused.value.code is errors.NOT_FOUND
