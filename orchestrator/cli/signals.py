"""SIGTERM and SIGINT ask for an orderly stop; a second one ends at once."""

from __future__ import annotations

import asyncio
import os
import signal

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


async def stop_requested() -> signal.Signals:
    """Return the signal that asks this process to stop, once it comes. A second one then ends it with code 130."""
    loop = asyncio.get_running_loop()
    requested: asyncio.Future[signal.Signals] = loop.create_future()

    def request(received: signal.Signals) -> None:
        if requested.done():
            os._exit(130)
        requested.set_result(received)

    for stop_signal in STOP_SIGNALS:
        loop.add_signal_handler(stop_signal, request, stop_signal)
    return await requested
