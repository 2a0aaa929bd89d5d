"""Declares all actors on a broker and gives them their services; called once by the composition root."""

from dataclasses import dataclass
from importlib import import_module
from typing import Protocol

from orchestrator.domain.company import CompanyScope
from orchestrator.queue.broker import QueueBroker

_ACTOR_MODULES = ("orchestrator.actors.dispatch", "orchestrator.actors.webhooks")
"""Each has `declare(broker: QueueBroker, services: ActorServices) -> None`."""


class Dispatches(Protocol):
    """Sends what is due of a session."""

    async def start(self, scope: CompanyScope, session_id: str) -> None:
        """Begin to send, or tell the sending that runs to look again; returns before the sending is done."""
        ...


class DeliversWebhooks(Protocol):
    """Delivers what is due of a company's webhooks."""

    async def start(self, scope: CompanyScope) -> None:
        """Begin to deliver, or tell what runs to look again; returns before the deliveries are done."""
        ...


@dataclass(frozen=True, slots=True)
class ActorServices:
    """What the actors need."""

    dispatch: Dispatches
    webhook_delivery: DeliversWebhooks


def declare_actors(broker: QueueBroker, services: ActorServices) -> None:
    """Declare every actor on `broker`; to be done before the worker starts."""
    for name in _ACTOR_MODULES:
        import_module(name).declare(broker, services)
