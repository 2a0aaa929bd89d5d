"""The bridge of this process: its own child, or one that runs elsewhere."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import grpc

from orchestrator.bridge.client import BridgeClient
from orchestrator.cli.wiring.foundation import Foundation
from orchestrator.config import Settings
from orchestrator.processes.bridge import BridgeProcess
from orchestrator.processes.node import find_node
from orchestrator.startup import StartupError

_ANSWERS_S = 10.0


@asynccontextmanager
async def open_bridge(
    settings: Settings, foundation: Foundation, environment: Mapping[str, str]
) -> AsyncIterator[BridgeClient]:
    """Give a client of a bridge that answers, for the length of a block; raises StartupError.

    `environment` is added to what the child inherits.
    """
    if settings.bridge_addr:
        async with _client(settings.bridge_addr) as client:
            yield client
        return
    process = BridgeProcess(
        find_node(settings.node),
        foundation.runtime,
        environment=environment,
        held_files=[foundation.lock_file],
    )
    await process.start()
    try:
        async with _client(process.address) as client:
            yield client
    finally:
        await process.stop()


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
