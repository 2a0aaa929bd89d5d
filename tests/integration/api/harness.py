"""The API over real services on a real database, and clients of both doors."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp
import grpc
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status
from prometheus_client import CollectorRegistry

from orchestrator.api.application import Api
from orchestrator.api.readiness import Check
from orchestrator.api.services import ApiServices
from orchestrator.api.settings import Addresses, ApiSettings
from orchestrator.domain.company import CompanyScope
from orchestrator.services.campaign_services import CampaignServices
from orchestrator.services.channels import ChannelService
from orchestrator.services.chats import ChatService
from orchestrator.services.companies import CompanyService
from orchestrator.services.contacts import ContactService
from orchestrator.services.context import Context
from orchestrator.services.event_bell import EventBell
from orchestrator.services.events import EventService
from orchestrator.services.exports import ExportService
from orchestrator.services.group_services import GroupServices
from orchestrator.services.imports import ImportService
from orchestrator.services.keys import KeyService, hash_secret
from orchestrator.services.messages import MessageService
from orchestrator.services.older_messages import OlderMessages
from orchestrator.services.outgoing_files import OutgoingFiles
from orchestrator.services.policy_services import PolicyServices
from orchestrator.services.sessions import SessionService
from orchestrator.services.webhooks import WebhookService
from orchestrator.url_guard.guard import UrlGuard
from tests.support.bells import RecordingBells
from tests.support.gateway import FakeGateway
from tests.support.media import make_media

ADMIN_KEY = "the-admin-key-of-the-api-tests"
SETTINGS = ApiSettings(http=("127.0.0.1", 0), grpc=("127.0.0.1", 0))


class RingingBells(RecordingBells):
    """Rings the event bell of this process, as the real ones do."""

    def __init__(self, event_bell: EventBell) -> None:
        super().__init__()
        self._event_bell = event_bell

    async def events_recorded(self, scope: CompanyScope) -> None:
        await super().events_recorded(scope)
        self._event_bell.ring(scope.company_id)


def make_services(context: Context, gateway: FakeGateway, media_folder: Path) -> ApiServices:
    """Real services; webhooks may go to local addresses."""
    event_bell = EventBell()
    context = replace(context, bells=RingingBells(event_bell))
    media = make_media(context, media_folder)
    keys = KeyService(context, admin_key_hash=hash_secret(ADMIN_KEY))
    return ApiServices(
        companies=CompanyService(context, keys),
        keys=keys,
        sessions=SessionService(context, gateway),
        messages=MessageService(context, event_bell, OutgoingFiles(media)),
        contacts=ContactService(context, gateway),
        chats=ChatService(context, gateway),
        channels=ChannelService(context, gateway),
        groups=GroupServices.of(context, gateway, OutgoingFiles(media)),
        events=EventService(context, event_bell),
        webhooks=WebhookService(context, UrlGuard()),
        media=media,
        imports=ImportService(context),
        exports=ExportService(context, media),
        older_messages=OlderMessages(context, gateway),
        campaigns=CampaignServices.of(context, OutgoingFiles(media)),
        policies=PolicyServices.of(context),
    )


@dataclass(frozen=True)
class RestAnswer:
    """An HTTP answer, read to its end."""

    status: int
    body: Any
    headers: Any
    raw: bytes


@dataclass
class RestClient:
    """Speaks REST with one key."""

    http: aiohttp.ClientSession
    url: str
    key: str | None = None

    def with_key(self, key: str | None) -> "RestClient":
        """The same door with another key."""
        return replace(self, key=key)

    @property
    def headers(self) -> dict[str, str]:
        """The credential as it is sent."""
        return {} if self.key is None else {"Authorization": f"Bearer {self.key}"}

    async def ask(self, verb: str, path: str, body: Any = None, **options: Any) -> RestAnswer:
        """Send a request; `body` as JSON where it is given."""
        headers = {**self.headers, **options.pop("headers", {})}
        if body is not None:
            options["json"] = body
        async with self.http.request(verb, self.url + path, headers=headers, **options) as answer:
            raw = await answer.read()
            is_json = "json" in answer.headers.get("Content-Type", "")
            return RestAnswer(
                answer.status, await answer.json(content_type=None) if is_json else None, answer.headers, raw
            )


@dataclass(frozen=True)
class GrpcError:
    """A gRPC error with its details."""

    code: grpc.StatusCode
    message: str
    reason: str
    fields: tuple[str, ...]
    retry_after_s: float | None


def read_grpc_error(error: grpc.aio.AioRpcError) -> GrpcError:
    """Take the details out of an error."""
    status: status_pb2.Status | None = rpc_status.from_call(error)
    reason, fields, retry_after_s = "", (), None
    for detail in status.details if status else ():
        if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
            info = error_details_pb2.ErrorInfo()
            detail.Unpack(info)
            assert info.domain == "ponte"
            reason = info.reason
        elif detail.Is(error_details_pb2.BadRequest.DESCRIPTOR):
            bad = error_details_pb2.BadRequest()
            detail.Unpack(bad)
            fields = tuple(violation.field for violation in bad.field_violations)
        elif detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR):
            retry = error_details_pb2.RetryInfo()
            detail.Unpack(retry)
            retry_after_s = retry.retry_delay.ToMilliseconds() / 1000
    return GrpcError(error.code(), error.details() or "", reason, fields, retry_after_s)


@dataclass
class RunningApi:
    """An API that serves, and how to reach it."""

    api: Api
    services: ApiServices
    addresses: Addresses
    channel: grpc.aio.Channel
    admin: RestClient
    anonymous: RestClient = field(init=False)

    def __post_init__(self) -> None:
        self.anonymous = self.admin.with_key(None)

    def metadata(self, key: str | None) -> tuple[tuple[str, str], ...]:
        """The credential as gRPC sends it."""
        return () if key is None else (("authorization", f"Bearer {key}"),)

    async def company(self, name: str = "Acme", max_sessions: int = 10) -> tuple[str, RestClient]:
        """Make a company with a key of all scopes."""
        made = await self.admin.ask("POST", "/v1/companies", {"name": name, "max_sessions": max_sessions})
        assert made.status == 201, made.body
        key = await self.admin.ask("POST", f"/v1/companies/{made.body['id']}/keys", {"name": "test"})
        assert key.status == 201, key.body
        return made.body["id"], self.admin.with_key(key.body["key"])


@asynccontextmanager
async def running_api(
    services: ApiServices, settings: ApiSettings = SETTINGS, readiness: dict[str, Check] | None = None
) -> AsyncIterator[RunningApi]:
    """Serve on ports that the system chooses, until the block ends."""
    api = Api(services, settings, readiness, CollectorRegistry())
    addresses = await api.start()
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(20)) as http,
            grpc.aio.insecure_channel(addresses.grpc) as channel,
        ):
            admin = RestClient(http, f"http://{addresses.http}", ADMIN_KEY)
            yield RunningApi(api, services, addresses, channel, admin)
    finally:
        await api.stop(1.0)
