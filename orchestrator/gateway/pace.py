"""Spreads starts over time, so that a gateway that takes many sessions does not open them all at once."""

from __future__ import annotations

import asyncio

_AT_ONCE_S = 2.0
"""So many seconds' starts may be connecting at a time. Where connecting takes longer, WhatsApp or this machine cannot
keep up: more at a time would only let all of them run into their time limit, again and again."""


class Turn:
    """One start. It counts as connecting until it is over."""

    def __init__(self, connecting: asyncio.Semaphore) -> None:
        self._connecting: asyncio.Semaphore | None = connecting

    def over(self) -> None:
        """It is usable, shows a QR, or has ended; said again, it changes nothing."""
        connecting, self._connecting = self._connecting, None
        if connecting is not None:
            connecting.release()


class Pace:
    """Lets through at most `per_second`, evenly, while not too many of them are still connecting."""

    def __init__(self, per_second: float) -> None:
        self._gap_s = 1.0 / per_second
        self._next = 0.0
        self._connecting = asyncio.Semaphore(max(1, round(per_second * _AT_ONCE_S)))

    async def take(self) -> Turn:
        """Wait for one's turn; whoever takes it says when it is over."""
        await self._connecting.acquire()
        turn = Turn(self._connecting)
        try:
            now = asyncio.get_running_loop().time()
            at = max(now, self._next)
            self._next = at + self._gap_s
            if at > now:
                await asyncio.sleep(at - now)
        except BaseException:
            turn.over()
            raise
        return turn
