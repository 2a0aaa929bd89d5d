"""What looks after the rest: rings again for what is due and not moving, and clears away what has expired."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Protocol

from loguru import logger

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.policy.settings import LONGEST_CACHED_S
from orchestrator.services.context import Context
from orchestrator.store import calls, idempotency, number_checks, outbox, upkeep
from orchestrator.store import policy as policy_store
from orchestrator.store import webhooks as webhook_store
from orchestrator.store.database import SystemScope, Transaction

EVERY_S = 2.0
"""Seconds between rounds: what a lost bell costs."""

_MOST_SESSIONS = 500
_CALLS_KEPT = timedelta(days=30)
"""WhatsApp keeps what was not acknowledged for about as long."""
_MOST_FORGOTTEN = 1_000
_CLEAR_EVERY = timedelta(seconds=30)
_MOST_SENDS_FORGOTTEN = 10_000
_SENDS_KEPT = timedelta(days=4)
"""Longer than the sending policy looks back: a day for caps, three for deliveries."""


class WebhookBell(Protocol):
    """Wakes the deliverers of a company."""

    async def webhooks_due(self, scope: CompanyScope) -> None:
        """A company has deliveries that are due."""
        ...


class MaintenanceService:
    """Runs in every worker; rounds of several processes do each other no harm."""

    def __init__(
        self,
        context: Context,
        webhook_bell: WebhookBell | None = None,
        every_s: float = EVERY_S,
        purge_media: Callable[[], Awaitable[int]] | None = None,
    ) -> None:
        self._context = context
        self._every_s = every_s
        self._webhook_bell = webhook_bell
        self._purge_media = purge_media
        self._clear_at = context.clock()

    async def run_for_ever(self) -> None:
        """A round every `every_s` until cancelled; a round that fails is logged and the next one comes."""
        while True:
            try:
                await self.run_once()
            except Exception as error:
                logger.opt(exception=error).error("A round of maintenance failed.")
            await asyncio.sleep(self._every_s)

    async def run_once(self) -> None:
        """Ring for what is due and not moving; every 30 s, clear away what has expired, in bounded pieces."""
        now = self._context.clock()
        async with self._context.database.reading(SystemScope()) as tx:
            sessions = await outbox.sessions_with_due(tx, SystemScope(), now, _MOST_SESSIONS)
            companies = await webhook_store.due_companies(tx, SystemScope(), now)
        for scope, session_id in sessions:
            await self._context.bells.messages_due(scope, session_id)
        for company_id in companies:
            await self._ring_webhooks(CompanyScope(company_id))
        if now >= self._clear_at:
            self._clear_at = now + _CLEAR_EVERY
            await self._context.database.shared_transaction(SystemScope(), self._clear)
            if self._purge_media is not None:
                await self._purge_media()

    async def _ring_webhooks(self, scope: CompanyScope) -> None:
        if self._webhook_bell is not None:
            await self._webhook_bell.webhooks_due(scope)
        else:
            await self._context.bells.events_recorded(scope)

    async def _clear(self, tx: Transaction) -> None:
        now = self._context.clock()
        kept_since = now - timedelta(hours=self._context.limits.idempotency_hours)
        await idempotency.forget_before(tx, SystemScope(), kept_since, _MOST_FORGOTTEN)
        await upkeep.take_back_claims(tx, SystemScope(), now)
        await upkeep.clear_qrs(tx, SystemScope(), now)
        await policy_store.forget_sends_before(tx, SystemScope(), now - _SENDS_KEPT, _MOST_SENDS_FORGOTTEN)
        answers_since = now - timedelta(seconds=LONGEST_CACHED_S)
        await number_checks.forget_before(tx, SystemScope(), answers_since, _MOST_FORGOTTEN)
        await calls.forget_before(tx, SystemScope(), now - _CALLS_KEPT, _MOST_FORGOTTEN)
