"""What every process that serves does: starts, says so, and ends in good order when it is asked to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Annotated, TypeVar

import typer
from loguru import logger

from orchestrator.cli.config_table import unknown_variables
from orchestrator.cli.signals import stop_requested
from orchestrator.config import Settings, load_settings
from orchestrator.telemetry import configure_logging

R = TypeVar("R")

ReadyJson = Annotated[
    bool,
    typer.Option("--ready-json", help="Say in one JSON line on standard output when it serves, and where"),
]


def serve(
    open_parts: Callable[[Settings], AbstractAsyncContextManager[R]],
    describe: Callable[[Settings, R], str],
    ready_line: Callable[[R], Mapping[str, object]] | None,
) -> None:
    """Run what `open_parts` opens until SIGTERM or SIGINT. `describe` says for the log where it serves, `ready_line`
    what the ready line on standard output has, where one is wanted. Raises StartupError."""
    settings = load_settings()
    configure_logging(form=settings.log_format, level=settings.log_level)
    for name in unknown_variables():
        logger.warning("{} is set but is no setting of Ponte's; 'ponte config' lists them", name)

    def announce(parts: R) -> None:
        if ready_line is not None:
            typer.echo(json.dumps({"ready": True, **ready_line(parts)}))
        logger.info("ready: {}", describe(settings, parts))

    asyncio.run(_serve(lambda: open_parts(settings), announce))


async def _serve(
    open_parts: Callable[[], AbstractAsyncContextManager[R]], announce: Callable[[R], None]
) -> None:
    # Asked for first, so that a stop during the start is orderly too.
    stop = asyncio.create_task(stop_requested())
    ready = asyncio.Event()
    serving = asyncio.create_task(_until_stopped(open_parts, announce, stop, ready))
    await asyncio.wait({stop, serving}, return_when=asyncio.FIRST_COMPLETED)
    if not ready.is_set():
        serving.cancel()
    try:
        await serving
    except asyncio.CancelledError:
        logger.info("stopped before it was ready")
    finally:
        stop.cancel()


async def _until_stopped(
    open_parts: Callable[[], AbstractAsyncContextManager[R]],
    announce: Callable[[R], None],
    stop: asyncio.Task[object],
    ready: asyncio.Event,
) -> None:
    async with open_parts() as parts:
        ready.set()
        announce(parts)
        await asyncio.wait({stop})
        logger.info("stopping")
    logger.info("stopped")
