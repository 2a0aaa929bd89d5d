"""Several deliverers, crashes, closing, and faults on our own side."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import TypeVar

import pytest
from aiohttp import web

from orchestrator.domain.webhook import DeliveryStatus
from orchestrator.services.context import Context
from orchestrator.services.endpoint_runner import CLAIM_S
from orchestrator.services.webhook_delivery import WebhookDeliveryService
from orchestrator.services.webhooks import WebhookService
from orchestrator.store import webhook_deliveries as delivery_store
from orchestrator.store.database import Scope, Transaction
from orchestrator.webhooks.client import WebhookClient
from tests.integration.webhooks.endpoints import Endpoint
from tests.integration.webhooks.receiver import Received, Receiver, ok
from tests.support.clock import ManualClock
from tests.support.factories import Factories
from tests.support.fixtures import SEED

T = TypeVar("T")

pytestmark = pytest.mark.usefixtures("no_tasks_left")


@pytest.fixture
async def endpoint(
    context: Context, webhooks: WebhookService, make: Factories, receiver: Receiver
) -> Endpoint:
    return await Endpoint.create(context, webhooks, await make.company(), receiver)


async def test_a_crash_between_the_answer_and_its_record_delivers_again_with_the_same_id(
    context: Context,
    client: WebhookClient,
    endpoint: Endpoint,
    receiver: Receiver,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (event_id,) = await endpoint.record()
    recorded = asyncio.Event()

    async def hang(*arguments: object) -> None:
        if arguments[2]:
            recorded.set()
            await asyncio.Event().wait()

    crashed = WebhookDeliveryService(context, client, "crashed")
    with monkeypatch.context() as patched:
        patched.setattr(context.database, "shared_transaction", _alone(context))
        patched.setattr(delivery_store, "record", hang)
        await crashed.start(endpoint.scope)
        async with asyncio.timeout(10):
            await recorded.wait()
        await crashed.close(grace_s=0)
    assert [received.event_id for received in receiver.taken] == [event_id]
    assert await endpoint.statuses() == ["PENDING"]

    survivor = WebhookDeliveryService(context, client, "survivor")
    await survivor.run(endpoint.scope)
    assert len(receiver.taken) == 1, "the claim of the crashed one still holds"
    clock.advance(CLAIM_S + 1)
    assert await endpoint.is_due()
    await survivor.run(endpoint.scope)

    assert [received.event_id for received in receiver.taken] == [event_id] * 2
    assert await endpoint.statuses() == ["DELIVERED"]


def _alone(context: Context):  # type: ignore[no-untyped-def]  # stands in for a generic method
    async def run(scope, work):  # type: ignore[no-untyped-def]
        async with context.database.transaction(scope) as tx:
            return await work(tx)

    return run


async def test_two_deliverers_do_not_deliver_the_same_at_once(
    context: Context, client: WebhookClient, endpoint: Endpoint, receiver: Receiver
) -> None:
    workers = [WebhookDeliveryService(context, client, f"worker-{number}") for number in range(3)]
    for _ in range(10):
        await endpoint.record_in([f"chat-{number}" for number in range(30)])
        await asyncio.gather(*(worker.run(endpoint.scope) for worker in workers))

    assert sorted(receiver.sequences()) == list(range(1, 301))
    for worker in workers:
        await worker.close()


async def test_a_ring_at_another_deliverer_while_one_ends_is_not_lost(
    context: Context, client: WebhookClient, endpoint: Endpoint, receiver: Receiver
) -> None:
    workers = [WebhookDeliveryService(context, client, f"worker-{number}") for number in range(2)]
    for number in range(60):
        await endpoint.record()
        await workers[number % 2].start(endpoint.scope)
        await asyncio.sleep(0.001 * (number % 7))

    await receiver.until(lambda: len(receiver.taken) == 60)
    for worker in workers:
        await worker.close()
    assert sorted(receiver.sequences()) == list(range(1, 61))


async def test_closing_lets_what_is_under_way_end_and_gives_the_claim_back(
    context: Context, client: WebhookClient, endpoint: Endpoint, receiver: Receiver
) -> None:
    release = asyncio.Event()

    async def when_released(received: Received) -> web.StreamResponse:
        await release.wait()
        return web.Response()

    receiver.answer = when_released
    await endpoint.record(3)
    closing = WebhookDeliveryService(context, client, "closing")
    await closing.start(endpoint.scope)
    await receiver.until(lambda: receiver.under_way == 1)

    closed = asyncio.create_task(closing.close(grace_s=5))
    await asyncio.sleep(0)
    release.set()
    await closed
    await closing.start(endpoint.scope)
    assert await endpoint.statuses() == ["DELIVERED", "PENDING", "PENDING"]

    successor = WebhookDeliveryService(context, client, "successor")
    await successor.run(endpoint.scope)
    assert receiver.sequences() == [1, 2, 3]


async def test_closing_without_grace_leaves_what_was_under_way_to_the_next(
    context: Context, client: WebhookClient, endpoint: Endpoint, receiver: Receiver, clock: ManualClock
) -> None:
    receiver.answer = receiver.never
    (event_id,) = await endpoint.record()
    killed = WebhookDeliveryService(context, client, "killed")
    await killed.start(endpoint.scope)
    await receiver.until(lambda: receiver.under_way == 1)

    await killed.close(grace_s=0)
    receiver.answer = ok
    clock.advance(CLAIM_S + 1)
    await WebhookDeliveryService(context, client, "next").run(endpoint.scope)

    assert [received.event_id for received in receiver.taken] == [event_id]
    await killed.close()


async def test_a_claim_counts_from_when_it_was_asked_for_however_slow_the_database_was(
    context: Context,
    client: WebhookClient,
    endpoint: Endpoint,
    receiver: Receiver,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = context.database.shared_transaction

    async def slow(scope: Scope, work: Callable[[Transaction], Awaitable[T]]) -> T:
        clock.advance(CLAIM_S + 1)
        return await real(scope, work)

    receiver.answer = receiver.never
    await endpoint.record()
    killed = WebhookDeliveryService(context, client, "killed")
    with monkeypatch.context() as patched:
        patched.setattr(context.database, "shared_transaction", slow)
        await killed.start(endpoint.scope)
        await receiver.until(lambda: receiver.under_way == 1)
        await killed.close(grace_s=0)

        assert await endpoint.is_due(), "the claim has run out"


async def test_an_error_on_our_side_is_a_failed_attempt(
    endpoint: Endpoint,
    delivery: WebhookDeliveryService,
    client: WebhookClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def broken(*arguments: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(client, "deliver", broken)
    await endpoint.record()

    await delivery.run(endpoint.scope)

    (failed,) = await endpoint.deliveries()
    assert (failed.status, failed.last_error) == (DeliveryStatus.PENDING, "internal error")


async def test_a_database_that_fails_once_costs_no_second_delivery(
    endpoint: Endpoint,
    delivery: WebhookDeliveryService,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real, failures = delivery_store.record, 0

    async def failing_once(*arguments):  # type: ignore[no-untyped-def]  # passes on what it got
        nonlocal failures
        if arguments[2] and failures == 0:
            failures += 1
            raise OSError("the database is away")
        await real(*arguments)

    monkeypatch.setattr(delivery_store, "record", failing_once)
    await endpoint.record()

    await delivery.run(endpoint.scope)

    assert (failures, receiver.sequences()) == (1, [1])
    assert await endpoint.statuses() == ["DELIVERED"]


async def test_a_database_that_keeps_failing_ends_the_work_for_now(
    endpoint: Endpoint, delivery: WebhookDeliveryService, monkeypatch: pytest.MonkeyPatch, clock: ManualClock
) -> None:
    async def failing(*arguments: object) -> None:
        raise OSError("the database is away")

    monkeypatch.setattr("orchestrator.services.endpoint_runner._ROUND_PAUSE_S", 0)
    with monkeypatch.context() as patched:
        patched.setattr(delivery_store, "list_due", failing)
        await endpoint.record()
        await delivery.run(endpoint.scope)

    clock.advance(CLAIM_S + 1)
    await delivery.run(endpoint.scope)
    assert await endpoint.statuses() == ["DELIVERED"]


async def test_the_number_of_endpoints_at_work_is_bounded(
    endpoint: Endpoint, delivery: WebhookDeliveryService, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestrator.services.webhook_delivery.MOST_ENDPOINTS", 0)
    await endpoint.record()

    await delivery.run(endpoint.scope)

    assert receiver.received == []
    assert await endpoint.is_due(), "maintenance rings again"


async def test_crashes_at_any_moment_lose_nothing_and_make_one_delivery_of_each_event(
    context: Context, client: WebhookClient, endpoint: Endpoint, receiver: Receiver, clock: ManualClock
) -> None:
    rng = Random(SEED)

    async def answer_sometimes(received: Received) -> web.StreamResponse:
        await asyncio.sleep(rng.uniform(0, 0.01))
        return web.Response(status=rng.choice([200, 200, 200, 500]))

    receiver.answer = answer_sometimes
    for number in range(15):
        await endpoint.record_in([f"chat-{rng.randrange(9)}" for _ in range(20)])
        crashing = WebhookDeliveryService(context, client, f"worker-{number}")
        await crashing.start(endpoint.scope)
        await asyncio.sleep(rng.uniform(0, 0.08))
        await crashing.close(grace_s=0)
        clock.advance(CLAIM_S + 1)

    receiver.answer = ok
    survivor = WebhookDeliveryService(context, client, "survivor")
    while await endpoint.is_due() or "PENDING" in await endpoint.statuses():
        await survivor.run(endpoint.scope)
        clock.advance(60)
    await survivor.close()

    assert await endpoint.statuses() == ["DELIVERED"] * 300
    assert set(receiver.sequences()) == set(range(1, 301))
