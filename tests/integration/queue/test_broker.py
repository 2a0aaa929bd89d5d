"""What the broker mends of dramatiq's."""

import asyncio
import time
from collections.abc import Iterator

import dramatiq
import pytest
from dramatiq.errors import ConnectionClosed

from orchestrator.queue.broker import HEARTBEAT_TIMEOUT_MS, QueueBroker
from orchestrator.queue.jobs import DISPATCH


@pytest.fixture
def brokers(redis_url: str) -> Iterator[list[QueueBroker]]:
    """Three workers' brokers; the last one's Redis is not there."""
    loop = asyncio.new_event_loop()
    made = [QueueBroker(url, loop) for url in (redis_url, redis_url, "unix:///nonexistent/socket")]
    for broker in made:
        broker.declare_async_actor(DISPATCH, _nothing)
    yield made
    for broker in made:
        broker.client.close()
    loop.close()


async def _nothing(company_id: str, session_id: str) -> None:
    """What the job does is not tested here."""


def _job(session_id: str) -> dramatiq.Message[None]:
    return dramatiq.Message("dispatch", "dispatch", ("company", session_id), {}, {})


def _take(broker: QueueBroker, queue: str, timeout_s: float) -> dramatiq.MessageProxy | None:
    consumer = broker.consume(queue, prefetch=1, timeout=50)
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        job: dramatiq.MessageProxy | None = next(consumer)
        if job is not None:
            return job
    return None


@pytest.mark.slow
def test_the_jobs_of_a_dead_worker_are_found_within_seconds(brokers: list[QueueBroker]) -> None:
    dead, living, _ = brokers
    dead.enqueue(_job("one"))
    assert _take(dead, "dispatch", 2) is not None
    assert _take(living, "dispatch", 0.2) is None
    found = _take(living, "dispatch", HEARTBEAT_TIMEOUT_MS / 1000 + 3)
    assert found is not None
    assert found.args == ("company", "one")


def test_delayed_jobs_are_taken_up_again_by_the_worker_that_held_them_in_memory(
    brokers: list[QueueBroker],
) -> None:
    broker = brokers[0]
    broker.enqueue(_job("later"), delay=60_000)
    assert _take(broker, "dispatch.DQ", 2) is not None
    # What was only in memory is gone with the connection; the worker lives on and makes a new consumer.
    again = _take(broker, "dispatch.DQ", 2)
    assert again is not None
    assert again.args == ("company", "later")


def test_a_worker_with_its_hands_full_takes_no_more(brokers: list[QueueBroker]) -> None:
    broker = brokers[0]
    for number in range(2):
        broker.enqueue(_job(str(number)))
    consumer = broker.consume("dispatch", prefetch=1, timeout=50)
    first = next(consumer)
    assert first is not None
    assert next(consumer) is None
    consumer.ack(first)
    assert next(consumer) is not None


def test_an_idle_consumer_is_woken_by_an_enqueue(brokers: list[QueueBroker]) -> None:
    sender, receiver, _ = brokers
    consumer = receiver.consume("dispatch", prefetch=1, timeout=20_000)
    sender.enqueue(_job("one"))
    started = time.monotonic()
    assert next(consumer) is not None
    assert time.monotonic() - started < 2


def test_a_redis_that_is_not_there_is_dramatiqs_connection_error(brokers: list[QueueBroker]) -> None:
    unreachable = brokers[2]
    with pytest.raises(ConnectionClosed):
        next(unreachable.consume("dispatch", prefetch=1, timeout=50))
    with pytest.raises(ConnectionClosed):
        unreachable.consume("dispatch.DQ", prefetch=1, timeout=50)
