"""The gateways of one database: which are alive, and how many sessions each should hold."""

from dataclasses import dataclass

from orchestrator.domain.gateway_share import fair_share
from orchestrator.services.context import Context
from orchestrator.store import gateways, leases
from orchestrator.store.database import SystemScope


@dataclass(frozen=True, slots=True)
class Share:
    """How many sessions a gateway should hold, and how many other gateways are alive."""

    sessions: int
    others: int


class GatewayGroup:
    """One gateway's view of all."""

    def __init__(self, context: Context, name: str, room: int) -> None:
        """`name` is the gateway's own, as in its leases; `room` how many sessions it may hold."""
        self._context = context
        self._name = name
        self._room = room

    async def note_alive(self, seconds: float) -> None:
        """Say that this gateway is alive, and will be for so long without another word."""
        now = self._context.clock()
        until = now + self._context.tempo.span(seconds)
        async with self._context.database.transaction(SystemScope()) as tx:
            await gateways.note_alive(tx, self._name, self._room, now, until)

    async def leave(self) -> None:
        """Say that this gateway takes no more sessions."""
        async with self._context.database.transaction(SystemScope()) as tx:
            await gateways.forget(tx, self._name)

    async def share(self) -> Share:
        """This gateway's share of all sessions that shall run."""
        async with self._context.database.reading(SystemScope()) as tx:
            others = await gateways.rooms_of_others(tx, self._name, self._context.clock())
            wanted = await leases.count_wanted(tx)
        return Share(fair_share(wanted, self._room, others), len(others))
