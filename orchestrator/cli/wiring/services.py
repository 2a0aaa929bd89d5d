"""All services of one process, on one foundation."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from orchestrator.api.services import ApiServices
from orchestrator.bridge.client import BridgeClient
from orchestrator.cli.wiring.clock import system_rng, utc_now
from orchestrator.cli.wiring.foundation import Foundation
from orchestrator.config import WHATSAPP_OWN_URL, Settings
from orchestrator.gateway.gateway import Gateway
from orchestrator.gateway.router import GatewayRouter
from orchestrator.gateway.settings import GatewaySettings
from orchestrator.queue.bells import LocalWork, QueueBells
from orchestrator.queue.jobs import DISPATCH, WEBHOOKS
from orchestrator.services.companies import CompanyService
from orchestrator.services.contacts import ContactService
from orchestrator.services.context import Context, Limits
from orchestrator.services.dispatch import DispatchService
from orchestrator.services.event_bell import EventBell
from orchestrator.services.events import EventService
from orchestrator.services.inbox import InboxService
from orchestrator.services.keys import KeyService, hash_secret
from orchestrator.services.maintenance import MaintenanceService
from orchestrator.services.messages import MessageService
from orchestrator.services.receipts import ReceiptService
from orchestrator.services.session_runtime import SessionRuntime
from orchestrator.services.sessions import SessionService
from orchestrator.services.webhook_delivery import WebhookDeliveryService
from orchestrator.services.webhooks import WebhookService
from orchestrator.webhooks.client import WebhookClient
from orchestrator.webhooks.settings import WebhookSettings
from orchestrator.webhooks.url_guard import UrlGuard


@dataclass(frozen=True, slots=True)
class Parts:
    """Made and not yet started; orchestrator.cli.composition says in which order they start and stop."""

    bells: QueueBells
    gateway: Gateway
    router: GatewayRouter
    dispatch: DispatchService
    webhook_client: WebhookClient
    webhook_delivery: WebhookDeliveryService
    maintenance: MaintenanceService
    api: ApiServices


def make_parts(settings: Settings, foundation: Foundation, bridge: BridgeClient) -> Parts:
    """Make all services of a process that does everything."""
    event_bell = EventBell()

    def ring_session(session_id: str) -> None:
        # The gateway is made below: it needs the bells itself.
        gateway.ring(session_id)

    bells = QueueBells(
        foundation.redis_url,
        ring_events=event_bell.ring,
        ring_session=ring_session,
        ring_everybody=event_bell.ring_all,
    )
    context = Context(
        database=foundation.database,
        vault=foundation.vault,
        bells=bells,
        clock=utc_now,
        rng=system_rng(),
        limits=Limits(
            waiting_messages_per_session=settings.waiting_messages_per_session,
            messages_in_flight_per_session=settings.messages_in_flight_per_session,
        ),
    )
    gateway = _make_gateway(settings, foundation, context, bridge)
    # Alone in its process group of one, this gateway needs no address: others have sessions of their own.
    router = GatewayRouter(SessionRuntime(context), gateway.local, secret="")
    # A run that a killed process left behind must not be taken for one of this process.
    dispatch = DispatchService(context, router, owner=f"{foundation.instance}/{uuid.uuid4().hex[:8]}")
    guard = UrlGuard(allow_private_networks=settings.webhook_allow_private_networks)
    webhook_client = WebhookClient(guard, utc_now, _webhook_settings(settings))
    webhook_delivery = WebhookDeliveryService(context, webhook_client, owner=foundation.instance)
    bells.attach(DISPATCH, LocalWork(start=dispatch.start, take=dispatch.take))
    bells.attach(WEBHOOKS, LocalWork(start=webhook_delivery.start))
    keys = KeyService(context, admin_key_hash=hash_secret(foundation.admin_key))
    return Parts(
        bells=bells,
        gateway=gateway,
        router=router,
        dispatch=dispatch,
        webhook_client=webhook_client,
        webhook_delivery=webhook_delivery,
        maintenance=MaintenanceService(context, bells),
        api=ApiServices(
            companies=CompanyService(context, keys),
            keys=keys,
            sessions=SessionService(context, router),
            messages=MessageService(context, event_bell),
            contacts=ContactService(context, router),
            events=EventService(context, event_bell),
            webhooks=WebhookService(context, guard),
        ),
    )


def _make_gateway(
    settings: Settings, foundation: Foundation, context: Context, bridge: BridgeClient
) -> Gateway:
    return Gateway(
        context,
        SessionRuntime(context),
        InboxService(context),
        ReceiptService(context),
        bridge,
        GatewaySettings(
            whatsapp_url=settings.whatsapp_url or WHATSAPP_OWN_URL,
            max_sessions=settings.max_sessions,
            window=settings.messages_in_flight_per_session,
            connect_timeout_ms=round(settings.connect_timeout_s * 1000),
            keep_alive_ms=round(settings.keep_alive_s * 1000),
            silence_timeout_ms=round(settings.silence_limit_s * 1000),
            qr_codes=settings.qr_codes_per_pairing,
        ),
        owner=foundation.instance,
    )


def _webhook_settings(settings: Settings) -> WebhookSettings:
    return WebhookSettings(allow_private_networks=settings.webhook_allow_private_networks)
