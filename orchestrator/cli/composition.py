"""The parts of a process: what is started, in which order, and how it is stopped; and all of them in one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from loguru import logger
from prometheus_client import REGISTRY, CollectorRegistry
from redis.asyncio import Redis

from orchestrator.actors.registry import ActorServices, declare_actors
from orchestrator.api.application import Api
from orchestrator.api.http.probe_door import ProbeDoor
from orchestrator.api.readiness import Check
from orchestrator.api.settings import Addresses, ApiSettings
from orchestrator.bridge.client import BridgeClient
from orchestrator.cli.wiring.bridge import OpenBridge, memory_limited, open_bridge
from orchestrator.cli.wiring.checks import readiness_checks
from orchestrator.cli.wiring.clock import demand_simulator
from orchestrator.cli.wiring.foundation import Foundation, open_foundation
from orchestrator.cli.wiring.ports import check_free
from orchestrator.cli.wiring.services import (
    make_api_services,
    make_gateway,
    make_ground,
    make_router,
    make_work,
)
from orchestrator.config import Settings
from orchestrator.ending import end_tasks
from orchestrator.gateway.gateway import Gateway
from orchestrator.gateway.router import GatewayRouter
from orchestrator.queue.worker import WorkerHost, WorkerSettings

_LEAST_GRACE_S = 0.5


@dataclass(frozen=True, slots=True)
class Running:
    """Where a running Ponte is reached."""

    http_url: str
    grpc_address: str
    admin_key: str


@asynccontextmanager
async def running(
    settings: Settings,
    *,
    bridge_environment: Mapping[str, str] | None = None,
    registry: CollectorRegistry = REGISTRY,
) -> AsyncIterator[Running]:
    """Run all of Ponte on this event loop, which must be the main thread's, for the length of a block.

    `bridge_environment` is added to what the bridge inherits; `registry` takes the metrics of the front doors.

    What is started last is stopped first, so that each part stops while what it stands on is still there. Raises
    StartupError, with nothing left running, when it cannot start.
    """
    demand_simulator(settings)
    check_ports(settings)
    async with AsyncExitStack() as stack:
        foundation = await stack.enter_async_context(open_foundation(settings))
        bridge = await stack.enter_async_context(open_bridge(settings, foundation, bridge_environment or {}))
        parts = Parts(settings, foundation, stack)
        gateway = make_gateway(settings, foundation, parts.ground, bridge.client)
        router = parts.route(gateway)
        await parts.start_bells()
        await parts.start_gateway(gateway, bridge)
        await parts.start_work(router)
        addresses = await parts.start_api(router, bridge.client, registry)
        stack.callback(parts.grace.begin)
        yield Running(
            http_url=f"http://{addresses.http}", grpc_address=addresses.grpc, admin_key=foundation.admin_key
        )


class Grace:
    """The seconds that a stop may take, shared by all that stops."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ends_at: float | None = None

    def begin(self) -> None:
        """The stop begins now."""
        self._ends_at = asyncio.get_running_loop().time() + self._seconds

    @property
    def left_s(self) -> float:
        """What is left; never less than a moment, so that everything gets a chance."""
        if self._ends_at is None:
            return self._seconds
        return max(_LEAST_GRACE_S, self._ends_at - asyncio.get_running_loop().time())

    async def bounded(self, what: str, stop: Callable[[float], Awaitable[None]]) -> None:
        """Stop a part within what is left, give or take a moment; a failure is logged, for others must stop too."""
        left_s = self.left_s
        try:
            async with asyncio.timeout(left_s + _LEAST_GRACE_S):
                await stop(left_s)
        except TimeoutError:
            logger.warning("{} did not stop in time", what)
        except Exception:
            logger.exception("{} did not stop in good order", what)


def check_ports(settings: Settings) -> None:
    """Raise StartupError where an address to serve on is taken."""
    check_free("PONTE_HTTP_ADDR", settings.http_addr)
    check_free("PONTE_GRPC_ADDR", settings.grpc_addr)
    if settings.metrics_addr:
        check_free("PONTE_METRICS_ADDR", settings.metrics_addr)


