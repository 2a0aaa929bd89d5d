"""The bridge of this process: its own child, or one that runs elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import grpc

from orchestrator.bridge.client import BridgeClient
from orchestrator.cli.wiring.foundation import HomeFoundation
from orchestrator.cli.wiring.media import spool_folder
from orchestrator.config import Settings
from orchestrator.gateway.gateway import Gateway
from orchestrator.processes.bridge import BridgeProcess
from orchestrator.processes.memory_limit import MemoryLimit
from orchestrator.processes.node import find_node
from orchestrator.startup import StartupError

_ANSWERS_S = 10.0


@dataclass(frozen=True, slots=True)
class OpenBridge:
    """A bridge that answers. `process` is None where it is not this process's child."""

    client: BridgeClient
    process: BridgeProcess | None = None


@asynccontextmanager
async def open_bridge(
    settings: Settings, foundation: HomeFoundation, environment: Mapping[str, str]
) -> AsyncIterator[OpenBridge]:
    """Give a bridge that answers, for the length of a block; raises StartupError.

    `environment` is added to what the child inherits.
    """
    if settings.bridge_addr:
        async with _client(settings.bridge_addr) as client:
            yield OpenBridge(client)
        return
    process = BridgeProcess(
        find_node(settings.node),
        foundation.runtime,
        # Baileys encrypts files into its temporary folder before it uploads them.
        environment={"TMPDIR": str(spool_folder(settings)), **environment},
        held_files=[foundation.lock_file],
    )
    await process.start()
    try:
        async with _client(process.address) as client:
            yield OpenBridge(client, process)
    finally:
        await process.stop()


@asynccontextmanager
async def memory_limited(bridge: OpenBridge, gateway: Gateway, limit_mib: int) -> AsyncIterator[None]:
    """Keep a bridge of our own below its limit for the length of a block.

    Beyond it, other gateways take the sessions, where there are any, and the bridge is started again. Where there are
    none, its streams end in good order and are opened again.
    """
    process = bridge.process
    if process is None:
        yield
        return

    async def resident_bytes() -> int:
        return (await bridge.client.status(_ANSWERS_S)).resident_bytes

    limit = MemoryLimit(process, limit_mib * 1024 * 1024, resident_bytes, gateway.aside)
    watch = asyncio.create_task(limit.run(), name="bridge memory limit")
    try:
        yield
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)


@asynccontextmanager
async def _client(address: str) -> AsyncIterator[BridgeClient]:
    client = BridgeClient(address)
    try:
        await client.status(timeout_s=_ANSWERS_S)
    except grpc.RpcError as error:
        await client.close()
        raise StartupError(
            f"The bridge at {address} does not answer: start it, or check PONTE_BRIDGE_ADDR."
        ) from error
    try:
        yield client
    finally:
        await client.close()
