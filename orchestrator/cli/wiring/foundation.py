"""What everything else stands on: the data folder, the keys, the database, the queue's Redis."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy.engine import make_url

from orchestrator.cli.data_folder import DataFolder
from orchestrator.cli.key_files import EncryptionKeys, admin_key, encryption_keys, kept_encryption_keys
from orchestrator.cli.wiring.clock import open_tempo
from orchestrator.cli.wiring.instance import instance_name
from orchestrator.config import Settings
from orchestrator.processes.runtime_folder import runtime_folder
from orchestrator.processes.valkey import EmbeddedValkey
from orchestrator.services.tempo import Tempo
from orchestrator.startup import StartupError
from orchestrator.store.database import Database
from orchestrator.store.metadata import verify_encryption_key
from orchestrator.store.migrations import upgrade
from orchestrator.store.vault import Vault

_REDIS_ANSWERS_S = 5.0


@dataclass(frozen=True, slots=True)
class Foundation:
    """Open and checked. `instance` names this process in leases and claims.

    `admin_key` is empty in a process that serves no API.
    """

    database: Database
    vault: Vault
    admin_key: str
    redis_url: str
    instance: str
    tempo: Tempo


@dataclass(frozen=True, slots=True)
class HomeFoundation(Foundation):
    """A foundation with a data folder, for children: `lock_file` is for them to hold, `runtime` for their sockets."""

    runtime: Path
    lock_file: int


@asynccontextmanager
async def open_foundation(settings: Settings) -> AsyncIterator[HomeFoundation]:
    """Open everything that one process alone needs, for the length of a block; StartupError leaves nothing open."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(DataFolder.open(settings.data_dir))
        keys = encryption_keys(settings, folder.path)
        vault = keys.vault()
        runtime = runtime_folder(folder.path)
        redis_url = await _redis(settings, folder, runtime, stack)
        database = await _database(settings, vault, keys, stack)
        yield HomeFoundation(
            database=database,
            vault=vault,
            admin_key=admin_key(settings, folder.path),
            redis_url=redis_url,
            instance=instance_name(folder.path),
            tempo=await open_tempo(database, settings.clock_speed),
            runtime=runtime,
            lock_file=folder.lock_file,
        )


@asynccontextmanager
async def open_shared_foundation(settings: Settings) -> AsyncIterator[Foundation]:
    """Open what a process without a folder of its own shares with others, for the length of a block."""
    async with AsyncExitStack() as stack:
        keys = kept_encryption_keys(settings, settings.data_dir)
        vault = keys.vault()
        redis_url = await _given_redis(settings)
        database = await _database(settings, vault, keys, stack)
        given = settings.admin_key
        yield Foundation(
            database=database,
            vault=vault,
            admin_key=given.get_secret_value() if given else "",
            redis_url=redis_url,
            instance=str(uuid.uuid4()),
            tempo=await open_tempo(database, settings.clock_speed),
        )


@asynccontextmanager
async def open_gateway_foundation(settings: Settings) -> AsyncIterator[HomeFoundation]:
    """Open what a gateway shares with others, and its own data folder for its bridge, for the length of a block."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(DataFolder.open(settings.data_dir))
        shared = await stack.enter_async_context(open_shared_foundation(settings))
        yield HomeFoundation(
            database=shared.database,
            vault=shared.vault,
            admin_key="",
            redis_url=shared.redis_url,
            instance=instance_name(folder.path),
            tempo=shared.tempo,
            runtime=runtime_folder(folder.path),
            lock_file=folder.lock_file,
        )


async def _redis(settings: Settings, folder: DataFolder, runtime: Path, stack: AsyncExitStack) -> str:
    if settings.redis_url is None:
        valkey = EmbeddedValkey(folder.path, runtime, held_files=[folder.lock_file])
        await valkey.start()
        stack.push_async_callback(valkey.stop)
        return valkey.url
    return await _given_redis(settings)


async def _given_redis(settings: Settings) -> str:
    url = settings.redis_url.get_secret_value() if settings.redis_url else ""
    await _check_redis(url)
    return url


async def _check_redis(url: str) -> None:
    try:
        async with asyncio.timeout(_REDIS_ANSWERS_S), Redis.from_url(url) as client:
            await client.ping()
    except (RedisError, OSError, ValueError, TimeoutError) as error:
        where = _without_password(url)
        reason = str(error) or f"no answer in {_REDIS_ANSWERS_S:.0f} s"
        raise StartupError(
            f"The Redis at {where} cannot be used ({reason}): start it, or check PONTE_REDIS_URL."
        ) from error


async def _database(
    settings: Settings, vault: Vault, keys: EncryptionKeys, stack: AsyncExitStack
) -> Database:
    url = settings.resolved_database_url
    await asyncio.to_thread(upgrade, url)
    database = await Database.open(url, pool_size=settings.database_pool_size)
    stack.push_async_callback(database.close)
    try:
        await verify_encryption_key(database, vault)
    except StartupError:
        if keys.made_file:
            # Made for a database that has another key: kept, it would look like the right one.
            keys.made_file.unlink()
        raise
    return database


def _without_password(url: str) -> str:
    try:
        return make_url(url).render_as_string(hide_password=True)
    except Exception:
        return "the given address"
