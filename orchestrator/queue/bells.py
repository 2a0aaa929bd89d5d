"""Rings bells in this process and in others: jobs for the queue, and word of events and sessions over a channel.

A ring only notes what to tell and returns; one task tells Redis, in one round trip for all that came meanwhile. When
Redis is down, what can be started in this process is, and the rest waits for maintenance to ring again.
"""

import asyncio
import contextlib
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from dramatiq.message import Message
from loguru import logger
from prometheus_client import Counter
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from orchestrator.domain.company import CompanyScope
from orchestrator.ending import end_tasks
from orchestrator.queue.broker import MARK, MOST_WAKE_UPS, NAMESPACE, wake_key
from orchestrator.queue.channel import Channel
from orchestrator.queue.jobs import DISPATCH, WEBHOOKS, JobKind

MARK_S: Final = 10
"""How long a job that waits keeps others like it out; if it was lost, for so long nobody misses it at most."""

_PAUSE_AFTER_FAILURE_S = 0.5
_SOCKET_TIMEOUT_S = 2.0
_MOST_REMEMBERED = 10_000

_ENQUEUE_ONCE = f"""
if not redis.call('set', KEYS[1], '1', 'NX', 'EX', {MARK_S}) then return 0 end
redis.call('hset', KEYS[2], ARGV[1], ARGV[2])
redis.call('rpush', KEYS[3], ARGV[1])
redis.call('lpush', KEYS[4], '1')
redis.call('ltrim', KEYS[4], 0, {MOST_WAKE_UPS - 1})
return 1
"""

_FAILURES = Counter("ponte_bell_failures_total", "Times that Redis could not be told of due work")

