"""Events on their way to an endpoint that takes them."""

import asyncio
from collections import Counter

import pytest
from aiohttp import web

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError
from orchestrator.domain.events import EventType
from orchestrator.domain.page import PageRequest
from orchestrator.domain.webhook import DeliveryStatus
from orchestrator.services.context import Context
from orchestrator.services.endpoint_runner import MOST_IN_FLIGHT
from orchestrator.services.webhook_delivery import WebhookDeliveryService
from orchestrator.services.webhooks import WebhookService
from tests.integration.webhooks.endpoints import Endpoint
from tests.integration.webhooks.receiver import Received, Receiver, running_receiver, status
from tests.support.bells import RecordingBells
from tests.support.clock import ManualClock
from tests.support.factories import Factories

pytestmark = pytest.mark.usefixtures("no_tasks_left")


@pytest.fixture
async def endpoint(
    context: Context, webhooks: WebhookService, make: Factories, receiver: Receiver
) -> Endpoint:
    return await Endpoint.create(context, webhooks, await make.company(), receiver)


async def test_each_event_arrives_once_signed_with_its_own_id(
    endpoint: Endpoint, delivery: WebhookDeliveryService, receiver: Receiver, clock: ManualClock
) -> None:
    (event_id,) = await endpoint.record()

    await delivery.run(endpoint.scope)
    await delivery.run(endpoint.scope)

    (received,) = receiver.received
    assert received.event_id == event_id
    assert received.event["data"] == {"chat": "a"}
    (done,) = await endpoint.deliveries()
    assert (done.status, done.attempts, done.last_status_code) == (DeliveryStatus.DELIVERED, 1, 200)
    assert (done.event_id, done.delivered_at, done.next_attempt_at) == (event_id, clock(), None)
    assert not await endpoint.is_due()


async def test_a_new_webhook_gets_events_from_now_on(
    context: Context, webhooks: WebhookService, delivery: WebhookDeliveryService, endpoint: Endpoint
) -> None:
    await endpoint.record(3)
    async with running_receiver() as late:
        await Endpoint.create(context, webhooks, endpoint.scope, late)
        await endpoint.record(2)

        await delivery.run(endpoint.scope)

        assert late.sequences() == [4, 5]


async def test_it_gets_the_types_it_asked_for(
    context: Context,
    webhooks: WebhookService,
    make: Factories,
    receiver: Receiver,
    delivery: WebhookDeliveryService,
) -> None:
    endpoint = await Endpoint.create(
        context, webhooks, await make.company(), receiver, "message.received", "session.*"
    )
    types = (EventType.MESSAGE_SENT, EventType.MESSAGE_RECEIVED, EventType.SESSION_QR, EventType.MESSAGE_READ)
    for type_ in types:
        await endpoint.record(1, type_)

    await delivery.run(endpoint.scope)

    assert sorted(receiver.sequences()) == [2, 3]
    assert not await endpoint.is_due()


async def test_many_events_arrive_once_each_in_order_per_chat(
    endpoint: Endpoint, delivery: WebhookDeliveryService, receiver: Receiver
) -> None:
    chats = [f"chat-{number % 7}" for number in range(700)]
    await endpoint.record_in(chats)

    await delivery.run(endpoint.scope)

    assert sorted(receiver.sequences()) == list(range(1, 701))
    for chat in set(chats):
        of_chat = [
            int(taken.event["sequence"]) for taken in receiver.taken if taken.event["data"]["chat"] == chat
        ]
        assert of_chat == sorted(of_chat)
    assert Counter(await endpoint.statuses()) == {"DELIVERED": 500}


async def test_chats_go_side_by_side_within_a_bound(
    endpoint: Endpoint, delivery: WebhookDeliveryService, receiver: Receiver
) -> None:
    async def slowly(received: Received) -> web.StreamResponse:
        await asyncio.sleep(0.005)
        return web.Response()

    receiver.answer = slowly
    await endpoint.record_in([f"chat-{number}" for number in range(300)])

    await delivery.run(endpoint.scope)

    assert 8 <= receiver.most_under_way <= MOST_IN_FLIGHT
    assert len(receiver.taken) == 300


async def test_one_chat_has_one_delivery_under_way(
    endpoint: Endpoint, delivery: WebhookDeliveryService, receiver: Receiver
) -> None:
    await endpoint.record(50)

    await delivery.run(endpoint.scope)

    assert receiver.most_under_way == 1
    assert receiver.sequences() == list(range(1, 51))


async def test_events_that_happen_while_it_runs_are_delivered_too(
    endpoint: Endpoint, delivery: WebhookDeliveryService, receiver: Receiver
) -> None:
    async def one_more(received: Received) -> web.StreamResponse:
        if len(receiver.received) < 20:
            await endpoint.record()
            await delivery.start(endpoint.scope)
        return web.Response()

    receiver.answer = one_more
    await endpoint.record()

    await delivery.run(endpoint.scope)

    assert receiver.sequences() == list(range(1, 21))


async def test_a_ring_at_any_moment_is_not_lost(
    endpoint: Endpoint, delivery: WebhookDeliveryService, receiver: Receiver
) -> None:
    """Each event is rung for once; no other look finds it."""

    async def record_and_ring(chat: str) -> None:
        for _ in range(20):
            await endpoint.record(1, chat=chat)
            await delivery.start(endpoint.scope)

    await asyncio.gather(*(record_and_ring(f"chat-{number}") for number in range(8)))

    await receiver.until(lambda: len(receiver.taken) == 160)
    assert sorted(receiver.sequences()) == list(range(1, 161))


