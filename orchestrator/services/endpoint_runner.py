"""Delivers to one endpoint: makes deliveries of new events, keeps a window of them on their way, records results.

One round is one transaction: it stores the results since the last round, renews the claim, and loads what comes next.
Attempts go on meanwhile, so neither a slow answer nor a commit holds up the other chats of the endpoint.
"""

import asyncio
from collections.abc import Hashable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from loguru import logger
from tenacity import AsyncRetrying, stop_after_attempt, wait_fixed

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.endpoint_health import HEALTHY, EndpointHealth, after_failure, most_in_flight
from orchestrator.domain.events import EventType
from orchestrator.domain.webhook import (
    Delivered,
    DeliveryAnswer,
    DeliveryStatus,
    GiveUp,
    TryAgain,
    after_attempt,
)
from orchestrator.services.chat_lanes import ChatLanes
from orchestrator.services.context import Context
from orchestrator.store import events as event_store
from orchestrator.store import webhook_deliveries as delivery_store
from orchestrator.store import webhooks as webhook_store
from orchestrator.store.database import Transaction
from orchestrator.store.vault import Sealed, webhook_secret_binding
from orchestrator.store.webhook_deliveries import DeliveryResult, DueDelivery
from orchestrator.store.webhooks import Endpoint
from orchestrator.webhooks.client import WebhookClient
from orchestrator.webhooks.payload import event_json
from orchestrator.webhooks.signing import Signer

MOST_IN_FLIGHT: Final = 32
"""Deliveries of one endpoint on their way at once; one that is slow or fails gets fewer."""

_FIRST_IN_FLIGHT: Final = 4
_SLOW_S: Final = 2.0
"""An answer that takes longer halves the endpoint's window, so that slow endpoints take few of the shared slots."""

PAGE: Final = 128
"""Deliveries in memory per endpoint, at most."""

_LOW: Final = PAGE // 2
CLAIM_S: Final = 20.0
"""How long a claim lasts without renewal: after a crash, another deliverer takes over then."""

_RENEW_S: Final = 5.0
_RECORD_EVERY_S: Final = 0.05
"""Results of this long, and the next ring, share a transaction; a crash repeats at most deliveries of this long."""


_ROUND_TRIES: Final = 3
_ROUND_PAUSE_S: Final = 1.0
GONE: Final = "The endpoint answered 410 Gone."


@dataclass(frozen=True, slots=True)
class _Changes:
    """What a round stores."""

    results: tuple[DeliveryResult, ...]
    health: EndpointHealth
    gone: bool
    asked_at: datetime
    """A claim counts from here, so that a database that was slow to take it does not make it longer."""


@dataclass(frozen=True, slots=True)
class _Found:
    """What a round found. No endpoint: the claim is lost, or the webhook is switched off or deleted."""

    endpoint: Endpoint | None
    loaded: tuple[DueDelivery, ...] = ()
    is_all: bool = True
    released: bool = False


Verdict = Delivered | TryAgain | GiveUp


