"""Wakes, in this process, whoever waits for a company's events."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Listener:
    """One waiter's memory of the bell: a ring that comes while the waiter is busy is kept until it waits again."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake the waiter now, or let its next wait return at once."""
        self._rung.set()

    async def wait(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds; True where the bell rang since the last wait."""
        try:
            async with asyncio.timeout(timeout):
                await self._rung.wait()
        except TimeoutError:
            return False
        self._rung.clear()
        return True


class EventBell:
    """A bell per company. It carries no events: who hears it looks into the log.

    Belongs to one event loop and is rung on its thread. To miss nothing, begin to listen before looking:

        with bell.listen(company_id) as listener:
            while not await looked_and_found():
                await listener.wait(timeout)
    """

    def __init__(self) -> None:
        self._listeners: dict[str, set[Listener]] = {}

    def ring(self, company_id: str) -> None:
        """Wake all who listen for this company."""
        for listener in self._listeners.get(company_id, ()):
            listener.ring()

    def ring_all(self) -> None:
        """Wake everyone: for when rings may have been lost, such as after the channel between processes was cut."""
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.ring()

    @contextmanager
    def listen(self, company_id: str) -> Iterator[Listener]:
        """Hear every ring from now until the block ends."""
        listener = Listener()
        self._listeners.setdefault(company_id, set()).add(listener)
        try:
            yield listener
        finally:
            listeners = self._listeners[company_id]
            listeners.discard(listener)
            if not listeners:
                del self._listeners[company_id]

    async def wait(self, company_id: str, timeout: float) -> bool:
        """Wait at most `timeout` seconds for a ring that comes after this call; True where it came.

        Where something is looked at before, use `listen`, or a ring between look and wait is missed.
        """
        with self.listen(company_id) as listener:
            return await listener.wait(timeout)

    def listeners(self, company_id: str) -> int:
        """How many listen for this company now."""
        return len(self._listeners.get(company_id, ()))
