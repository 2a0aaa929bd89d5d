"""All of Ponte in one process on a real bridge and a simulated WhatsApp; the test rules its clock and its chances."""

import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import Table, select

from orchestrator.api.services import ApiServices
from orchestrator.bridge.client import BridgeClient
from orchestrator.domain.breaker import Breaker, BreakerState
from orchestrator.domain.company import CompanyScope
from orchestrator.gateway.gateway import Gateway
from orchestrator.gateway.router import GatewayRouter
from orchestrator.gateway.settings import GatewaySettings
from orchestrator.services.campaign_services import CampaignServices
from orchestrator.services.channels import ChannelService
from orchestrator.services.chats import ChatService
from orchestrator.services.companies import CompanyService
from orchestrator.services.contacts import ContactService
from orchestrator.services.context import Context, SendingLimits
from orchestrator.services.dispatch import DispatchService
from orchestrator.services.event_bell import EventBell
from orchestrator.services.events import EventService
from orchestrator.services.exports import ExportService
from orchestrator.services.group_services import GroupServices
from orchestrator.services.imports import ImportService
from orchestrator.services.inbox import InboxService
from orchestrator.services.keys import KeyService, hash_secret
from orchestrator.services.messages import MessageService
from orchestrator.services.older_messages import OlderMessages
from orchestrator.services.outgoing_files import OutgoingFiles
from orchestrator.services.policy_services import PolicyServices
from orchestrator.services.receipts import ReceiptService
from orchestrator.services.received_files import ReceivedFiles
from orchestrator.services.session_runtime import SessionRuntime
from orchestrator.services.sessions import SessionService
from orchestrator.services.webhooks import WebhookService
from orchestrator.store import sessions
from orchestrator.store.database import Database, SystemScope
from orchestrator.store.models import MediaDownloadRow, SessionRow
from orchestrator.store.vault import Vault
from orchestrator.url_guard.guard import UrlGuard
from tests.integration.api.harness import ADMIN_KEY, RestClient, RunningApi, running_api
from tests.support.bridge import running_bridge
from tests.support.clock import ManualClock
from tests.support.media import make_media
from tests.support.simulator import SimulatorClient, eventually, running_simulator

_DOWNLOADS: Table = MediaDownloadRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_SESSIONS: Table = SessionRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it

NOT_YET: dict[str, Any] = {}


class RuledRandom(Random):
    """Draws `share` of every range: 1.0 is the longest wait that may be drawn."""

    share = 1.0

    def uniform(self, a: float, b: float) -> float:
        """The point of the range that `share` names."""
        return a + (b - a) * self.share


@dataclass
class Servers:
    """The processes around a house; they outlive it, so give each session a number of its own."""

    simulator: SimulatorClient
    bridge_address: str
    _last_number: int = 5511900000000

    def new_number(self) -> str:
        """A phone number that was not used yet."""
        self._last_number += 1
        return f"+{self._last_number}"


@asynccontextmanager
async def running_servers(folder: Path) -> AsyncIterator[Servers]:
    """A simulator and a bridge until the block ends."""
    async with (
        running_simulator(folder) as simulator,
        running_bridge(folder, simulator.bridge_environment) as bridge,
    ):
        yield Servers(simulator, bridge.address)


class HouseBells:
    """Rings what is in this process, as QueueBells does."""

    def __init__(self, event_bell: EventBell) -> None:
        self._event_bell = event_bell
        self.dispatch: DispatchService | None = None
        self.gateway: Gateway | None = None

    async def messages_due(self, scope: CompanyScope, session_id: str) -> None:
        if self.dispatch is not None:
            await self.dispatch.start(scope, session_id)

    async def events_recorded(self, scope: CompanyScope) -> None:
        self._event_bell.ring(scope.company_id)

    async def session_changed(self, scope: CompanyScope, session_id: str) -> None:
        if self.gateway is not None:
            self.gateway.ring(session_id)


