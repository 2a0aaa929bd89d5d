"""Starts a child again, in good order, when it has grown beyond its limit."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

from loguru import logger
from prometheus_client import Counter

from orchestrator.processes.child import ChildProcess

RESTARTS = Counter(
    "ponte_memory_restarts_total", "Children started again because they had grown too large", ["child"]
)

_MIB = 1024 * 1024


class MemoryLimit:
    """Watches one child. `resident_bytes` measures it; what it raises means that there is nothing to measure now.

    The child is started again inside a block of `aside`, which takes its work elsewhere where it can.
    Between two restarts at least `rest_s` pass: a child that needs more than its limit for the sessions it has is
    not cured by a restart, and would do nothing else.
    """

    def __init__(
        self,
        child: ChildProcess,
        limit_bytes: int,
        resident_bytes: Callable[[], Awaitable[int]],
        aside: Callable[[], AbstractAsyncContextManager[None]],
        *,
        every_s: float = 10.0,
        rest_s: float = 900.0,
    ) -> None:
        self._child = child
        self._limit_bytes = limit_bytes
        self._resident_bytes = resident_bytes
        self._aside = aside
        self._every_s = every_s
        self._rest_s = rest_s
        self._quiet_until = 0.0

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            await asyncio.sleep(self._every_s)
            try:
                resident = await self._resident_bytes()
            except Exception as error:
                logger.debug("{} could not be measured: {}", self._child.name, type(error).__name__)
                continue
            if resident > self._limit_bytes and asyncio.get_running_loop().time() >= self._quiet_until:
                await self._restart(resident)

    async def _restart(self, resident: int) -> None:
        logger.warning(
            "{} holds {} MiB, more than its limit of {} MiB: it is started again, and not sooner than {:g} s from now",
            self._child.name,
            resident // _MIB,
            self._limit_bytes // _MIB,
            self._rest_s,
        )
        self._quiet_until = asyncio.get_running_loop().time() + self._rest_s
        RESTARTS.labels(self._child.name).inc()
        async with self._aside():
            await self._child.restart()
