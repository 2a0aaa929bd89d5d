"""When messages arrived at the simulator's server."""

from collections.abc import Sequence

from tests.support.simulator import SimulatorClient, eventually


class ArrivalLog:
    """What arrived at the server; asks only for what is new, so that looking weighs little."""

    def __init__(self, simulator: SimulatorClient) -> None:
        self._simulator = simulator
        self._last = 0
        self._times: dict[str, float] = {}

    async def times(self, ids: Sequence[str], every_s: float = 0.5) -> dict[str, float]:
        """When each message arrived, epoch ms; waits until all have, looking every `every_s`."""
        wanted = set(ids)

        async def look() -> bool:
            while entries := await self._simulator.arrivals(after=self._last):
                self._last = entries[-1]["seq"]
                self._times.update((entry["id"], float(entry["at_ms"])) for entry in entries)
            return wanted <= self._times.keys()

        await eventually(look, timeout_s=120, every_s=every_s)
        return {message_id: self._times[message_id] for message_id in ids}
