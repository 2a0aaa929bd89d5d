"""A gateway on a real bridge and a simulated WhatsApp."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from orchestrator.bridge.client import BridgeClient
from orchestrator.gateway.gateway import Gateway
from orchestrator.gateway.router import GatewayRouter
from orchestrator.gateway.settings import GatewaySettings
from orchestrator.services.context import Context, SendingLimits
from orchestrator.services.session_runtime import SessionRuntime
from orchestrator.services.sessions import SessionService
from orchestrator.store.database import Database
from orchestrator.store.vault import Vault
from tests.support.bridge import BridgeProcess, running_bridge
from tests.support.factories import Factories
from tests.support.gateway_parts import GatewayBells, RecordingInbox, RecordingReceipts
from tests.support.simulator import SimulatorClient, running_simulator


@dataclass
class House:
    """Everything around one gateway; `make` makes companies and sessions."""

    context: Context
    simulator: SimulatorClient
    bridge: BridgeProcess
    gateway: Gateway
    service: SessionService
    runtime: SessionRuntime
    make: Factories
    bells: GatewayBells
    inbox: RecordingInbox
    receipts: RecordingReceipts
    client: BridgeClient
    settings: GatewaySettings


@pytest.fixture
async def simulator(tmp_path: Path) -> AsyncIterator[SimulatorClient]:
    """A simulated WhatsApp of the test's own."""
    async with running_simulator(tmp_path) as running:
        yield running


@pytest.fixture
async def bridge(tmp_path: Path, simulator: SimulatorClient) -> AsyncIterator[BridgeProcess]:
    """A bridge of the test's own."""
    async with running_bridge(tmp_path, simulator.bridge_environment) as running:
        yield running


@pytest.fixture
async def house(
    database: Database, vault: Vault, simulator: SimulatorClient, bridge: BridgeProcess
) -> AsyncIterator[House]:
    """A running gateway with everything around it."""
    bells = GatewayBells()
    context = Context(
        database, vault, bells, lambda: datetime.now(UTC), Random(), sending_limits=SendingLimits.LIFTED
    )
    runtime = SessionRuntime(context)
    inbox, receipts = RecordingInbox(), RecordingReceipts()
    client = BridgeClient(bridge.address)
    settings = GatewaySettings(whatsapp_url=simulator.ws_url, claim_every_s=0.5)
    gateway = Gateway(context, runtime, inbox, receipts, client, settings, "gateway-1")
    service = SessionService(context, GatewayRouter(runtime, gateway.local, ""))
    bells.gateways.append(gateway)
    await gateway.start()
    yield House(
        context,
        simulator,
        bridge,
        gateway,
        service,
        runtime,
        Factories(context),
        bells,
        inbox,
        receipts,
        client,
        settings,
    )
    await gateway.stop()
    await client.close()
