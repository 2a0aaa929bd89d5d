"""The two ways to run Ponte, with their victims: everything embedded, and a PostgreSQL and a Redis of the suite's."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.ponte_victim import Ponte
from tests.chaos.schedule import Way
from tests.chaos.victims import Child, OwnServer, RedisData, Victim
from tests.support.postgresql import PostgresServer
from tests.support.postgresql_process import PostgresProcess
from tests.support.simulator import SimulatorClient
from tests.support.valkey import ValkeyProcess

EMBEDDED = "embedded"
SERVERS = "servers"
DEPLOYMENTS = (EMBEDDED, SERVERS)

# What was committed has to outlive a kill of the server, if not of the machine.
_DURABLE = ("fsync=off", "synchronous_commit=on", "full_page_writes=off", "max_connections=200")

PONTE_WAYS = (
    Way("ponte", "kill", weight=1.5, shortest_s=0.0, longest_s=1.5, always=True),
    Way("ponte", "kill tree", shortest_s=0.0, longest_s=1.5),
    Way("ponte", "restart", weight=0.7, always=True),
    Way("ponte", "pause", shortest_s=0.5, longest_s=4.0),
)
BRIDGE_WAYS = (
    Way("bridge", "kill", weight=1.5, always=True),
    Way("bridge", "pause", weight=0.7, shortest_s=0.5, longest_s=4.0),
)
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
    """A Ponte that is not started yet, and what else of it can be hurt, by name."""

    ponte: Ponte
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
            deployment = _embedded(folder, settings)
        else:
            deployment = await _with_servers(folder, settings, stack)
        ponte = deployment.ponte
        deployment.victims["ponte"] = ponte
        deployment.victims["bridge"] = Child(lambda: ponte.process_id, "main.js --listen", BRIDGE_WAYS)
        stack.push_async_callback(ponte.kill)
        yield deployment


def _embedded(folder: Path, settings: Mapping[str, str]) -> Deployment:
    data_dir = folder / "data"
    ponte = Ponte(data_dir, settings, PONTE_WAYS)
    url = f"unix://{data_dir}/run/valkey.sock"
    return Deployment(
        ponte,
        {
            "redis": Child(lambda: ponte.process_id, "valkey-server", REDIS_WAYS),
            "redis data": RedisData(lambda: url, REDIS_DATA_WAYS),
        },
    )


async def _with_servers(folder: Path, settings: Mapping[str, str], stack: AsyncExitStack) -> Deployment:
    postgresql, redis = PostgresProcess(_DURABLE), ValkeyProcess()
    stack.callback(redis.remove)
    stack.callback(postgresql.remove)
    await asyncio.to_thread(postgresql.prepare)
    for server in (postgresql, redis):
        stack.callback(server.stop)
        await asyncio.to_thread(server.start)
    database_url = PostgresServer(postgresql.admin).create_empty_database()
    own = {"PONTE_DATABASE_URL": database_url, "PONTE_REDIS_URL": redis.url}
    return Deployment(
        Ponte(folder / "data", {**settings, **own}, PONTE_WAYS),
        {
            "postgresql": OwnServer(postgresql, POSTGRESQL_WAYS),
            "redis": OwnServer(redis, REDIS_WAYS),
            "redis data": RedisData(lambda: redis.url, REDIS_DATA_WAYS),
        },
    )
