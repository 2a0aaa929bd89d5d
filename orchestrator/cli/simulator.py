"""`ponte simulator`"""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich.console import Console

from orchestrator.cli.signals import stop_requested
from orchestrator.config import load_settings
from orchestrator.processes.node import find_node
from orchestrator.processes.simulator import SimulatorProcess
from orchestrator.telemetry import configure_logging


def simulator(
    ws_port: Annotated[int, typer.Option(help="Port of the WhatsApp side, 0 for any")] = 0,
    http_port: Annotated[int, typer.Option(help="Port of the page and control API, 0 for any")] = 0,
) -> None:
    """Run a simulated WhatsApp with virtual phones; prints the page on which they scan, read and answer."""
    settings = load_settings()
    configure_logging(form=settings.log_format, level=settings.log_level)
    asyncio.run(_run(SimulatorProcess(find_node(settings.node), ws_port=ws_port, http_port=http_port)))


async def _run(process: SimulatorProcess) -> None:
    # Asked for first: who reads that it is ready may stop it at once.
    stopped = asyncio.create_task(stop_requested())
    await process.start()
    try:
        console = Console()
        console.print(f"Virtual phones: [link]{process.http_url}/[/link]")
        console.print("To let Ponte speak to it, in another terminal:")
        variables = {"PONTE_WHATSAPP_URL": process.websocket_url, **process.bridge_environment()}
        for name, value in variables.items():
            console.print(f'  export {name}="{value}"', soft_wrap=True, highlight=False)
        console.print("  ponte up")
        ended = asyncio.create_task(process.exited())
        await asyncio.wait({stopped, ended}, return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
    finally:
        stopped.cancel()
        await process.stop()
