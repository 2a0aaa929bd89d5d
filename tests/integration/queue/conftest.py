"""What these tests share: a worker process' parts, on a real Redis."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from random import Random

import pytest

from orchestrator.actors.registry import ActorServices, declare_actors
from orchestrator.domain.company import CompanyScope
from orchestrator.queue.bells import LocalWork, QueueBells
from orchestrator.queue.jobs import DISPATCH
from orchestrator.queue.worker import WorkerHost, WorkerSettings
from orchestrator.services.context import Context
from orchestrator.services.dispatch import DispatchService
from orchestrator.services.maintenance import MaintenanceService
from tests.support.desk import Desk, desk
from tests.support.gateway import FakeGateway

__all__ = ["desk"]

SETTINGS = WorkerSettings(threads=2, poll_s=0.1, stop_timeout_s=5)


class QuietWebhooks:
    """Notes which companies were rung."""

    def __init__(self) -> None:
        self.rung: list[str] = []

    async def start(self, scope: CompanyScope) -> None:
        self.rung.append(scope.company_id)


@dataclass
class Plant:
    """A process that takes messages in and sends them, started."""

    bells: QueueBells
    host: WorkerHost
    dispatch: DispatchService
    maintenance: MaintenanceService
    webhooks: QuietWebhooks
    heard: list[str] = field(default_factory=list)

    async def stop(self) -> None:
        await self.host.stop()
        await self.bells.stop()
        await self.dispatch.stop()


async def start_plant(desk: Desk, redis_url: str, *, local: bool) -> Plant:
    """Start one and make the desk ring its bells; `local` lets it send without Redis."""
    heard: list[str] = []
    bells = QueueBells(
        redis_url,
        ring_events=lambda company_id: heard.append(f"events {company_id}"),
        ring_session=lambda session_id: heard.append(f"session {session_id}"),
    )
    old = desk.context
    context = Context(
        old.database, old.vault, bells, old.clock, Random(3), old.limits, sending_limits=old.sending_limits
    )
    dispatch = DispatchService(context, desk.gateway, "plant")
    if local:
        bells.attach(DISPATCH, LocalWork(dispatch.start))
    host = WorkerHost(redis_url, asyncio.get_running_loop(), SETTINGS)
    webhooks = QuietWebhooks()
    declare_actors(host.broker, ActorServices(dispatch, webhooks))
    await bells.start()
    await host.start()
    desk.adopt(context)
    return Plant(bells, host, dispatch, MaintenanceService(context, bells), webhooks, heard)


@pytest.fixture
async def plant(desk: Desk, gateway: FakeGateway, redis_url: str) -> AsyncIterator[Plant]:
    """A plant whose every job goes through Redis."""
    plant = await start_plant(desk, redis_url, local=False)
    yield plant
    await plant.stop()


async def eventually(look: Callable[[], Awaitable[bool]], timeout_s: float = 10.0) -> None:
    """Look until it is so; fails after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not await look():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.005)
