"""Gives sessions to other gateways, one after the other, so that few are between two gateways at a time."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from loguru import logger

_SESSIONS_PER_LANE = 50
"""Beyond so many sessions several are given at a time: a stop has an end."""


class Handover:
    """`give` ends one session here and tells the others that it is free."""

    def __init__(self, give: Callable[[str], Awaitable[None]]) -> None:
        self._give = give
        self._surplus: asyncio.Task[None] | None = None

    def start(self, session_ids: Sequence[str]) -> None:
        """Give these in the background, unless some are being given already."""
        if not session_ids or (self._surplus is not None and not self._surplus.done()):
            return
        logger.info("{} sessions are handed over to other gateways, which hold fewer", len(session_ids))
        self._surplus = asyncio.create_task(self.run(session_ids), name="handover")

    async def run(self, session_ids: Sequence[str], *, at_once: bool = False) -> None:
        """Give these; returns when all are given."""
        lanes = len(session_ids) if at_once else -(-len(session_ids) // _SESSIONS_PER_LANE)
        waiting = deque(session_ids)
        await asyncio.gather(*(self._lane(waiting) for _ in range(lanes)))

    async def stop(self) -> None:
        """Give no more of what `start` was told."""
        if self._surplus is not None:
            self._surplus.cancel()
            await asyncio.gather(self._surplus, return_exceptions=True)

    async def _lane(self, waiting: deque[str]) -> None:
        while waiting:
            session_id = waiting.popleft()
            try:
                await self._give(session_id)
            except Exception:
                logger.bind(session_id=session_id).exception("Handing over a session failed.")
