"""`ponte up`: everything in one process, with its children."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated

import typer
from loguru import logger

from orchestrator.cli.composition import Running, running
from orchestrator.cli.config_table import unknown_variables
from orchestrator.cli.signals import stop_requested
from orchestrator.config import Settings, load_settings
from orchestrator.telemetry import configure_logging


def up(
    ready_json: Annotated[
        bool,
        typer.Option(
            "--ready-json", help="Say in one JSON line on standard output when it serves, and where"
        ),
    ] = False,
) -> None:
    """Run Ponte: the API, the gateway, the workers, the bridge, and the embedded database and queue."""
    settings = load_settings()
    configure_logging(form=settings.log_format, level=settings.log_level)
    for name in unknown_variables():
        logger.warning("{} is set but is no setting of Ponte's; 'ponte config' lists them", name)
    asyncio.run(_up(settings, ready_json=ready_json))


async def _up(settings: Settings, *, ready_json: bool) -> None:
    # Asked for first, so that a stop during the start is orderly too.
    stop = asyncio.create_task(stop_requested())
    ready = asyncio.Event()
    serving = asyncio.create_task(_serve(settings, stop, ready, ready_json=ready_json))
    await asyncio.wait({stop, serving}, return_when=asyncio.FIRST_COMPLETED)
    if not ready.is_set():
        serving.cancel()
    try:
        await serving
    except asyncio.CancelledError:
        logger.info("stopped before it was ready")
    finally:
        stop.cancel()


async def _serve(
    settings: Settings, stop: asyncio.Task[object], ready: asyncio.Event, *, ready_json: bool
) -> None:
    async with running(settings) as ponte:
        ready.set()
        _announce(settings, ponte, ready_json=ready_json)
        await asyncio.wait({stop})
        logger.info("stopping")
    logger.info("stopped")


def _announce(settings: Settings, ponte: Running, *, ready_json: bool) -> None:
    if ready_json:
        typer.echo(
            json.dumps({"ready": True, "http_url": ponte.http_url, "grpc_address": ponte.grpc_address})
        )
    whatsapp = "WhatsApp itself" if settings.speaks_to_whatsapp else settings.whatsapp_url
    logger.info(
        "ready: REST {} (documentation at {}/docs), gRPC {}, data in {}, sessions connect to {}",
        ponte.http_url,
        ponte.http_url,
        ponte.grpc_address,
        settings.data_dir.absolute(),
        whatsapp,
    )
