"""Fixtures of webhook tests."""

from collections.abc import AsyncIterator

import pytest

from orchestrator.services.context import Context
from orchestrator.services.webhook_delivery import WebhookDeliveryService
from orchestrator.services.webhooks import WebhookService
from orchestrator.url_guard.guard import UrlGuard
from orchestrator.webhooks.client import WebhookClient
from orchestrator.webhooks.settings import WebhookSettings
from tests.integration.webhooks.receiver import Receiver, running_receiver
from tests.support.clock import ManualClock


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """An endpoint on the loopback interface."""
    async with running_receiver() as receiver:
        yield receiver


@pytest.fixture
def guard() -> UrlGuard:
    """A guard that lets the receiver be reached."""
    return UrlGuard(allow_private_networks=True)


@pytest.fixture
async def client(guard: UrlGuard, clock: ManualClock) -> AsyncIterator[WebhookClient]:
    """The client, patient enough for a busy machine."""
    client = WebhookClient(guard, clock, WebhookSettings(request_timeout_s=20))
    yield client
    await client.close()


@pytest.fixture
def webhooks(context: Context, guard: UrlGuard) -> WebhookService:
    """The service of endpoints."""
    return WebhookService(context, guard)


@pytest.fixture
async def delivery(context: Context, client: WebhookClient) -> AsyncIterator[WebhookDeliveryService]:
    """The service that delivers."""
    service = WebhookDeliveryService(context, client)
    yield service
    await service.close(grace_s=0.5)