async def test_a_test_event_goes_to_its_endpoint_alone(
    context: Context,
    webhooks: WebhookService,
    endpoint: Endpoint,
    receiver: Receiver,
    delivery: WebhookDeliveryService,
    bells: RecordingBells,
) -> None:
    async with running_receiver() as other:
        await Endpoint.create(context, webhooks, endpoint.scope, other)
        bells.forget()

        made = await webhooks.test(endpoint.scope, endpoint.webhook.id)
        await delivery.run(endpoint.scope)

        assert bells.events == [endpoint.scope.company_id]
        assert (made.status, made.event_type) == (DeliveryStatus.PENDING, "webhook.test")
        (received,) = receiver.taken
        assert received.event["type"] == "webhook.test"
        assert received.event["data"] == {"webhook_id": endpoint.webhook.id}
        assert other.received == []
        assert await endpoint.statuses() == ["DELIVERED"]
        assert not await endpoint.is_due()


async def test_a_webhook_that_is_switched_off_gets_nothing_and_misses_what_happens(
    webhooks: WebhookService, endpoint: Endpoint, receiver: Receiver, delivery: WebhookDeliveryService
) -> None:
    await webhooks.update(endpoint.scope, endpoint.webhook.id, enabled=False)
    await endpoint.record(2)
    await delivery.run(endpoint.scope)
    assert (receiver.received, await endpoint.is_due()) == ([], False)
    with pytest.raises(PonteError) as refused:
        await webhooks.test(endpoint.scope, endpoint.webhook.id)
    assert refused.value.code.name == "WEBHOOK_DISABLED"

    await webhooks.update(endpoint.scope, endpoint.webhook.id, enabled=True)
    await endpoint.record()
    await delivery.run(endpoint.scope)

    assert receiver.sequences() == [3]


async def test_a_changed_url_is_used_from_the_next_delivery(
    webhooks: WebhookService, endpoint: Endpoint, receiver: Receiver, delivery: WebhookDeliveryService
) -> None:
    async with running_receiver() as other:
        other.secret = receiver.secret
        await endpoint.record()
        await delivery.run(endpoint.scope)
        await webhooks.update(endpoint.scope, endpoint.webhook.id, url=other.url)
        await endpoint.record()
        await delivery.run(endpoint.scope)

        assert (receiver.sequences(), other.sequences()) == ([1], [2])


async def test_deleting_stops_deliveries_under_way(
    webhooks: WebhookService, endpoint: Endpoint, receiver: Receiver, delivery: WebhookDeliveryService
) -> None:
    async def delete_first(received: Received) -> web.StreamResponse:
        await webhooks.delete(endpoint.scope, endpoint.webhook.id)
        return web.Response()

    receiver.answer = delete_first
    await endpoint.record(200)

    async with asyncio.timeout(10):
        await delivery.run(endpoint.scope)

    assert len(receiver.received) < 200
    assert not await endpoint.is_due()


async def test_deliveries_are_listed_by_status_in_pages(
    webhooks: WebhookService, endpoint: Endpoint, receiver: Receiver, delivery: WebhookDeliveryService
) -> None:
    await endpoint.record(3)
    await delivery.run(endpoint.scope)
    receiver.answer = status(500)
    await endpoint.record(1)
    await delivery.run(endpoint.scope)
    scope, webhook_id = endpoint.scope, endpoint.webhook.id

    first = await webhooks.list_deliveries(scope, webhook_id, DeliveryStatus.DELIVERED, PageRequest(2))
    second = await webhooks.list_deliveries(
        scope, webhook_id, DeliveryStatus.DELIVERED, PageRequest(2, first.next_token)
    )
    pending = await webhooks.list_deliveries(scope, webhook_id, DeliveryStatus.PENDING, PageRequest())

    assert [delivered.sequence for delivered in [*first.items, *second.items]] == [3, 2, 1]
    assert [waiting.sequence for waiting in pending.items] == [4]


async def test_companies_do_not_see_each_others_deliveries(
    context: Context,
    webhooks: WebhookService,
    make: Factories,
    endpoint: Endpoint,
    receiver: Receiver,
    delivery: WebhookDeliveryService,
) -> None:
    async with running_receiver() as other_receiver:
        other = await Endpoint.create(context, webhooks, await make.company("Other"), other_receiver)
        await endpoint.record(2)
        await other.record(1)

        await delivery.run(endpoint.scope)
        assert other_receiver.received == []
        await delivery.run(other.scope)

        assert (receiver.sequences(), other_receiver.sequences()) == ([1, 2], [1])
        own = (await endpoint.deliveries())[0]
        with pytest.raises(PonteError) as refused:
            await webhooks.redeliver(other.scope, other.webhook.id, own.id)
        assert refused.value.code.name == "NOT_FOUND"


async def test_a_company_with_nothing_to_do_costs_nothing(
    delivery: WebhookDeliveryService, make: Factories
) -> None:
    await delivery.run(await make.company())
    await delivery.run(CompanyScope("unknown"))