_Job = tuple[JobKind, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class LocalWork:
    """How this process can do a kind of job itself, given the company and the job's other arguments.

    `take` begins the work at once, or tells the work that is on, and gives False where this process has no room: it
    saves the way through the queue. `start` waits for room: used where Redis is down.
    """

    start: Callable[..., Awaitable[None]]
    take: Callable[..., bool] | None = None


class QueueBells:
    """Implements services.ports.Bells. `ring_events(company_id)` and `ring_session(session_id)` wake who waits in this
    process; `ring_everybody` is called when word from other processes may have been missed."""

    def __init__(
        self,
        redis_url: str,
        *,
        ring_events: Callable[[str], None],
        ring_session: Callable[[str], None],
        ring_everybody: Callable[[], None] = lambda: None,
        namespace: str = NAMESPACE,
    ) -> None:
        self._redis = Redis.from_url(
            redis_url,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=_SOCKET_TIMEOUT_S,
            socket_connect_timeout=_SOCKET_TIMEOUT_S,
        )
        self._enqueue_once = self._redis.register_script(_ENQUEUE_ONCE)
        self._namespace = namespace
        self._ring_events = ring_events
        self._ring_session = ring_session
        self._channel = Channel(
            redis_url, f"{namespace}:bells", uuid.uuid4().hex, self._on_word, ring_everybody
        )
        self._local: dict[str, LocalWork] = {}
        self._jobs: dict[_Job, float] = {}
        self._last: dict[_Job, float] = {}
        self._words: set[str] = set()
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._local_tasks: set[asyncio.Task[None]] = set()

    def attach(self, kind: JobKind, work: LocalWork) -> None:
        """Let this process do a kind of job itself where that is better."""
        self._local[kind.name] = work

    async def start(self) -> None:
        """Start telling Redis, and listening to the other processes; does not need Redis to be there."""
        self._tasks = [
            asyncio.create_task(self._tell_for_ever(), name="bells"),
            asyncio.create_task(self._channel.listen_for_ever(), name="bells channel"),
        ]

    async def stop(self) -> None:
        """Stop; what was not told is found by maintenance."""
        await end_tasks([*self._tasks, *self._local_tasks])
        self._tasks.clear()
        await self._redis.aclose()

    async def messages_due(self, scope: CompanyScope, session_id: str) -> None:
        """A session has messages to send."""
        self._add_job(DISPATCH, (scope.company_id, session_id))

    async def events_recorded(self, scope: CompanyScope) -> None:
        """A company has new events."""
        self._ring_events(scope.company_id)
        self._words.add(f"events {scope.company_id}")
        self._add_job(WEBHOOKS, (scope.company_id,))

    async def webhooks_due(self, scope: CompanyScope) -> None:
        """A company has deliveries that are due."""
        self._add_job(WEBHOOKS, (scope.company_id,))

    async def session_changed(self, scope: CompanyScope, session_id: str) -> None:
        """A session's desired state changed."""
        self._ring_session(session_id)
        self._words.add(f"session {session_id}")
        self._wake.set()

    def _add_job(self, kind: JobKind, arguments: tuple[str, ...]) -> None:
        local = self._local.get(kind.name)
        if local and local.take and local.take(CompanyScope(arguments[0]), *arguments[1:]):
            return
        job = (kind, arguments)
        if job not in self._jobs:
            now = asyncio.get_running_loop().time()
            self._jobs[job] = max(now, self._last.get(job, 0.0) + kind.spacing_s)
            self._wake.set()

    async def _tell_for_ever(self) -> None:
        while True:
            await self._until_there_is_something()
            jobs, words = self._take()
            if not jobs and not words:
                continue
            try:
                await self._tell(jobs, words)
            except (RedisError, OSError) as error:
                _FAILURES.inc()
                logger.warning("Redis cannot be told of due work ({}); it is done here or later.", error)
                self._start_here(jobs)
                await asyncio.sleep(_PAUSE_AFTER_FAILURE_S)

    async def _until_there_is_something(self) -> None:
        if self._words and not self._jobs:
            return
        first = min(self._jobs.values(), default=None)
        self._wake.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(first):
                await self._wake.wait()

    def _take(self) -> tuple[list[_Job], set[str]]:
        """Take what may be told now; a job like one of a moment ago waits until its kind's spacing has passed."""
        now = asyncio.get_running_loop().time()
        jobs = [job for job, at in self._jobs.items() if at <= now]
        if len(self._last) > _MOST_REMEMBERED:
            self._last.clear()
        for job in jobs:
            del self._jobs[job]
            self._last[job] = now
        words, self._words = self._words, set()
        return jobs, words

    async def _tell(self, jobs: list[_Job], words: set[str]) -> None:
        async with self._redis.pipeline(transaction=False) as pipeline:
            for kind, arguments in jobs:
                mark = f"{self._namespace}:mark:{kind.name}:{':'.join(arguments)}"
                message_id = uuid.uuid4().hex
                message: Message[None] = Message(
                    queue_name=kind.name,
                    actor_name=kind.name,
                    args=arguments,
                    kwargs={},
                    options={"redis_message_id": message_id, MARK: mark},
                )
                queue = f"{self._namespace}:{kind.name}"
                await self._enqueue_once(
                    keys=[mark, f"{queue}.msgs", queue, wake_key(self._namespace, kind.name)],
                    args=[message_id, message.encode()],
                    client=pipeline,
                )
            for word in words:
                pipeline.publish(self._channel.name, self._channel.sign(word))
            await pipeline.execute()

    def _start_here(self, jobs: list[_Job]) -> None:
        for kind, arguments in jobs:
            local = self._local.get(kind.name)
            if local is None:
                continue
            scope, rest = CompanyScope(arguments[0]), arguments[1:]
            task = asyncio.ensure_future(_logged(local.start(scope, *rest)))
            self._local_tasks.add(task)
            task.add_done_callback(self._local_tasks.discard)

    def _on_word(self, word: str) -> None:
        kind, _, identifier = word.partition(" ")
        if kind == "events":
            self._ring_events(identifier)
        elif kind == "session":
            self._ring_session(identifier)


async def _logged(work: Awaitable[None]) -> None:
    try:
        await work
    except Exception as error:
        logger.opt(exception=error).error("Work that was started without the queue failed.")
