"""The connections to WhatsApp: cut, frozen, refused, ended by stream errors; acks and messages lost on the way."""

import asyncio
from collections.abc import Sequence

from tests.chaos.schedule import Way
from tests.chaos.victims import Victim
from tests.support.simulator import SimulatorClient

_LATE_ACK_MS = 2_000

_AT_ONCE: dict[str, dict[str, object]] = {
    "cut": {"kind": "cut", "count": 1},
    "stream error 515": {"kind": "stream_error", "code": 515, "count": 1},
    "stream error 503": {"kind": "stream_error", "code": 503, "count": 1},
}
"""What strikes once, now."""

_NEXT_MESSAGES: dict[str, dict[str, object]] = {
    "cut before a message": {"kind": "cut_before_message", "count": 1},
    "cut after a message": {"kind": "cut_after_message", "count": 1},
    "lost acks": {"kind": "lost_ack", "count": 2},
    "late acks": {"kind": "late_ack", "count": 5, "ms": _LATE_ACK_MS},
    "lost message": {"kind": "lost_message", "count": 1},
}
"""What strikes the next messages of a number."""

_FOR_A_WHILE: dict[str, dict[str, object]] = {
    "freeze": {"kind": "freeze"},
    "latency": {"kind": "latency", "ms": 300},
    "refuse": {"kind": "refuse", "code": 503},
    "silent queries": {"kind": "iq_silence"},
}
"""What is in force until it is cleared."""


class WhatsApp(Victim):
    """The simulator as Ponte's sessions see it. A strike hits one number; `cut all` hits all of them."""

    def __init__(self, simulator: SimulatorClient, numbers: Sequence[str], ways: Sequence[Way]) -> None:
        super().__init__(ways)
        self._simulator = simulator
        self._numbers = numbers

    async def strike(self, way: str, lasts_s: float, draw: float) -> None:
        """Faults of WhatsApp may overlap: each is a number's own."""
        await self.hurt(way, lasts_s, draw)

    async def hurt(self, way: str, lasts_s: float, draw: float) -> None:
        """See Victim."""
        number = self._numbers[int(draw * len(self._numbers))]
        if way == "cut all":
            for each in self._numbers:
                await self._put(number=each, **_AT_ONCE["cut"])
            return
        if once := _AT_ONCE.get(way) or _NEXT_MESSAGES.get(way):
            await self._put(number=number, **once)
            return
        fault = await self._put(number=number, **_FOR_A_WHILE[way])
        await asyncio.sleep(lasts_s)
        await self._simulator.call("DELETE", f"/faults/{fault}")

    async def restore(self) -> None:
        """Nothing stays in force."""
        await self._simulator.clear_faults()

    async def _put(self, **fault: object) -> int:
        answer = await self._simulator.call("POST", "/faults", fault)
        return int(answer["id"])