class Parts:
    """The parts of which processes are made; what is started is stopped by `stack`, the last one first."""

    def __init__(self, settings: Settings, foundation: Foundation, stack: AsyncExitStack) -> None:
        self.ground = make_ground(settings, foundation)
        self.grace = Grace(settings.shutdown_grace_s)
        self._settings = settings
        self._foundation = foundation
        self._stack = stack
        stack.push_async_callback(self.ground.media.close)

    def route(self, gateway: Gateway | None = None) -> GatewayRouter:
        """What reaches the gateways of sessions: this process's, where it has one, and others."""
        router = make_router(self._settings, self.ground, gateway)
        self._stack.push_async_callback(router.close)
        return router

    async def start_bells(self) -> None:
        """Ring other processes, and be rung."""
        await self.ground.bells.start()
        self._stack.push_async_callback(self.ground.bells.stop)

    async def start_gateway(self, gateway: Gateway, bridge: OpenBridge, address: str = "") -> None:
        """Hold sessions on a bridge; `address` is where other processes reach them."""
        await gateway.start(address)
        self._stack.push_async_callback(self.grace.bounded, "the gateway", gateway.stop)
        limit_mib = self._settings.bridge_memory_limit_mib
        await self._stack.enter_async_context(memory_limited(bridge, gateway, limit_mib))

    async def start_work(self, router: GatewayRouter) -> None:
        """Work on jobs: dispatch, webhooks, maintenance."""
        work = make_work(self._settings, self._foundation, self.ground, router)
        stack, grace_s = self._stack, self._settings.shutdown_grace_s
        stack.push_async_callback(work.webhook_client.close)
        worker = WorkerHost(
            self._foundation.redis_url,
            asyncio.get_running_loop(),
            WorkerSettings(threads=self._settings.worker_threads, stop_timeout_s=grace_s),
        )
        declare_actors(worker.broker, ActorServices(work.dispatch, work.webhook_delivery))
        stack.push_async_callback(self.grace.bounded, "webhook delivery", work.webhook_delivery.close)
        stack.push_async_callback(self.grace.bounded, "dispatch", work.dispatch.stop)
        await worker.start()
        stack.push_async_callback(self.grace.bounded, "the workers", lambda _: worker.stop())
        maintenance = asyncio.create_task(work.maintenance.run_for_ever(), name="maintenance")
        campaigns = asyncio.create_task(work.campaigns.run_for_ever(), name="campaigns")
        imports = asyncio.create_task(work.imports.run_for_ever(), name="imports")
        stack.push_async_callback(end_tasks, [maintenance, campaigns, imports])

    async def start_api(
        self, router: GatewayRouter, bridge: BridgeClient | None, registry: CollectorRegistry
    ) -> Addresses:
        """Open the front doors."""
        services = make_api_services(self._settings, self._foundation, self.ground, router)
        api = Api(services, _api_settings(self._settings), self.checks(bridge), registry)
        addresses = await api.start()
        self._stack.push_async_callback(self.grace.bounded, "the API", api.stop)
        return addresses

    async def start_probes(self, bridge: BridgeClient | None, registry: CollectorRegistry) -> str:
        """Serve health and metrics for operators where that is asked for; gives the URL, empty where it is not."""
        if self._settings.metrics_addr is None:
            return ""
        probes = ProbeDoor(self._settings.metrics_addr, self.checks(bridge), registry)
        url = await probes.start()
        self._stack.push_async_callback(probes.stop)
        return url

    def checks(self, bridge: BridgeClient | None) -> Mapping[str, Check]:
        """What readiness means for this process."""
        redis = Redis.from_url(self._foundation.redis_url)
        self._stack.push_async_callback(redis.aclose)
        return readiness_checks(self._foundation.database, redis, bridge)


def _api_settings(settings: Settings) -> ApiSettings:
    return ApiSettings(
        http=settings.http_addr,
        grpc=settings.grpc_addr,
        metrics=settings.metrics_addr,
        body_limit_bytes=settings.request_body_limit_bytes,
        requests_per_second_per_key=settings.requests_per_second_per_key,
        request_burst_per_key=max(1, int(settings.requests_per_second_per_key * 2)),
    )
