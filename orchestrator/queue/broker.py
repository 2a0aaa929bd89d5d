# mypy: disallow-untyped-calls=False
# dramatiq types only a part of itself.
"""dramatiq's Redis broker with what it lacks here: wake-ups without polling, quick recovery, a fixed retry schedule.

The figures and defects that this mends are those of dramatiq 2.2: an idle queue starts a job after some 300 ms, the
work of a killed worker is found again after minutes, delayed jobs are forgotten when Redis restarts.
"""

import asyncio
import concurrent.futures
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import dramatiq
import redis
from dramatiq.broker import MessageProxy
from dramatiq.brokers.redis import RedisBroker, _RedisConsumer
from dramatiq.common import dq_name
from dramatiq.errors import ConnectionClosed, Retry
from dramatiq.message import Message
from dramatiq.middleware import Retries

from orchestrator.queue.jobs import JobKind

NAMESPACE = "ponte"
"""Prefix of every key in Redis."""

JOB_RETRY_DELAYS_S = (5, 25, 125)
"""Waits before the runs after the first failed ones; a job that fails after the last is a dead letter for 7 days."""

HEARTBEAT_TIMEOUT_MS = 5_000
"""A worker that was not heard of for so long is dead, and its jobs go to others."""

MARK = "mark"
"""Option of a job: the key that says one like it is waiting; it is deleted when the job is taken."""

MOST_WAKE_UPS = 64
"""Entries of a wake-up list; each wakes one consumer, which then takes all jobs there are."""

_SOCKET_TIMEOUT_S = 10.0
_SATURATED_PAUSE_S = 0.01
_DELAY_SUFFIX = dq_name("")


def wake_key(namespace: str, queue_name: str) -> str:
    """Give the key of the list that a queue's idle consumers wait on: one entry per enqueued job."""
    return f"{namespace}:{queue_name}.wake"


class ScheduledRetries(Retries):
    """Runs a failed job again after 5, 25 and 125 s; dramatiq's own schedule doubles and has jitter."""

    def __init__(self) -> None:
        super().__init__(max_retries=len(JOB_RETRY_DELAYS_S))

    def after_process_message(
        self, broker: Any, message: Any, *, result: Any = None, exception: BaseException | None = None
    ) -> None:
        """Give the failure the delay that its number asks for."""
        if exception is not None and not isinstance(exception, Retry):
            failures = min(message.options.get("retries", 0), len(JOB_RETRY_DELAYS_S) - 1)
            exception = Retry(str(exception), delay=JOB_RETRY_DELAYS_S[failures] * 1000)
        super().after_process_message(broker, message, result=result, exception=exception)


@contextmanager
def _lost_connections() -> Iterator[None]:
    """Tell dramatiq in its own words that Redis does not answer; it knows only one of Redis' two errors."""
    try:
        yield
    except (redis.ConnectionError, redis.TimeoutError) as error:
        raise ConnectionClosed(error) from None


class WakefulConsumer(_RedisConsumer):
    """Waits on a list that every enqueue pushes to, instead of asking again and again with a growing pause."""

    broker: "QueueBroker"

    def __next__(self) -> MessageProxy | None:
        with _lost_connections():
            return self._next()

    def ack(self, message: MessageProxy) -> None:
        """Acknowledge a job."""
        with _lost_connections():
            super().ack(message)

    def nack(self, message: MessageProxy) -> None:
        """Make a job a dead letter."""
        with _lost_connections():
            super().nack(message)

    def requeue(self, messages: Any) -> None:
        """Put jobs back."""
        with _lost_connections():
            super().requeue(messages)

    def _next(self) -> MessageProxy | None:
        room = self.prefetch - self.outstanding_message_count
        if not self.message_cache and room <= 0:
            time.sleep(_SATURATED_PAUSE_S)
            return None
        if not self.message_cache and not self._fetch(room):
            self._wait_for_wake_up()
            self._fetch(room)
        if not self.message_cache:
            return None
        message: Message[Any] = Message.decode(self.message_cache.pop(0))
        self.queued_message_ids.add(message.message_id)
        return MessageProxy(message)

    def _fetch(self, room: int) -> bool:
        self.message_cache = [
            data for data in self.broker.do_fetch(self.queue_name, room) if data is not None
        ]
        marks = [mark for data in self.message_cache if (mark := Message.decode(data).options.get(MARK))]
        if marks:
            self.broker.client.delete(*marks)
        return bool(self.message_cache)

    def _wait_for_wake_up(self) -> None:
        if self.queue_name.endswith(_DELAY_SUFFIX):
            time.sleep(self.timeout / 1000)
        else:
            key = wake_key(self.broker.namespace, self.queue_name)
            self.broker.client.blpop([key], timeout=self.timeout / 1000)


class QueueBroker(RedisBroker):
    """The broker of one process. Its async actors run on `loop`, where the database and the channels belong."""

    def __init__(self, redis_url: str, loop: asyncio.AbstractEventLoop, namespace: str = NAMESPACE) -> None:
        super().__init__(
            client=redis.Redis.from_url(
                redis_url, socket_timeout=_SOCKET_TIMEOUT_S, socket_connect_timeout=2.0
            ),
            middleware=[ScheduledRetries()],
            namespace=namespace,
            heartbeat_timeout=HEARTBEAT_TIMEOUT_MS,
            maintenance_chance=1_000_000,
        )
        self._loop = loop

    @property
    def consumer_class(self) -> type[_RedisConsumer]:
        """Consumers that wait on the wake-up list."""
        return WakefulConsumer

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> Any:
        """Create a consumer; a delay queue's takes back what an earlier one of this worker held only in memory."""
        if queue_name.endswith(_DELAY_SUFFIX):
            with _lost_connections():
                held = self.client.smembers(f"{self.namespace}:__acks__.{self.broker_id}.{queue_name}")
                if held:
                    self.do_requeue(queue_name, *held)
        return super().consume(queue_name, prefetch, timeout)

    def do_enqueue(self, queue_name: str, message_id: str, data: bytes) -> None:
        """Put an encoded job on a queue and wake a consumer."""
        self._dispatch("enqueue")(queue_name, message_id, data)
        if not queue_name.endswith(_DELAY_SUFFIX):
            key = wake_key(self.namespace, queue_name)
            pipeline = self.client.pipeline(transaction=False)
            pipeline.lpush(key, "1")
            pipeline.ltrim(key, 0, MOST_WAKE_UPS - 1)
            pipeline.execute()

    def declare_async_actor(self, kind: JobKind, function: Callable[..., Coroutine[Any, Any, None]]) -> None:
        """Declare the actor of a kind of job. It holds one worker thread while `function` runs on the host's loop."""

        def run(*arguments: Any) -> None:
            self._run_on_host_loop(function(*arguments))

        dramatiq.actor(actor_name=kind.name, queue_name=kind.name, broker=self)(run)

    def _run_on_host_loop(self, work: Coroutine[Any, Any, None]) -> None:
        if not self._loop.is_running():
            work.close()
            raise RuntimeError("the event loop has ended")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        while True:
            try:
                return future.result(timeout=1.0)
            except concurrent.futures.TimeoutError:
                if future.done():
                    raise
                if not self._loop.is_running():
                    raise RuntimeError("the event loop has ended") from None
