"""The services of a process on its foundation, in the parts that `ponte up` and the split processes are made of."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from orchestrator.api.services import ApiServices
from orchestrator.bridge.client import BridgeClient
from orchestrator.bridge.history import read_history_message
from orchestrator.cli.wiring.clock import clock_at, system_rng, utc_now
from orchestrator.cli.wiring.foundation import Foundation
from orchestrator.cli.wiring.media import make_media
from orchestrator.config import WHATSAPP_OWN_URL, Settings
from orchestrator.domain.imports import ImportKind
from orchestrator.gateway.gateway import Gateway
from orchestrator.gateway.router import GatewayRouter
from orchestrator.gateway.settings import GatewaySettings
from orchestrator.queue.bells import LocalWork, QueueBells
from orchestrator.queue.jobs import DISPATCH, WEBHOOKS
from orchestrator.services.campaign_rounds import CampaignRounds
from orchestrator.services.campaign_services import CampaignServices
from orchestrator.services.channels import ChannelService
from orchestrator.services.chats import ChatService
from orchestrator.services.companies import CompanyService
from orchestrator.services.contacts import ContactService
from orchestrator.services.context import Context, Limits, SendingLimits
from orchestrator.services.dispatch import DispatchService
from orchestrator.services.event_bell import EventBell
from orchestrator.services.events import EventService
from orchestrator.services.export_imports import ExportImports
from orchestrator.services.exports import ExportService
from orchestrator.services.group_services import GroupServices
from orchestrator.services.history_imports import HistoryImports
from orchestrator.services.import_rounds import ImportRounds
from orchestrator.services.imports import ImportService
from orchestrator.services.inbox import InboxService
from orchestrator.services.keys import KeyService, hash_secret
from orchestrator.services.maintenance import MaintenanceService
from orchestrator.services.media import MediaService
from orchestrator.services.messages import MessageService
from orchestrator.services.older_messages import OlderMessages
from orchestrator.services.outgoing_files import OutgoingFiles
from orchestrator.services.policy_services import PolicyServices
from orchestrator.services.receipts import ReceiptService
from orchestrator.services.received_files import ReceivedFiles
from orchestrator.services.session_runtime import SessionRuntime
from orchestrator.services.sessions import SessionService
from orchestrator.services.webhook_delivery import WebhookDeliveryService
from orchestrator.services.webhooks import WebhookService
from orchestrator.url_guard.guard import UrlGuard
from orchestrator.webhooks.client import WebhookClient
from orchestrator.webhooks.settings import WebhookSettings


@dataclass(frozen=True, slots=True)
class Ground:
    """What every process has: bells, and the context of its services."""

    bells: QueueBells
    context: Context
    event_bell: EventBell
    sessions: SessionBell
    media: MediaService


@dataclass(frozen=True, slots=True)
class Work:
    """What works on jobs; made and not yet started."""

    dispatch: DispatchService
    webhook_client: WebhookClient
    webhook_delivery: WebhookDeliveryService
    maintenance: MaintenanceService
    campaigns: CampaignRounds
    imports: ImportRounds


class SessionBell:
    """Rings the gateway of this process, where there is one: it needs the bells itself, so it is attached later."""

    def __init__(self) -> None:
        self._gateway: Gateway | None = None

    def attach(self, gateway: Gateway) -> None:
        """Ring this gateway from now on."""
        self._gateway = gateway

    def ring(self, session_id: str) -> None:
        """A session changed."""
        if self._gateway is not None:
            self._gateway.ring(session_id)


def make_ground(settings: Settings, foundation: Foundation) -> Ground:
    """Make what all services of a process stand on."""
    event_bell, sessions = EventBell(), SessionBell()
    bells = QueueBells(
        foundation.redis_url,
        ring_events=event_bell.ring,
        ring_session=sessions.ring,
        ring_everybody=event_bell.ring_all,
    )
    context = Context(
        database=foundation.database,
        vault=foundation.vault,
        bells=bells,
        clock=clock_at(foundation.tempo),
        rng=system_rng(),
        limits=Limits(
            waiting_messages_per_session=settings.waiting_messages_per_session,
            messages_in_flight_per_session=settings.messages_in_flight_per_session,
        ),
        tempo=foundation.tempo,
        sending_limits=SendingLimits(settings.sending_limits),
    )
    return Ground(bells, context, event_bell, sessions, make_media(settings, context))


def make_router(settings: Settings, ground: Ground, gateway: Gateway | None) -> GatewayRouter:
    """Make what finds the gateway of a session: `gateway`, which is this process's, or another process's."""
    secret = settings.gateway_secret.get_secret_value() if settings.gateway_secret else ""
    return GatewayRouter(SessionRuntime(ground.context), gateway.local if gateway else None, secret)


def make_work(settings: Settings, foundation: Foundation, ground: Ground, router: GatewayRouter) -> Work:
    """Make what sends messages, delivers webhooks and looks after what nobody rang for."""
    context, bells = ground.context, ground.bells
    # A run that a killed process left behind must not be taken for one of this process.
    dispatch = DispatchService(context, router, owner=f"{foundation.instance}/{uuid.uuid4().hex[:8]}")
    webhook_client = WebhookClient(_guard(settings), utc_now, _webhook_settings(settings))
    webhook_delivery = WebhookDeliveryService(context, webhook_client, owner=foundation.instance)
    bells.attach(DISPATCH, LocalWork(start=dispatch.start, take=dispatch.take))
    bells.attach(WEBHOOKS, LocalWork(start=webhook_delivery.start))
    maintenance = MaintenanceService(context, bells, purge_media=ground.media.purge_expired)
    history = HistoryImports(context, read_history_message)
    return Work(
        dispatch,
        webhook_client,
        webhook_delivery,
        maintenance,
        CampaignRounds(context),
        ImportRounds(
            context,
            {
                ImportKind.PAIRING: history,
                ImportKind.ON_DEMAND: history,
                ImportKind.EXPORT: ExportImports(context, ground.media),
            },
        ),
    )


def make_api_services(
    settings: Settings, foundation: Foundation, ground: Ground, router: GatewayRouter
) -> ApiServices:
    """Make what the front doors call."""
    context, event_bell = ground.context, ground.event_bell
    keys = KeyService(context, admin_key_hash=hash_secret(foundation.admin_key))
    files = OutgoingFiles(ground.media)
    return ApiServices(
        companies=CompanyService(context, keys),
        keys=keys,
        sessions=SessionService(context, router),
        messages=MessageService(context, event_bell, files),
        contacts=ContactService(context, router),
        chats=ChatService(context, router),
        channels=ChannelService(context, router),
        groups=GroupServices.of(context, router, files),
        events=EventService(context, event_bell),
        webhooks=WebhookService(context, _guard(settings)),
        media=ground.media,
        imports=ImportService(context),
        exports=ExportService(context, ground.media),
        older_messages=OlderMessages(context, router),
        campaigns=CampaignServices.of(context, OutgoingFiles(ground.media)),
        policies=PolicyServices.of(context),
    )


def make_gateway(settings: Settings, foundation: Foundation, ground: Ground, bridge: BridgeClient) -> Gateway:
    """Make this process's gateway; session bells ring it from now on."""
    context = ground.context
    gateway = Gateway(
        context,
        SessionRuntime(context),
        InboxService(context),
        ReceiptService(context),
        bridge,
        _gateway_settings(settings),
        owner=foundation.instance,
        files=OutgoingFiles(ground.media),
        received=ReceivedFiles(context, ground.media),
    )
    ground.sessions.attach(gateway)
    return gateway


def _gateway_settings(settings: Settings) -> GatewaySettings:
    lease_s = settings.lease_s
    return GatewaySettings(
        whatsapp_url=settings.whatsapp_url or WHATSAPP_OWN_URL,
        lease_s=lease_s,
        renew_s=lease_s / 4,
        lease_margin_s=lease_s / 5,
        claim_every_s=min(2.0, lease_s / 5),
        starts_per_second=settings.starts_per_second,
        max_sessions=settings.max_sessions,
        window=settings.messages_in_flight_per_session,
        connect_timeout_ms=round(settings.connect_timeout_s * 1000),
        keep_alive_ms=round(settings.keep_alive_s * 1000),
        silence_timeout_ms=round(settings.silence_limit_s * 1000),
        qr_codes=settings.qr_codes_per_pairing,
    )


def _guard(settings: Settings) -> UrlGuard:
    return UrlGuard(allow_private_networks=settings.webhook_allow_private_networks)


def _webhook_settings(settings: Settings) -> WebhookSettings:
    return WebhookSettings(allow_private_networks=settings.webhook_allow_private_networks)
