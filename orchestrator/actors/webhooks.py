"""The job `webhooks`: a company has something to deliver."""

from typing import TYPE_CHECKING

from orchestrator.domain.company import CompanyScope
from orchestrator.queue import jobs
from orchestrator.queue.broker import QueueBroker

if TYPE_CHECKING:
    from orchestrator.actors.registry import ActorServices


def declare(broker: QueueBroker, services: "ActorServices") -> None:
    """Declare the actor on `broker`."""

    async def webhooks(company_id: str) -> None:
        # Only begun here: a slow endpoint must not hold a worker's thread.
        await services.webhook_delivery.start(CompanyScope(company_id))

    broker.declare_async_actor(jobs.WEBHOOKS, webhooks)
