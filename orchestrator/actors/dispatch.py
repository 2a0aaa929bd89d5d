"""The job `dispatch`: a session has messages to send."""

from typing import TYPE_CHECKING

from orchestrator.domain.company import CompanyScope
from orchestrator.queue import jobs
from orchestrator.queue.broker import QueueBroker

if TYPE_CHECKING:
    from orchestrator.actors.registry import ActorServices


def declare(broker: QueueBroker, services: "ActorServices") -> None:
    """Declare the actor on `broker`."""

    async def dispatch(company_id: str, session_id: str) -> None:
        await services.dispatch.start(CompanyScope(company_id), session_id)

    broker.declare_async_actor(jobs.DISPATCH, dispatch)
