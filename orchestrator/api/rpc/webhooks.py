"""ponte.v1.WebhookService."""

from google.protobuf.empty_pb2 import Empty

from orchestrator._generated.ponte.v1 import webhook_pb2
from orchestrator.api.caller import Caller
from orchestrator.api.rpc import decode, encode
from orchestrator.domain.webhook import DeliveryStatus
from orchestrator.services.webhooks import WebhookService


class WebhookMethods:
    """Endpoints and deliveries of the caller's company."""

    service = "ponte.v1.WebhookService"

    def __init__(self, webhooks: WebhookService) -> None:
        self._webhooks = webhooks

    async def create_webhook(
        self, caller: Caller, request: webhook_pb2.CreateWebhookRequest
    ) -> webhook_pb2.CreatedWebhook:
        """Make an endpoint; this answer alone has its secret."""
        webhook, secret = await self._webhooks.create(
            caller.scope, request.url, tuple(request.events), request.secret, decode.idempotency_key(request)
        )
        return webhook_pb2.CreatedWebhook(webhook=encode.webhook(webhook), secret=secret)

    async def get_webhook(
        self, caller: Caller, request: webhook_pb2.GetWebhookRequest
    ) -> webhook_pb2.Webhook:
        """Look an endpoint up."""
        return encode.webhook(await self._webhooks.get(caller.scope, request.webhook_id))

    async def list_webhooks(
        self, caller: Caller, request: webhook_pb2.ListWebhooksRequest
    ) -> webhook_pb2.ListWebhooksResponse:
        """List endpoints, newest first."""
        page = await self._webhooks.list(caller.scope, decode.page(request))
        return webhook_pb2.ListWebhooksResponse(
            webhooks=[encode.webhook(webhook) for webhook in page.items], next_page_token=page.next_token
        )

    async def update_webhook(
        self, caller: Caller, request: webhook_pb2.UpdateWebhookRequest
    ) -> webhook_pb2.Webhook:
        """Change what is given."""
        webhook = await self._webhooks.update(
            caller.scope,
            request.webhook_id,
            url=request.url if request.HasField("url") else None,
            events=tuple(request.events) or None,
            enabled=request.enabled if request.HasField("enabled") else None,
        )
        return encode.webhook(webhook)

    async def delete_webhook(self, caller: Caller, request: webhook_pb2.DeleteWebhookRequest) -> Empty:
        """Remove an endpoint."""
        await self._webhooks.delete(caller.scope, request.webhook_id)
        return Empty()

    async def test_webhook(
        self, caller: Caller, request: webhook_pb2.TestWebhookRequest
    ) -> webhook_pb2.Delivery:
        """Send a test event to this endpoint alone."""
        return encode.delivery(await self._webhooks.test(caller.scope, request.webhook_id))

    async def list_deliveries(
        self, caller: Caller, request: webhook_pb2.ListDeliveriesRequest
    ) -> webhook_pb2.ListDeliveriesResponse:
        """List an endpoint's deliveries, newest first."""
        status = decode.choice(request.status, webhook_pb2.Delivery.Status.Name, DeliveryStatus, "status")
        page = await self._webhooks.list_deliveries(
            caller.scope, request.webhook_id, status, decode.page(request)
        )
        return webhook_pb2.ListDeliveriesResponse(
            deliveries=[encode.delivery(delivery) for delivery in page.items], next_page_token=page.next_token
        )

    async def redeliver_delivery(
        self, caller: Caller, request: webhook_pb2.RedeliverDeliveryRequest
    ) -> webhook_pb2.Delivery:
        """Deliver again."""
        return encode.delivery(
            await self._webhooks.redeliver(caller.scope, request.webhook_id, request.delivery_id)
        )