class EndpointRunner:
    """The work on one endpoint from a claim to its release."""

    def __init__(
        self,
        context: Context,
        client: WebhookClient,
        scope: CompanyScope,
        webhook_id: str,
        owner: str,
        slots: asyncio.Semaphore,
    ) -> None:
        self._context = context
        self._client = client
        self._scope = scope
        self._webhook_id = webhook_id
        self._owner = owner
        self._slots = slots
        self._lanes: ChatLanes[DueDelivery] = ChatLanes()
        self._attempts: set[asyncio.Task[None]] = set()
        self._known: set[str] = set()
        """Deliveries in memory: waiting, on their way, or with a result that is not stored."""
        self._results: list[DeliveryResult] = []
        self._window = _FIRST_IN_FLIGHT
        self._health = HEALTHY
        self._stored_health = HEALTHY
        self._secret: Sealed | None = None
        self._signer: Signer
        self._url = ""
        self._gone = False
        self._rung = False
        self._stopping = False
        self._woken = asyncio.Event()
        """Something happened: a result, a ring, a stop."""
        self._hurried = asyncio.Event()
        """The next round should not wait for more results."""
        self._is_all_loaded = False

    def ring(self) -> None:
        """There may be more to deliver: look before ending."""
        self._rung = True
        self._hurry()

    def stop(self) -> None:
        """Begin no more attempts; `run` ends when those on their way have."""
        self._stopping = True
        self._drop_waiting()
        self._hurry()

    async def run(self) -> None:
        """Deliver what is due until there is no more; leave at once where another deliverer has the endpoint."""
        try:
            while await self._round():
                await self._until_next_round()
        finally:
            for attempt in self._attempts:
                attempt.cancel()
            if self._attempts:
                await asyncio.wait(self._attempts)

    async def _round(self) -> bool:
        """Store, claim, load, begin; False when this runner has nothing more to do."""
        self._woken.clear()
        self._hurried.clear()
        self._rung = False
        changes = _Changes(tuple(self._results), self._health, self._gone, self._context.clock())
        self._results.clear()
        found = await self._stored(changes)
        self._gone = self._gone and not changes.gone
        self._known.difference_update(result.delivery_id for result in changes.results)
        if found.released:
            return self._rung and not self._stopping
        if found.endpoint is None:
            self._drop_waiting()
            return bool(self._known)
        self._adopt(found.endpoint, changes.health)
        self._begin(found)
        return True

    async def _stored(self, changes: _Changes) -> _Found:
        tries = AsyncRetrying(
            stop=stop_after_attempt(_ROUND_TRIES), wait=wait_fixed(_ROUND_PAUSE_S), reraise=True
        )
        found: _Found = await tries(
            self._context.database.shared_transaction, self._scope, lambda tx: self._store(tx, changes)
        )
        return found

    async def _store(self, tx: Transaction, changes: _Changes) -> _Found:
        until = changes.asked_at + self._context.tempo.span(CLAIM_S)
        # First, since it locks the webhook: all who lock more than one row begin there.
        endpoint = await webhook_store.claim(
            tx, self._scope, self._webhook_id, self._owner, changes.asked_at, until
        )
        await delivery_store.record(tx, self._scope, changes.results)
        if changes.gone:
            await webhook_store.disable(tx, self._scope, self._webhook_id, GONE)
        if endpoint is None or changes.gone:
            await webhook_store.release(tx, self._scope, self._webhook_id, self._owner)
            return _Found(None)
        if changes.health != self._stored_health:
            await webhook_store.save_health(tx, self._scope, self._webhook_id, changes.health)
            endpoint = replace(endpoint, health=changes.health)
        loaded, is_all = await self._load(tx, endpoint)
        is_busy = bool(self._known.difference(result.delivery_id for result in changes.results))
        if loaded or is_busy or not is_all:
            return _Found(endpoint, loaded, is_all)
        # The webhook's row is locked here: whoever rings for an event that was not seen finds the endpoint free.
        await webhook_store.release(tx, self._scope, self._webhook_id, self._owner)
        return _Found(endpoint, released=True)

    async def _load(self, tx: Transaction, endpoint: Endpoint) -> tuple[tuple[DueDelivery, ...], bool]:
        """Due deliveries first, then new events; says too whether there can be no more."""
        now = self._context.clock()
        allowed = most_in_flight(endpoint.health, now, PAGE)
        room = PAGE - len(self._lanes) if allowed == PAGE else allowed - len(self._known)
        if self._stopping or room <= 0:
            return (), True
        if len(self._lanes) >= _LOW:
            return (), False
        due = await delivery_store.list_due(tx, self._scope, self._webhook_id, now, room, self._known)
        if len(due) == room:
            return tuple(due), False
        made, is_all = await self._make_deliveries(tx, endpoint, room - len(due))
        return (*due, *made), is_all

    async def _make_deliveries(
        self, tx: Transaction, endpoint: Endpoint, most: int
    ) -> tuple[list[DueDelivery], bool]:
        # First: what is committed up to here is seen by the next statement, so a short page has read that far.
        last = await event_store.last_sequence(tx, self._scope)
        if last <= endpoint.cursor:
            return [], True
        events = await event_store.list_after(tx, self._scope, endpoint.cursor, most, endpoint.webhook.events)
        is_all = len(events) < most
        cursor = max([last, *(event.sequence for event in events)]) if is_all else events[-1].sequence
        wanted = [event for event in events if event.type != EventType.WEBHOOK_TEST]
        made = await delivery_store.add(
            tx, self._scope, self._webhook_id, wanted, self._context.clock(), self._context.rng
        )
        await webhook_store.move_cursor(tx, self._scope, self._webhook_id, cursor)
        return made, is_all

    def _adopt(self, endpoint: Endpoint, stored: EndpointHealth) -> None:
        """Take over what the company may have changed; `stored` is the health that went into the transaction."""
        self._url = endpoint.webhook.url
        self._stored_health = endpoint.health
        if self._health == stored:
            self._health = endpoint.health
        if endpoint.secret != self._secret:
            secret = self._context.vault.open(endpoint.secret, webhook_secret_binding(self._webhook_id))
            self._secret, self._signer = endpoint.secret, Signer(secret.decode())

    def _begin(self, found: _Found) -> None:
        for delivery in found.loaded:
            self._known.add(delivery.id)
            self._lanes.put((delivery.event.session_id, delivery.event.chat_jid), delivery)
        if self._stopping or self._gone or self._allowed(MOST_IN_FLIGHT) == 0:
            self._drop_waiting()
        self._is_all_loaded = found.is_all
        self._begin_attempts()

    async def _until_next_round(self) -> None:
        """Wait for a result, then a little for more to come; less where there is more to load or a ring."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_RENEW_S):
                await self._woken.wait()
            async with asyncio.timeout(_RECORD_EVERY_S):
                await self._hurried.wait()

    def _hurry(self) -> None:
        self._woken.set()
        self._hurried.set()

    def _begin_attempts(self) -> None:
        allowed = self._allowed(self._window)
        while len(self._attempts) < allowed and (taken := self._lanes.take()) is not None:
            self._attempts.add(asyncio.create_task(self._attempt(*taken)))
        if not self._is_all_loaded and len(self._lanes) < self._window:
            self._hurry()

    def _allowed(self, most: int) -> int:
        return most_in_flight(self._health, self._context.clock(), most)

    async def _attempt(self, chat: Hashable, delivery: DueDelivery) -> None:
        loop = asyncio.get_running_loop()
        async with self._slots:
            started = loop.time()
            answer = await self._send(delivery)
            took_s = loop.time() - started
        task = asyncio.current_task()
        if task is not None:
            self._attempts.discard(task)
        self._settle(delivery, answer, took_s)
        self._lanes.done(chat)
        self._begin_attempts()
        self._woken.set()

    async def _send(self, delivery: DueDelivery) -> DeliveryAnswer:
        try:
            return await self._client.deliver(
                self._url, self._signer, delivery.event.id, event_json(delivery.event)
            )
        except Exception:
            logger.bind(company_id=self._scope.company_id).exception("A webhook attempt failed on our side")
            return DeliveryAnswer(0, "internal error")

    def _settle(self, delivery: DueDelivery, answer: DeliveryAnswer, took_s: float) -> None:
        now = self._context.clock()
        verdict = after_attempt(delivery.attempts + 1, answer, now, self._context.rng)
        self._results.append(_result(delivery, answer, verdict, now))
        if isinstance(verdict, Delivered):
            self._health = HEALTHY
        else:
            self._blame(after_failure(self._health, answer, now))
        if isinstance(verdict, GiveUp) and verdict.disable:
            self._gone = True
            self._drop_waiting()
        is_quick = isinstance(verdict, Delivered) and took_s < _SLOW_S
        self._window = min(MOST_IN_FLIGHT, self._window + 1) if is_quick else max(1, self._window // 2)

    def _blame(self, health: EndpointHealth) -> None:
        """Note a failure; where it pauses the endpoint, what waits in memory goes back to waiting in the database."""
        self._health = health
        if health.paused_until is not None:
            self._drop_waiting()

    def _drop_waiting(self) -> None:
        self._known.difference_update(delivery.id for delivery in self._lanes.clear())


def _result(delivery: DueDelivery, answer: DeliveryAnswer, verdict: Verdict, now: datetime) -> DeliveryResult:
    status, again_at, delivered_at = DeliveryStatus.DEAD, None, None
    match verdict:
        case Delivered():
            status, delivered_at = DeliveryStatus.DELIVERED, now
        case TryAgain(at):
            status, again_at = DeliveryStatus.PENDING, at
    return DeliveryResult(
        delivery.id, status, delivery.attempts + 1, again_at, answer.status_code, answer.error, delivered_at
    )
