"""A gateway on a bridge in memory: the test plays Baileys and WhatsApp."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from random import Random
from typing import Any, TypeVar

import pytest

from orchestrator.bridge.memory import MemoryBridge, MemoryPeer
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.events import Event
from orchestrator.domain.session import Session, SessionState
from orchestrator.gateway.gateway import Gateway
from orchestrator.gateway.settings import GatewaySettings
from orchestrator.services.context import Context, SendingLimits
from orchestrator.services.session_runtime import SessionRuntime
from orchestrator.services.sessions import SessionService
from orchestrator.store import events
from orchestrator.store.database import Database
from orchestrator.store.models import SessionRow
from orchestrator.store.vault import Vault
from tests.support.clock import ManualClock
from tests.support.factories import Factories
from tests.support.gateway_parts import GatewayBells, RecordingInbox, RecordingReceipts

T = TypeVar("T")

ME = "5511900000001@s.whatsapp.net"
MY_LID = "95511900000001@lid"


@dataclass
class MemoryHouse:
    """Everything around one gateway on a bridge in memory."""

    context: Context
    bridge: MemoryBridge
    gateway: Gateway
    runtime: SessionRuntime
    service: SessionService
    make: Factories
    bells: GatewayBells
    inbox: RecordingInbox
    receipts: RecordingReceipts
    clock: ManualClock
    settings: GatewaySettings
    scope: CompanyScope

    async def linked(self, **columns: Any) -> SessionRow:
        """A linked session that shall run."""
        return await self.make.linked_session(
            self.scope, **{"state": SessionState.CONNECTING.value, **columns}
        )

    async def connected(self) -> tuple[str, MemoryPeer]:
        """A linked session whose connection is usable."""
        row = await self.linked()
        self.gateway.ring(row.id)
        peer = await self.bridge.next_peer()
        peer.connect(ME, MY_LID, "Acme")
        await self.reach(row.id, SessionState.CONNECTED)
        return row.id, peer

    async def reach(self, session_id: str, state: SessionState) -> Session:
        """Wait until the session is in this state."""

        async def look() -> Session | None:
            session = await self.service.get(self.scope, session_id)
            return session if session.state is state else None

        session = await until(look)
        assert session is not None
        return session

    async def events(self) -> list[Event]:
        """All events of the company."""
        async with self.context.database.reading(self.scope) as tx:
            return await events.list_after(tx, self.scope, 0, 1000)

    async def event_types(self) -> list[str]:
        """The types of all events of the company."""
        return [event.type for event in await self.events()]


async def until(look: Callable[[], Awaitable[T]], timeout_s: float = 5.0) -> T:
    """Look until the answer is true, and give it."""
    async with asyncio.timeout(timeout_s):
        while not (answer := await look()):
            await asyncio.sleep(0.005)
        return answer


@pytest.fixture
async def house(
    database: Database, vault: Vault, clock: ManualClock, rng: Random
) -> AsyncIterator[MemoryHouse]:
    """A running gateway with a company."""
    bells = GatewayBells()
    context = Context(database, vault, bells, clock, rng, sending_limits=SendingLimits.LIFTED)
    runtime = SessionRuntime(context)
    bridge, inbox, receipts = MemoryBridge(), RecordingInbox(), RecordingReceipts()
    settings = GatewaySettings(claim_every_s=0.05, renew_s=0.1)
    gateway = Gateway(context, runtime, inbox, receipts, bridge, settings, "gateway-1")
    bells.gateways.append(gateway)
    make = Factories(context)
    scope = await make.company()
    service = SessionService(context, gateway.local)
    await gateway.start()
    yield MemoryHouse(
        context,
        bridge,
        gateway,
        runtime,
        service,
        make,
        bells,
        inbox,
        receipts,
        clock,
        settings,
        scope,
    )
    await gateway.stop()
