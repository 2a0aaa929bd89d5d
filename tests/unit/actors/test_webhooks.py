"""The actor that begins webhook deliveries."""

from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import cast

from orchestrator.actors import webhooks
from orchestrator.actors.registry import ActorServices
from orchestrator.domain.company import CompanyScope
from orchestrator.queue.broker import QueueBroker
from orchestrator.queue.jobs import JobKind


class Deliverer:
    """Writes down for whom it was started."""

    def __init__(self) -> None:
        self.started: list[CompanyScope] = []

    async def start(self, scope: CompanyScope) -> None:
        self.started.append(scope)


async def test_a_job_begins_the_deliveries_of_its_company() -> None:
    actors: dict[str, Callable[[str], Awaitable[None]]] = {}
    deliverer = Deliverer()

    def declare(kind: JobKind, actor: Callable[[str], Awaitable[None]]) -> None:
        actors[kind.name] = actor

    webhooks.declare(
        cast(QueueBroker, SimpleNamespace(declare_async_actor=declare)),
        cast(ActorServices, SimpleNamespace(webhook_delivery=deliverer)),
    )
    await actors["webhooks"]("c-1")

    assert deliverer.started == [CompanyScope("c-1")]
