"""Waiting for a status."""

import asyncio

import pytest

from orchestrator.domain import errors
from orchestrator.domain.errors import PonteError
from orchestrator.domain.message import MessageStatus
from orchestrator.domain.retry import Outcome, SendReport
from orchestrator.services.event_bell import EventBell
from orchestrator.services.messages import MessageService
from tests.support.desk import Desk


@pytest.fixture(params=["bell", "no bell"])
def service(request: pytest.FixtureRequest, desk: Desk) -> MessageService:
    return MessageService(desk.context, EventBell() if request.param == "bell" else None)


async def test_it_answers_when_the_status_is_reached(desk: Desk, service: MessageService) -> None:
    message_id = await desk.submit("Hello")
    waiting = asyncio.create_task(service.wait_for(desk.scope, message_id, MessageStatus.SENT, 10))
    await desk.send_all()
    assert (await waiting).status is MessageStatus.SENT


async def test_it_answers_at_once_where_the_message_has_got_further(
    desk: Desk, service: MessageService
) -> None:
    message_id = await desk.submit("Hello")
    desk.gateway.answer_next("Hello", SendReport(Outcome.NOT_SENT, reason="not_on_whatsapp"))
    await desk.send_all()
    message = await service.wait_for(desk.scope, message_id, MessageStatus.READ, 10)
    assert message.status is MessageStatus.FAILED


async def test_it_says_so_when_the_time_is_over(desk: Desk, service: MessageService) -> None:
    message_id = await desk.submit("Hello")
    with pytest.raises(PonteError) as refused:
        await service.wait_for(desk.scope, message_id, MessageStatus.SENT, 0.1)
    assert refused.value.code is errors.WAIT_TIMED_OUT


@pytest.mark.parametrize(("status", "timeout_s"), [(MessageStatus.QUEUED, 1), (MessageStatus.SENT, 61)])
async def test_what_cannot_be_waited_for_is_refused(
    desk: Desk, status: MessageStatus, timeout_s: float
) -> None:
    with pytest.raises(PonteError) as refused:
        await desk.messages.wait_for(desk.scope, "any", status, timeout_s)
    assert refused.value.code is errors.INVALID_ARGUMENT


async def test_a_ring_wakes_it_long_before_it_would_look_by_itself(desk: Desk) -> None:
    bell = EventBell()
    service = MessageService(desk.context, bell)
    message_id = await desk.submit("Hello")
    waiting = asyncio.create_task(service.wait_for(desk.scope, message_id, MessageStatus.SENT, 10))
    await asyncio.sleep(0.05)
    await desk.send_all()
    bell.ring(desk.scope.company_id)
    assert (await asyncio.wait_for(waiting, 0.4)).status is MessageStatus.SENT
