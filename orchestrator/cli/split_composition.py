"""The processes that share one database and one Redis: which parts each is made of."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from prometheus_client import REGISTRY, CollectorRegistry

from orchestrator.cli.composition import Parts, check_ports
from orchestrator.cli.wiring.bridge import open_bridge
from orchestrator.cli.wiring.clock import demand_simulator
from orchestrator.cli.wiring.foundation import open_gateway_foundation, open_shared_foundation
from orchestrator.cli.wiring.ports import check_free
from orchestrator.cli.wiring.services import make_gateway
from orchestrator.cli.wiring.shared import demand_admin_key, demand_shared, shown_address
from orchestrator.config import Settings
from orchestrator.gateway.server import GatewayServer


@dataclass(frozen=True, slots=True)
class ApiProcess:
    """Where a running API is reached."""

    http_url: str
    grpc_address: str


@dataclass(frozen=True, slots=True)
class WorkerProcess:
    """Where a running worker's metrics are; empty for nowhere."""

    metrics_url: str


@dataclass(frozen=True, slots=True)
class GatewayProcess:
    """Where a running gateway is reached, its name in leases, and where its metrics are; empty for nowhere."""

    address: str
    name: str
    metrics_url: str


@asynccontextmanager
async def running_api(
    settings: Settings, *, registry: CollectorRegistry = REGISTRY
) -> AsyncIterator[ApiProcess]:
    """Run the front doors for the length of a block. Raises StartupError, with nothing left running."""
    demand_simulator(settings)
    demand_shared(settings)
    demand_admin_key(settings)
    check_ports(settings)
    async with AsyncExitStack() as stack:
        foundation = await stack.enter_async_context(open_shared_foundation(settings))
        parts = Parts(settings, foundation, stack)
        router = parts.route()
        await parts.start_bells()
        addresses = await parts.start_api(router, None, registry)
        stack.callback(parts.grace.begin)
        yield ApiProcess(f"http://{addresses.http}", addresses.grpc)


@asynccontextmanager
async def running_worker(
    settings: Settings, *, registry: CollectorRegistry = REGISTRY
) -> AsyncIterator[WorkerProcess]:
    """Run the workers for the length of a block. Raises StartupError, with nothing left running."""
    demand_simulator(settings)
    demand_shared(settings)
    _check_metrics(settings)
    async with AsyncExitStack() as stack:
        foundation = await stack.enter_async_context(open_shared_foundation(settings))
        parts = Parts(settings, foundation, stack)
        router = parts.route()
        await parts.start_bells()
        await parts.start_work(router)
        metrics_url = await parts.start_probes(None, registry)
        stack.callback(parts.grace.begin)
        yield WorkerProcess(metrics_url)


@asynccontextmanager
async def running_gateway(
    settings: Settings,
    *,
    bridge_environment: Mapping[str, str] | None = None,
    registry: CollectorRegistry = REGISTRY,
) -> AsyncIterator[GatewayProcess]:
    """Run a gateway and its bridge for the length of a block. Raises StartupError, with nothing left running.

    `bridge_environment` is added to what the bridge inherits.
    """
    demand_simulator(settings)
    secret = demand_shared(settings)
    shown_address(settings, settings.gateway_addr.port)
    check_free("PONTE_GATEWAY_ADDR", settings.gateway_addr)
    _check_metrics(settings)
    async with AsyncExitStack() as stack:
        foundation = await stack.enter_async_context(open_gateway_foundation(settings))
        bridge = await stack.enter_async_context(open_bridge(settings, foundation, bridge_environment or {}))
        parts = Parts(settings, foundation, stack)
        gateway = make_gateway(settings, foundation, parts.ground, bridge.client)
        await parts.start_bells()
        server = GatewayServer(gateway, str(settings.gateway_addr), secret)
        address = shown_address(settings, await server.start())
        # Stopped before the sessions are handed over: what runs ends, nothing new comes.
        await parts.start_gateway(gateway, bridge, address)
        stack.push_async_callback(parts.grace.bounded, "the gateway's server", server.stop)
        metrics_url = await parts.start_probes(bridge.client, registry)
        stack.callback(parts.grace.begin)
        yield GatewayProcess(address, foundation.instance, metrics_url)


def _check_metrics(settings: Settings) -> None:
    if settings.metrics_addr:
        check_free("PONTE_METRICS_ADDR", settings.metrics_addr)
