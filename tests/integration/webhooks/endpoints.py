"""An endpoint with its company, and its events."""

from dataclasses import dataclass

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.events import EventType, NewEvent
from orchestrator.domain.page import PageRequest
from orchestrator.domain.webhook import Delivery, DeliveryStatus, Webhook
from orchestrator.services.context import Context
from orchestrator.services.webhooks import WebhookService
from orchestrator.store import events as event_store
from orchestrator.store import webhooks as webhook_store
from orchestrator.store.database import SystemScope
from tests.integration.webhooks.receiver import Receiver

RECEIVED = EventType.MESSAGE_RECEIVED


@dataclass
class Endpoint:
    """A webhook of a company that leads to a receiver."""

    context: Context
    webhooks: WebhookService
    scope: CompanyScope
    webhook: Webhook

    @classmethod
    async def create(
        cls, context: Context, webhooks: WebhookService, scope: CompanyScope, receiver: Receiver, *events: str
    ) -> "Endpoint":
        """Set it up."""
        webhook, receiver.secret = await webhooks.create(scope, receiver.url, events)
        return cls(context, webhooks, scope, webhook)

    async def record(self, count: int = 1, type_: EventType = RECEIVED, chat: str = "a") -> list[str]:
        """Record events of one chat and give their ids."""
        return await self.record_in([chat] * count, type_)

    async def record_in(self, chats: list[str], type_: EventType = RECEIVED) -> list[str]:
        """Record an event for each chat named."""
        new = [NewEvent(type_, "s-1", {"chat": chat}, chat) for chat in chats]
        async with self.context.database.transaction(self.scope) as tx:
            made = await event_store.append(tx, self.scope, new, self.context.clock(), self.context.rng)
        return [event.id for event in made]

    async def deliveries(self, status: DeliveryStatus | None = None) -> list[Delivery]:
        """All deliveries, oldest event first."""
        page = await self.webhooks.list_deliveries(self.scope, self.webhook.id, status, PageRequest(500))
        return list(page.items)[::-1]

    async def statuses(self) -> list[str]:
        """The status of each delivery, oldest event first."""
        return [str(delivery.status) for delivery in await self.deliveries()]

    async def is_due(self) -> bool:
        """Whether maintenance would ring for the company."""
        async with self.context.database.reading(SystemScope()) as tx:
            due = await webhook_store.due_companies(tx, SystemScope(), self.context.clock())
        return self.scope.company_id in due
