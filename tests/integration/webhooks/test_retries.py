"""Deliveries to endpoints that fail, are slow, or are gone."""

from datetime import timedelta

import pytest
from aiohttp import web

from orchestrator.domain.endpoint_health import FAILURES_TO_PAUSE, FIRST_PAUSE_S
from orchestrator.domain.page import PageRequest
from orchestrator.domain.webhook import RETRY_DELAYS_S, DeliveryStatus
from orchestrator.services.context import Context
from orchestrator.services.endpoint_runner import GONE, MOST_IN_FLIGHT
from orchestrator.services.webhook_delivery import WebhookDeliveryService
from orchestrator.services.webhooks import WebhookService
from tests.integration.webhooks.endpoints import Endpoint
from tests.integration.webhooks.receiver import Received, Receiver, ok, running_receiver, status
from tests.support.bells import RecordingBells
from tests.support.clock import ManualClock
from tests.support.factories import Factories

pytestmark = pytest.mark.usefixtures("no_tasks_left")

MOST_JITTER = 1.1


@pytest.fixture
async def endpoint(
    context: Context, webhooks: WebhookService, make: Factories, receiver: Receiver
) -> Endpoint:
    return await Endpoint.create(context, webhooks, await make.company(), receiver)


async def test_a_failed_delivery_comes_again_with_the_same_id_when_it_is_time(
    endpoint: Endpoint, delivery: WebhookDeliveryService, receiver: Receiver, clock: ManualClock
) -> None:
    receiver.answer = status(500)
    await endpoint.record()
    await delivery.run(endpoint.scope)
    (failed,) = await endpoint.deliveries()
    assert (failed.status, failed.attempts, failed.last_error) == (DeliveryStatus.PENDING, 1, "HTTP 500")
    assert failed.next_attempt_at is not None
    assert 4.5 <= (failed.next_attempt_at - clock()).total_seconds() <= 5.5

    clock.advance(4)
    assert not await endpoint.is_due()
    await delivery.run(endpoint.scope)
    assert len(receiver.received) == 1

    receiver.answer = ok
    clock.advance(2)
    assert await endpoint.is_due()
    await delivery.run(endpoint.scope)

    assert [received.event_id for received in receiver.received] == [failed.event_id] * 2
    assert [received.body for received in receiver.received] == [receiver.received[0].body] * 2
    assert await endpoint.statuses() == ["DELIVERED"]


async def test_after_the_last_attempt_it_is_a_dead_letter_that_can_be_sent_again(
    webhooks: WebhookService,
    endpoint: Endpoint,
    delivery: WebhookDeliveryService,
    receiver: Receiver,
    clock: ManualClock,
    bells: RecordingBells,
) -> None:
    receiver.answer = status(500)
    await endpoint.record()
    for delay in RETRY_DELAYS_S:
        await delivery.run(endpoint.scope)
        assert await endpoint.statuses() == ["PENDING"]
        clock.advance(delay * MOST_JITTER)
    await delivery.run(endpoint.scope)

    (dead,) = await endpoint.deliveries(DeliveryStatus.DEAD)
    assert (dead.attempts, dead.next_attempt_at) == (len(RETRY_DELAYS_S) + 1, None)
    clock.advance(100_000)
    assert not await endpoint.is_due()

    bells.forget()
    receiver.answer = ok
    again = await webhooks.redeliver(endpoint.scope, endpoint.webhook.id, dead.id)
    assert (again.status, again.attempts, again.id) == (DeliveryStatus.PENDING, 0, dead.id)
    assert bells.events == [endpoint.scope.company_id]
    await delivery.run(endpoint.scope)
    assert await endpoint.statuses() == ["DELIVERED"]
    assert len({received.event_id for received in receiver.received}) == 1


async def test_what_was_delivered_can_be_sent_again(
    webhooks: WebhookService, endpoint: Endpoint, delivery: WebhookDeliveryService, receiver: Receiver
) -> None:
    await endpoint.record()
    await delivery.run(endpoint.scope)
    (done,) = await endpoint.deliveries()

    await webhooks.redeliver(endpoint.scope, endpoint.webhook.id, done.id)
    await delivery.run(endpoint.scope)

    assert receiver.sequences() == [1, 1]


async def test_retry_after_is_honoured(
    endpoint: Endpoint, delivery: WebhookDeliveryService, receiver: Receiver, clock: ManualClock
) -> None:
    receiver.answer = status(429, Retry_After="90")
    await endpoint.record(3)
    await delivery.run(endpoint.scope)

    first, *rest = await endpoint.deliveries()
    assert first.next_attempt_at == clock() + timedelta(seconds=90)
    assert [waiting.attempts for waiting in rest] == [0, 0]

    receiver.answer = ok
    clock.advance(89)
    await delivery.run(endpoint.scope)
    assert receiver.taken == []
    clock.advance(1)
    await delivery.run(endpoint.scope)
    assert receiver.sequences() == [1, 2, 3]


