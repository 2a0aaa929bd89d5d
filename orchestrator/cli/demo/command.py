"""`ponte demo`: starts the simulator and Ponte, tells the story, stays up."""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
from pathlib import Path
from typing import Annotated

import aiohttp
import typer
from rich.console import Console

from orchestrator.cli.client import PonteClient
from orchestrator.cli.composition import Running, running
from orchestrator.cli.demo.phones import VirtualPhones
from orchestrator.cli.demo.screen import Screen
from orchestrator.cli.demo.story import CUSTOMER_NUMBER, Told, tell
from orchestrator.cli.signals import stop_requested
from orchestrator.config import Address, Settings, load_settings
from orchestrator.processes.node import find_node
from orchestrator.processes.simulator import SimulatorProcess
from orchestrator.startup import StartupError
from orchestrator.telemetry import configure_logging

DEADLINE_S = 120.0
"""Longest that the story may take, start included."""


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="End after the story: 0 when it came to its end, else 1")
    ] = False,
    log_level: Annotated[
        str, typer.Option(help="Least level of log lines to show beside the story")
    ] = "ERROR",
) -> None:
    """Show Ponte at work against a simulated WhatsApp: link, send, be answered; then stay up for trying by hand."""
    configure_logging(level=log_level.upper())
    raise typer.Exit(asyncio.run(_demo(once=once)))


async def _demo(*, once: bool) -> int:
    screen = Screen(Console())
    simulator = SimulatorProcess(find_node(load_settings().node))
    stop = asyncio.create_task(stop_requested())
    with tempfile.TemporaryDirectory(prefix="ponte-demo-") as folder:
        try:
            async with asyncio.timeout(DEADLINE_S) as deadline:
                await simulator.start()
                screen.step("simulated WhatsApp started", simulator.http_url)
                environment = simulator.bridge_environment(os.environ.get("NODE_OPTIONS", ""))
                async with running(
                    _settings(simulator, Path(folder)), bridge_environment=environment
                ) as ponte:
                    screen.step("Ponte started", ponte.http_url)
                    told = await _tell_unless_stopped(ponte, simulator, screen, stop)
                    if told is None:
                        return 130
                    screen.success("answered: linked, sent, delivered, read and answered.")
                    if once:
                        return 0
                    deadline.reschedule(None)
                    _show_what_to_try(screen, ponte, simulator, told)
                    await stop
                    return 0
        except (StartupError, TimeoutError, aiohttp.ClientError) as error:
            screen.failure(f"The demo did not come to its end: {str(error) or 'a step took too long'}")
            return 1
        finally:
            stop.cancel()
            await simulator.stop()


async def _tell_unless_stopped(
    ponte: Running, simulator: SimulatorProcess, screen: Screen, stop: asyncio.Task[object]
) -> Told | None:
    async with (
        aiohttp.ClientSession() as http,
        PonteClient.connect(ponte.http_url, ponte.admin_key) as client,
    ):
        story = asyncio.create_task(tell(client, VirtualPhones(http, simulator.http_url), screen))
        await asyncio.wait({story, stop}, return_when=asyncio.FIRST_COMPLETED)
        if not story.done():
            story.cancel()
            await asyncio.gather(story, return_exceptions=True)
            return None
        return story.result()


def _settings(simulator: SimulatorProcess, folder: Path) -> Settings:
    """The environment's settings, but a data folder for this demo alone: the simulator forgets its phones too."""
    settings = load_settings()
    return load_settings(
        data_dir=folder,
        http_addr=_free(settings.http_addr),
        grpc_addr=_free(settings.grpc_addr),
        whatsapp_url=simulator.websocket_url,
        webhook_allow_private_networks=True,
        database_url=None,
        redis_url=None,
        bridge_addr=None,
    )


def _free(address: Address) -> Address:
    """Return `address`, with any free port where its own is taken."""
    with socket.socket(socket.AF_INET6 if ":" in address.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError:
            return Address(address.host, 0)
    return address


def _show_what_to_try(screen: Screen, ponte: Running, simulator: SimulatorProcess, told: Told) -> None:
    links = {
        "virtual phones": f"{simulator.http_url}/",
        "REST": ponte.http_url,
        "REST documentation": f"{ponte.http_url}/docs",
        "gRPC (reflection on)": ponte.grpc_address,
        "company key": told.company_key,
        "administrator's key": ponte.admin_key,
    }
    curl = (
        f"curl -s '{ponte.http_url}/v1/messages?wait=SENT' -H 'Authorization: Bearer {told.company_key}' "
        f"""--json '{{"to": "{CUSTOMER_NUMBER}", "text": {{"body": "Oi, Ana!"}}}}'"""
    )
    screen.try_by_hand(links, curl)
