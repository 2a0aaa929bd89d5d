"""The public API as one part: what it is made of, how it starts and how it stops."""

import asyncio
from collections.abc import Mapping

from loguru import logger
from prometheus_client import REGISTRY, CollectorRegistry

from orchestrator.api.grpc_door import GrpcDoor
from orchestrator.api.http.door import HttpDoor
from orchestrator.api.invoke import Core
from orchestrator.api.metrics import ApiMetrics
from orchestrator.api.readiness import Check, Readiness
from orchestrator.api.rpc.campaigns import CampaignMethods
from orchestrator.api.rpc.channels import ChannelMethods
from orchestrator.api.rpc.chats import ChatMethods
from orchestrator.api.rpc.companies import CompanyMethods
from orchestrator.api.rpc.contacts import ContactMethods
from orchestrator.api.rpc.events import EventMethods
from orchestrator.api.rpc.groups import GroupMethods
from orchestrator.api.rpc.imports import ImportMethods
from orchestrator.api.rpc.keys import KeyMethods
from orchestrator.api.rpc.media import MediaMethods
from orchestrator.api.rpc.messages import MessageMethods
from orchestrator.api.rpc.policy import PolicyAdminMethods, PolicyMethods
from orchestrator.api.rpc.recipients import RecipientListMethods
from orchestrator.api.rpc.registry import Handler, handlers_of
from orchestrator.api.rpc.sessions import SessionMethods
from orchestrator.api.rpc.suppressions import SuppressionMethods
from orchestrator.api.rpc.webhooks import WebhookMethods
from orchestrator.api.services import ApiServices
from orchestrator.api.settings import Addresses, ApiSettings
from orchestrator.ending import end_tasks

_HEALTH_EVERY_S = 2.0
"""How often gRPC's health service looks at the readiness checks."""


def public_handlers(services: ApiServices) -> dict[str, Handler]:
    """Give the handler of every public method by its full name."""
    return handlers_of(
        (
            CompanyMethods(services.companies),
            KeyMethods(services.keys),
            SessionMethods(services.sessions, services.policies.policy),
            MessageMethods(services.messages),
            ContactMethods(services.contacts),
            ChatMethods(services.chats),
            ChannelMethods(services.channels),
            GroupMethods(services.groups),
            EventMethods(services.events),
            MediaMethods(services.media),
            ImportMethods(services.imports, services.exports, services.older_messages),
            PolicyMethods(services.policies.policy, services.policies.audit),
            PolicyAdminMethods(services.policies.policy),
            SuppressionMethods(services.policies.suppressions),
            CampaignMethods(services.campaigns),
            RecipientListMethods(services.campaigns),
            WebhookMethods(services.webhooks),
        )
    )


class Api:
    """Both front doors. `readiness` are the checks behind /readyz and gRPC health, by name."""

    def __init__(
        self,
        services: ApiServices,
        settings: ApiSettings,
        readiness: Mapping[str, Check] | None = None,
        registry: CollectorRegistry = REGISTRY,
    ) -> None:
        metrics = ApiMetrics(registry)
        self._readiness = Readiness(readiness or {}, settings.readiness_timeout_s)
        self._core = Core(public_handlers(services), services.keys.authenticate, settings, metrics)
        self._grpc = GrpcDoor(self._core, settings.grpc, settings.body_limit_bytes)
        self._http = HttpDoor(self._core, services, settings, metrics, self._readiness)
        self._health: asyncio.Task[None] | None = None

    async def start(self) -> Addresses:
        """Open both doors, or none: raises StartupError where an address cannot be used."""
        try:
            http, metrics = await self._http.start()
            grpc = await self._grpc.start()
        except BaseException:
            await self.stop(0)
            raise
        self._health = asyncio.create_task(self._report_health())
        return Addresses(http=http, grpc=grpc, metrics=metrics)

    async def stop(self, grace_s: float = 5.0) -> None:
        """Refuse new requests, end streams, give running requests `grace_s` seconds, close both doors."""
        self._core.stop()
        health, self._health = self._health, None
        if health is not None:
            await end_tasks([health])
        await asyncio.gather(self._grpc.stop(grace_s), self._http.stop(grace_s))
        await self._readiness.close()

    async def _report_health(self) -> None:
        while True:
            report = await self._readiness.report()
            await self._grpc.report(report.ready)
            if not report.ready:
                failing = ", ".join(name for name, result in report.checks.items() if not result.ok)
                logger.warning("Not ready: {}", failing)
            await asyncio.sleep(_HEALTH_EVERY_S)
