"""Everything in one process: what is started, in which order, and how it is stopped."""

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
from orchestrator.api.settings import ApiSettings
from orchestrator.cli.wiring.bridge import open_bridge
from orchestrator.cli.wiring.checks import readiness_checks
from orchestrator.cli.wiring.foundation import Foundation, open_foundation
from orchestrator.cli.wiring.ports import check_free
from orchestrator.cli.wiring.services import Parts, make_parts
from orchestrator.config import Settings
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
    check_ports(settings)
    async with AsyncExitStack() as stack:
        foundation = await stack.enter_async_context(open_foundation(settings))
        bridge = await stack.enter_async_context(open_bridge(settings, foundation, bridge_environment or {}))
        parts = make_parts(settings, foundation, bridge)
        redis = Redis.from_url(foundation.redis_url)
        stack.push_async_callback(redis.aclose)
        grace = Grace(settings.shutdown_grace_s)
        await _start_work(settings, foundation, parts, stack, grace)
        checks = readiness_checks(foundation.database, redis, bridge)
        api = Api(parts.api, _api_settings(settings), checks, registry)
        addresses = await api.start()
        stack.push_async_callback(grace.bounded, "the API", api.stop)
        stack.callback(grace.begin)
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


async def _start_work(
    settings: Settings, foundation: Foundation, parts: Parts, stack: AsyncExitStack, grace: Grace
) -> None:
    """Start what works without being asked: bells, gateway, workers, maintenance."""
    stack.push_async_callback(parts.webhook_client.close)
    stack.push_async_callback(parts.router.close)
    await parts.bells.start()
    stack.push_async_callback(parts.bells.stop)
    await parts.gateway.start()
    stack.push_async_callback(grace.bounded, "the gateway", parts.gateway.stop)
    worker = WorkerHost(
        foundation.redis_url,
        asyncio.get_running_loop(),
        WorkerSettings(threads=settings.worker_threads, stop_timeout_s=settings.shutdown_grace_s),
    )
    declare_actors(worker.broker, ActorServices(parts.dispatch, parts.webhook_delivery))
    stack.push_async_callback(grace.bounded, "webhook delivery", parts.webhook_delivery.close)
    stack.push_async_callback(grace.bounded, "dispatch", parts.dispatch.stop)
    await worker.start()
    stack.push_async_callback(grace.bounded, "the workers", lambda _: worker.stop())
    maintenance = asyncio.create_task(parts.maintenance.run_for_ever(), name="maintenance")
    stack.push_async_callback(_cancel, maintenance)


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _api_settings(settings: Settings) -> ApiSettings:
    return ApiSettings(
        http=settings.http_addr,
        grpc=settings.grpc_addr,
        metrics=settings.metrics_addr,
        body_limit_bytes=settings.request_body_limit_bytes,
        requests_per_second_per_key=settings.requests_per_second_per_key,
        request_burst_per_key=max(1, int(settings.requests_per_second_per_key * 2)),
    )
