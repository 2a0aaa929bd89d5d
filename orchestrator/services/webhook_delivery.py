"""Delivers what is due to the endpoints of companies."""

import asyncio
from typing import Final

from loguru import logger

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.ids import make_id
from orchestrator.services.context import Context
from orchestrator.services.endpoint_runner import EndpointRunner
from orchestrator.store import webhooks as webhook_store
from orchestrator.webhooks.client import WebhookClient

MOST_ENDPOINTS: Final = 1000
"""Endpoints worked on at once in a process; what is beyond waits for the next ring of maintenance."""

_Work = tuple[EndpointRunner, asyncio.Task[None]]


class WebhookDeliveryService:
    """Runs one deliverer per endpoint that has something due, each on its own, so that none waits for another.

    Deliverers of several processes keep apart by a claim on the webhook's row.
    """

    def __init__(self, context: Context, client: WebhookClient, owner: str = "") -> None:
        """`owner` names this process in claims; made up where it is empty."""
        self._context = context
        self._client = client
        self._owner = owner or make_id(context.clock(), context.rng)
        self._slots = asyncio.Semaphore(client.most_requests)
        self._working: dict[str, _Work] = {}
        self._closing = False

    async def start(self, scope: CompanyScope) -> None:
        """See to it that all that is due of a company is being delivered; returns before it is."""
        await self._start(scope)

    async def run(self, scope: CompanyScope) -> None:
        """Deliver what is due of a company, and return when nothing more is due now."""
        tasks = await self._start(scope)
        if tasks:
            await asyncio.wait(tasks)

    async def close(self, grace_s: float = 5.0) -> None:
        """Begin no more attempts, let those under way end within `grace_s`, give all claims back."""
        self._closing = True
        tasks = [task for _, task in self._working.values()]
        for runner, _ in list(self._working.values()):
            runner.stop()
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=grace_s)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)

    async def _start(self, scope: CompanyScope) -> list[asyncio.Task[None]]:
        async with self._context.database.reading(scope) as tx:
            due = await webhook_store.list_due(tx, scope, self._context.clock())
        return [task for webhook_id in due if (task := self._begin(scope, webhook_id)) is not None]

    def _begin(self, scope: CompanyScope, webhook_id: str) -> asyncio.Task[None] | None:
        working = self._working.get(webhook_id)
        if working is not None:
            runner, task = working
            runner.ring()
            return task
        if self._closing or len(self._working) >= MOST_ENDPOINTS:
            return None
        runner = EndpointRunner(self._context, self._client, scope, webhook_id, self._owner, self._slots)
        task = asyncio.create_task(self._work(runner, scope, webhook_id), name="webhook-endpoint")
        self._working[webhook_id] = (runner, task)
        return task

    async def _work(self, runner: EndpointRunner, scope: CompanyScope, webhook_id: str) -> None:
        try:
            await runner.run()
        except Exception:
            logger.bind(company_id=scope.company_id).exception("Delivering to a webhook failed")
        finally:
            # In the same step as the runner's last look, so that no ring falls in between.
            del self._working[webhook_id]