@dataclass
class SessionHouse:
    """A running house with one company, whose client is `rest`. Its clock stands still until it is moved."""

    servers: Servers
    context: Context
    clock: ManualClock
    rng: RuledRandom
    gateway: Gateway
    dispatch: DispatchService
    scope: CompanyScope
    rest: RestClient
    bridge: BridgeClient
    api: RunningApi
    numbers: dict[str, str] = field(default_factory=dict)
    """Session id -> phone number."""

    @property
    def simulator(self) -> SimulatorClient:
        """The simulated WhatsApp."""
        return self.servers.simulator

    async def link(self) -> str:
        """Link a new phone; as `link_phone`."""
        number = self.servers.new_number()
        await self.simulator.create_phone(number)
        return await self.link_phone(number)

    async def link_phone(self, number: str) -> str:
        """Make a session, link a phone by QR and wait until it is connected; gives the session's id."""
        session = (await self.call("POST", "/v1/sessions", {"name": "Sales"}))["id"]
        offer = await self.call("POST", f"/v1/sessions/{session}:pair", {})
        await self.simulator.scan(number, offer["qr"])
        await self.reach(session, "CONNECTED")
        self.numbers[session] = number
        return str(session)

    async def call(self, verb: str, path: str, body: object = None) -> Any:
        """A REST call that must succeed."""
        answer = await self.rest.ask(verb, path, body)
        assert answer.status < 300, answer.body
        return answer.body

    async def session(self, session_id: str) -> dict[str, Any]:
        """What a user reads of a session."""
        session: dict[str, Any] = await self.call("GET", f"/v1/sessions/{session_id}")
        return session

    async def reach(self, session_id: str, state: str, timeout_s: float = 20.0) -> dict[str, Any]:
        """Wait until a user sees the session in this state."""

        async def look() -> dict[str, Any]:
            session = await self.session(session_id)
            return session if session["state"] == state else NOT_YET

        session: dict[str, Any] = await eventually(look, timeout_s=timeout_s)
        return session

    async def events(self, session_id: str, type_: str) -> list[dict[str, Any]]:
        """The data of a session's events of one type, oldest first."""
        path = f"/v1/events?page_size=500&session_id={session_id}&types={type_}"
        return [event["data"] for event in (await self.call("GET", path))["events"]]

    async def closed(self, session_id: str, code: int, timeout_s: float = 20.0) -> dict[str, Any]:
        """Wait for the newest session.closed event to have this code; gives its data."""

        async def look() -> dict[str, Any]:
            found = await self.events(session_id, "session.closed")
            return found[-1] if found and found[-1]["code"] == code else NOT_YET

        closed: dict[str, Any] = await eventually(look, timeout_s=timeout_s)
        return closed

    async def row(self, session_id: str) -> Any:
        """The session's row."""
        async with self.context.database.reading(self.scope) as tx:
            return (await tx.connection.execute(select(_SESSIONS).where(_SESSIONS.c.id == session_id))).one()

    async def breaker(self, session_id: str) -> Breaker:
        """The session's breaker."""
        async with self.context.database.reading(self.scope) as tx:
            record = await sessions.find_record(tx, self.scope, session_id)
        assert record is not None
        return record.breaker

    async def breaker_is(self, session_id: str, state: BreakerState) -> None:
        """Wait until the breaker is so: a message's receipt may be recorded before its answer, which moves it."""

        async def look() -> bool:
            return (await self.breaker(session_id)).state is state

        await eventually(look)

    async def advance(self, session_id: str, seconds: float) -> None:
        """Move the clock, and let everybody look at it."""
        self.clock.advance(seconds)
        self.gateway.ring(session_id)
        await self.dispatch.start(self.scope, session_id)

    async def postponed(self, attempts: int) -> None:
        """Wait until so many attempts to fetch one received file have failed."""

        async def look() -> bool | None:
            async with self.context.database.reading(SystemScope()) as tx:
                found = await tx.connection.execute(select(_DOWNLOADS.c.attempts))
            return max(found.scalars(), default=attempts) >= attempts or None

        await eventually(look)

    async def send(self, session_id: str, to: str, text: str = "Hello") -> str:
        """Queue a text; gives its id."""
        body = {"session_id": session_id, "to": to, "text": {"body": text}}
        return str((await self.call("POST", "/v1/messages", body))["id"])

    async def message(
        self, message_id: str, wanted: Callable[[dict[str, Any]], bool], timeout_s: float = 15.0
    ) -> dict[str, Any]:
        """Wait until what a user reads of a message is as wanted."""

        async def look() -> dict[str, Any]:
            message = await self.call("GET", f"/v1/messages/{message_id}")
            return message if wanted(message) else NOT_YET

        message: dict[str, Any] = await eventually(look, timeout_s=timeout_s)
        return message


@asynccontextmanager
async def running_house(
    servers: Servers,
    database_url: str,
    sending_limits: SendingLimits = SendingLimits.LIFTED,
    **settings: Any,
) -> AsyncIterator[SessionHouse]:
    """A house until the block ends; `settings` are those of its gateway."""
    with tempfile.TemporaryDirectory(prefix="ponte-media-") as folder:
        async with _house(servers, database_url, Path(folder), sending_limits, settings) as house:
            yield house


@asynccontextmanager
async def _house(
    servers: Servers,
    database_url: str,
    media_folder: Path,
    sending_limits: SendingLimits,
    settings: dict[str, Any],
) -> AsyncIterator[SessionHouse]:
    database = await Database.open(database_url)
    clock, rng, event_bell = ManualClock(datetime.now(UTC)), RuledRandom(), EventBell()
    bells = HouseBells(event_bell)
    context = Context(
        database,
        Vault({"test": bytes(range(32))}, "test"),
        bells,
        clock,
        rng,
        sending_limits=sending_limits,
    )
    media = make_media(context, media_folder)
    client = BridgeClient(servers.bridge_address)
    options: dict[str, Any] = {"whatsapp_url": servers.simulator.ws_url, "claim_every_s": 0.5} | settings
    gateway = bells.gateway = Gateway(
        context,
        SessionRuntime(context),
        InboxService(context),
        ReceiptService(context),
        client,
        GatewaySettings(**options),
        "gateway",
        OutgoingFiles(media),
        ReceivedFiles(context, media),
    )
    router = GatewayRouter(SessionRuntime(context), gateway.local, "")
    dispatch = bells.dispatch = DispatchService(context, router, "worker")
    keys = KeyService(context, admin_key_hash=hash_secret(ADMIN_KEY))
    services = ApiServices(
        companies=CompanyService(context, keys),
        keys=keys,
        sessions=SessionService(context, router),
        messages=MessageService(context, event_bell, OutgoingFiles(media)),
        contacts=ContactService(context, router),
        chats=ChatService(context, router),
        channels=ChannelService(context, router),
        groups=GroupServices.of(context, router, OutgoingFiles(media)),
        events=EventService(context, event_bell),
        webhooks=WebhookService(context, UrlGuard()),
        media=media,
        imports=ImportService(context),
        exports=ExportService(context, media),
        older_messages=OlderMessages(context, router),
        campaigns=CampaignServices.of(context, OutgoingFiles(media)),
        policies=PolicyServices.of(context),
    )
    await gateway.start()
    async with running_api(services) as api:
        company_id, rest = await api.company()
        yield SessionHouse(
            servers, context, clock, rng, gateway, dispatch, CompanyScope(company_id), rest, client, api
        )
    await dispatch.stop()
    await gateway.stop()
    await client.close()
    await servers.simulator.clear_faults()
    await media.close()
    await database.close()