async def test_410_switches_the_webhook_off(
    webhooks: WebhookService, endpoint: Endpoint, delivery: WebhookDeliveryService, receiver: Receiver
) -> None:
    receiver.answer = status(410)
    await endpoint.record(5)

    await delivery.run(endpoint.scope)

    assert len(receiver.received) == 1
    assert (await webhooks.get(endpoint.scope, endpoint.webhook.id)).disabled_reason == GONE
    assert await endpoint.statuses() == ["DEAD", *["PENDING"] * 4]
    assert not await endpoint.is_due()

    receiver.answer = ok
    await webhooks.update(endpoint.scope, endpoint.webhook.id, enabled=True)
    await delivery.run(endpoint.scope)
    assert receiver.sequences() == [2, 3, 4, 5]


async def test_a_dead_endpoint_is_paused_and_its_events_wait_in_the_log(
    endpoint: Endpoint, delivery: WebhookDeliveryService, receiver: Receiver, clock: ManualClock
) -> None:
    receiver.answer = status(500)
    await endpoint.record_in([f"chat-{number}" for number in range(300)])

    await delivery.run(endpoint.scope)
    attempts = len(receiver.received)
    assert FAILURES_TO_PAUSE <= attempts <= 2 * FAILURES_TO_PAUSE + 8
    assert len(await endpoint.deliveries()) < 300
    await delivery.run(endpoint.scope)
    assert len(receiver.received) == attempts

    clock.advance(FIRST_PAUSE_S)
    await delivery.run(endpoint.scope)
    assert len(receiver.received) == attempts + 1, "one probe after the pause"

    receiver.answer = ok
    clock.advance(2 * FIRST_PAUSE_S)
    await delivery.run(endpoint.scope)
    clock.advance(60)
    await delivery.run(endpoint.scope)
    assert sorted(receiver.sequences()) == list(range(1, 301))


async def test_order_per_chat_survives_an_outage(
    endpoint: Endpoint, delivery: WebhookDeliveryService, receiver: Receiver, clock: ManualClock
) -> None:
    """What failed first is due again before the pause is over, so the backlog comes in order."""
    receiver.answer = status(503)
    await endpoint.record(20)
    await delivery.run(endpoint.scope)
    await endpoint.record(20)

    receiver.answer = ok
    clock.advance(FIRST_PAUSE_S)
    await delivery.run(endpoint.scope)

    assert receiver.sequences() == list(range(1, 41))


async def test_one_bad_event_does_not_hold_its_chat_beyond_its_retry(
    endpoint: Endpoint, delivery: WebhookDeliveryService, receiver: Receiver, clock: ManualClock
) -> None:
    async def refuse_the_first(received: Received) -> web.StreamResponse:
        return web.Response(status=400 if received.event["sequence"] == 1 else 200)

    receiver.answer = refuse_the_first
    await endpoint.record(30)

    await delivery.run(endpoint.scope)

    assert receiver.sequences() == list(range(2, 31))
    assert await endpoint.statuses() == ["PENDING", *["DELIVERED"] * 29]


async def test_a_dead_or_slow_endpoint_does_not_delay_another(
    context: Context,
    webhooks: WebhookService,
    endpoint: Endpoint,
    delivery: WebhookDeliveryService,
    receiver: Receiver,
) -> None:
    receiver.answer = receiver.never
    async with running_receiver() as good:
        await Endpoint.create(context, webhooks, endpoint.scope, good)
        await endpoint.record_in([f"chat-{number}" for number in range(200)])

        await delivery.start(endpoint.scope)
        await good.until(lambda: len(good.taken) == 200)

        assert 0 < receiver.under_way <= MOST_IN_FLIGHT
        assert receiver.taken == []


async def test_a_person_may_try_a_paused_endpoint_at_once(
    webhooks: WebhookService,
    endpoint: Endpoint,
    delivery: WebhookDeliveryService,
    receiver: Receiver,
) -> None:
    receiver.answer = status(500)
    await endpoint.record_in([f"chat-{number}" for number in range(10)])
    await delivery.run(endpoint.scope)
    assert not await endpoint.is_due()

    receiver.answer = ok
    await webhooks.test(endpoint.scope, endpoint.webhook.id)
    await delivery.run(endpoint.scope)

    assert "webhook.test" in [received.event["type"] for received in receiver.taken]


async def test_dead_letters_of_a_deleted_webhook_go_with_it(
    webhooks: WebhookService, endpoint: Endpoint, delivery: WebhookDeliveryService, receiver: Receiver
) -> None:
    receiver.answer = status(500)
    await endpoint.record()
    await delivery.run(endpoint.scope)
    assert (await webhooks.list_deliveries(endpoint.scope, endpoint.webhook.id, None, PageRequest())).items

    await webhooks.delete(endpoint.scope, endpoint.webhook.id)

    assert not await endpoint.is_due()
