"""Spreads starts over time, so that a gateway that takes many sessions does not open them all at once."""

import asyncio


class Pace:
    """Lets through at most `per_second`, evenly."""

    def __init__(self, per_second: float) -> None:
        self._gap_s = 1.0 / per_second
        self._next = 0.0

    async def take(self) -> None:
        """Wait for one's turn."""
        now = asyncio.get_running_loop().time()
        turn = max(now, self._next)
        self._next = turn + self._gap_s
        if turn > now:
            await asyncio.sleep(turn - now)
