"""The ways to run Ponte, with their victims: all embedded, on servers of the suite, and apart on these."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.chaos.houses import GATEWAYS, House, SplitPonte, WholePonte
from tests.chaos.schedule import Way
from tests.chaos.service import Service
from tests.chaos.victims import Child, OwnServer, RedisData, Victim
from tests.support.postgresql import PostgresServer
from tests.support.postgresql_process import PostgresProcess
from tests.support.simulator import SimulatorClient
from tests.support.split import shared_settings
from tests.support.valkey import ValkeyProcess

EMBEDDED = "embedded"
SERVERS = "servers"
SPLIT = "split"
DEPLOYMENTS = (EMBEDDED, SERVERS, SPLIT)

# What was committed has to outlive a kill of the server, if not of the machine.
_DURABLE = ("fsync=off", "synchronous_commit=on", "full_page_writes=off", "max_connections=200")

PONTE_WAYS = (
    Way("ponte", "kill", weight=1.5, shortest_s=0.0, longest_s=1.5, always=True),
    Way("ponte", "kill tree", shortest_s=0.0, longest_s=1.5),
    Way("ponte", "restart", weight=0.7, always=True),
    Way("ponte", "pause", shortest_s=0.5, longest_s=4.0),
)


def _bridge_ways(name: str) -> tuple[Way, ...]:
    return (
        Way(name, "kill", weight=1.5, always=True),
        Way(name, "pause", weight=0.7, shortest_s=0.5, longest_s=4.0),
    )


def _stateless_ways(name: str) -> tuple[Way, ...]:
    return (
        Way(name, "kill", shortest_s=0.0, longest_s=1.5, always=True),
        Way(name, "restart", weight=0.5),
        Way(name, "pause", weight=0.5, shortest_s=0.5, longest_s=4.0),
    )


def _gateway_ways(name: str) -> tuple[Way, ...]:
    """The last two last longer than its leases (10 s), so that it finds its sessions at the other one."""
    return (
        Way(name, "kill", shortest_s=0.0, longest_s=2.0, always=True),
        Way(name, "restart", weight=0.7),
        Way(name, "pause", shortest_s=0.5, longest_s=5.0),
        Way(name, "away", weight=0.7, shortest_s=10.5, longest_s=15.0),
        Way(name, "frozen", weight=0.7, shortest_s=10.5, longest_s=15.0),
    )


SPLIT_WAYS = {
    "api": _stateless_ways("api"),
    "worker": _stateless_ways("worker"),
    **{name: _gateway_ways(name) for name in GATEWAYS},
}
REDIS_WAYS = (
    Way("redis", "kill", shortest_s=0.0, longest_s=3.0, always=True),
    Way("redis", "pause", weight=0.5, shortest_s=0.5, longest_s=3.0),
)
REDIS_DATA_WAYS = (Way("redis data", "wipe"),)
POSTGRESQL_WAYS = (
    Way("postgresql", "kill", weight=1.5, shortest_s=0.0, longest_s=3.0, always=True),
    Way("postgresql", "pause", weight=0.7, shortest_s=0.5, longest_s=3.0),
)


@dataclass
class Deployment:
    """A Ponte that is not started yet, and what of it can be hurt, by name."""

    ponte: House
    victims: dict[str, Victim] = field(default_factory=dict)


@asynccontextmanager
async def deployed(kind: str, folder: Path, simulator: SimulatorClient) -> AsyncIterator[Deployment]:
    """Make a deployment for the length of a block; at the end nothing of it is left running."""
    settings = {
        "PONTE_WHATSAPP_URL": simulator.ws_url,
        "PONTE_SENDING_LIMITS": "lifted",
        **simulator.bridge_environment,
    }
    async with AsyncExitStack() as stack:
        if kind == EMBEDDED:
            deployment = _embedded(folder / "data", settings)
        else:
            deployment = await _on_servers(kind, folder, settings, stack)
        deployment.victims |= deployment.ponte.services
        stack.push_async_callback(deployment.ponte.kill)
        yield deployment


def _embedded(data_dir: Path, settings: Mapping[str, str]) -> Deployment:
    ponte = WholePonte(data_dir, settings, PONTE_WAYS)
    url = f"unix://{data_dir}/run/valkey.sock"
    return Deployment(
        ponte,
        {
            "bridge": _bridge("bridge", ponte.service),
            "redis": Child(lambda: ponte.service.process_id, "valkey-server", REDIS_WAYS),
            "redis data": RedisData(lambda: url, REDIS_DATA_WAYS),
        },
    )


async def _on_servers(
    kind: str, folder: Path, settings: Mapping[str, str], stack: AsyncExitStack
) -> Deployment:
    postgresql, redis = PostgresProcess(_DURABLE), ValkeyProcess()
    stack.callback(redis.remove)
    stack.callback(postgresql.remove)
    await asyncio.to_thread(postgresql.prepare)
    for server in (postgresql, redis):
        stack.callback(server.stop)
        await asyncio.to_thread(server.start)
    database_url = PostgresServer(postgresql.admin).create_empty_database()
    ponte, bridges = _ponte_on(kind, folder, {**settings, **shared_settings(database_url, redis.url)})
    return Deployment(
        ponte,
        {
            **bridges,
            "postgresql": OwnServer(postgresql, POSTGRESQL_WAYS),
            "redis": OwnServer(redis, REDIS_WAYS),
            "redis data": RedisData(lambda: redis.url, REDIS_DATA_WAYS),
        },
    )


def _ponte_on(kind: str, folder: Path, settings: Mapping[str, str]) -> tuple[House, dict[str, Victim]]:
    if kind == SERVERS:
        whole = WholePonte(folder / "data", settings, PONTE_WAYS)
        return whole, {"bridge": _bridge("bridge", whole.service)}
    split = SplitPonte(folder, settings, SPLIT_WAYS)
    names = {name: name.replace("gateway", "bridge") for name in GATEWAYS}
    return split, {bridge: _bridge(bridge, split.parts[gateway]) for gateway, bridge in names.items()}


def _bridge(name: str, of: Service[Any]) -> Victim:
    return Child(lambda: of.process_id, "main.js --listen", _bridge_ways(name))
