"""Random stops, starts, cuts and new links of sessions, and what a house holds between them."""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.support.footprint import Footprint
from tests.support.leaks import other_tasks
from tests.support.ponte import descendants
from tests.support.session_house import SessionHouse
from tests.support.simulator import eventually

SETTLE_S = 30.0
"""How long what was ended may take to be gone."""


@dataclass(frozen=True)
class Held:
    """What is open on account of sessions: at the server, in the bridge, and in this process."""

    sockets: int
    """Open connections at the server."""
    connected: int
    """Sessions whose device the server has online."""
    streams: int
    """Sessions that the bridge holds."""
    tasks: int
    timers: int
    descriptors: int
    """Of this process, but for TCP: connections of the test's own clients come and go."""
    bridge_descriptors: int


class Cycles:
    """Takes sessions of a house through random cycles, each of which ends connected.

    The house draws the shortest pauses: its clock stands still, and far ahead of the bridge's no QR would be valid.
    """

    def __init__(self, house: SessionHouse, rng: Random) -> None:
        self._house = house
        self._rng = rng
        house.rng.share = 0.0
        self._ways = (self._stop_and_start, self._cut, self._link_anew, self._unlink_on_the_phone)
        self.done: dict[str, int] = {}
        """How often each way was taken."""

    async def one(self, session_id: str) -> None:
        """Take a session through one cycle."""
        way = self._rng.choice(self._ways)
        name = way.__name__.strip("_")
        try:
            await way(session_id)
        except TimeoutError as error:
            session = await self._house.session(session_id)
            raise AssertionError(f"{name} left the session {session['state']}: {error}") from error
        self.done[name] = self.done.get(name, 0) + 1

    async def _stop_and_start(self, session_id: str) -> None:
        house = self._house
        await house.call("POST", f"/v1/sessions/{session_id}:stop", {})
        if self._rng.random() < 0.5:
            await house.reach(session_id, "STOPPED")
        await house.call("POST", f"/v1/sessions/{session_id}:start", {})
        await self._is_connected(session_id)

    async def _cut(self, session_id: str) -> None:
        house = self._house
        before = len(await house.events(session_id, "session.closed"))
        await house.simulator.fault("cut", number=house.numbers[session_id], count=1)

        async def was_cut() -> bool:
            return len(await house.events(session_id, "session.closed")) > before

        await eventually(was_cut, timeout_s=SETTLE_S)
        await self._is_connected(session_id)

    async def _link_anew(self, session_id: str) -> None:
        await self._house.call("POST", f"/v1/sessions/{session_id}:logout", {})
        await self._link(session_id)

    async def _unlink_on_the_phone(self, session_id: str) -> None:
        for device in await self._house.simulator.devices(self._house.numbers[session_id]):
            await self._house.simulator.unlink(device["jid"])
        await self._link(session_id)

    async def _link(self, session_id: str) -> None:
        house = self._house
        await house.reach(session_id, "LOGGED_OUT", timeout_s=SETTLE_S)
        offer = await house.call("POST", f"/v1/sessions/{session_id}:pair", {})
        await house.simulator.scan(house.numbers[session_id], offer["qr"])
        await self._is_connected(session_id)

    async def _is_connected(self, session_id: str) -> None:
        house = self._house

        async def look() -> bool:
            session = await house.session(session_id)
            return session["state"] == "CONNECTED" and await self._is_online(session_id)

        await eventually(look, timeout_s=2 * SETTLE_S, every_s=0.1)

    async def _is_online(self, session_id: str) -> bool:
        devices = await self._house.simulator.devices(self._house.numbers[session_id])
        return any(device["connected"] for device in devices)


def bridge_process() -> int:
    """The process id of the bridge that this process has started."""
    for pid in descendants(os.getpid()):
        if b"bridge-node" in Path(f"/proc/{pid}/cmdline").read_bytes():
            return pid
    raise AssertionError("no bridge runs")


async def held_by(house: SessionHouse) -> Held:
    """Look at everything once."""
    stats = await house.simulator.stats()
    devices = await house.simulator.devices()
    status = await house.bridge.status(timeout_s=10)
    loop = asyncio.get_running_loop()
    return Held(
        sockets=stats["sockets"],
        connected=sum(device["connected"] for device in devices),
        streams=len(status.session_ids),
        tasks=len(other_tasks()),
        timers=sum(not timer.cancelled() for timer in loop._scheduled),  # type: ignore[attr-defined]  # no public way
        descriptors=_own_descriptors(),
        bridge_descriptors=Footprint.of(bridge_process()).descriptors,
    )


def _own_descriptors() -> int:
    lines = Path("/proc/self/net/tcp").read_text().splitlines()[1:]
    tcp = {f"socket:[{line.split()[9]}]" for line in lines}
    return sum(_target(entry) not in tcp for entry in Path("/proc/self/fd").iterdir())


def _target(entry: Path) -> str:
    try:
        return os.readlink(entry)
    except OSError:
        return ""


def excess(held: Held, most: Held) -> dict[str, tuple[int, int]]:
    """What is held beyond `most`: name -> (held, most)."""
    pairs = {name: (getattr(held, name), getattr(most, name)) for name in Held.__annotations__}
    return {name: pair for name, pair in pairs.items() if pair[0] > pair[1]}


async def assert_settles(house: SessionHouse, most: Held) -> None:
    """Fail where more than `most` is still held after SETTLE_S."""
    left: dict[str, tuple[int, int]] = {}

    async def look() -> bool:
        nonlocal left
        left = excess(await held_by(house), most)
        return not left

    try:
        await eventually(look, timeout_s=SETTLE_S, every_s=0.2)
    except TimeoutError:
        names = sorted(map(_target, Path("/proc/self/fd").iterdir()))
        raise AssertionError(f"left behind, (held, at most): {left}; open here: {names}") from None
