"""Keeps leases: claims a fair share of the free sessions, renews what is held, ends what was lost or is not wanted."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager

from loguru import logger

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.gateway_share import surplus
from orchestrator.domain.session import Lease
from orchestrator.gateway import metrics
from orchestrator.gateway.handover import Handover
from orchestrator.gateway.runner import SessionRunner
from orchestrator.gateway.settings import GatewaySettings
from orchestrator.services.gateway_group import GatewayGroup
from orchestrator.services.session_runtime import SessionRuntime

_SHORTEST_S = 0.1
"""Least time that a round or a pause gets, also where leases are about to end."""

MakeRunner = Callable[[Lease], SessionRunner]
Hold = Callable[[float], Awaitable[None]]
RingOthers = Callable[[CompanyScope, str], Awaitable[None]]


class LeaseKeeper:
    """One loop per gateway. `runners` by session id is what it holds."""

    def __init__(
        self,
        runtime: SessionRuntime,
        group: GatewayGroup,
        settings: GatewaySettings,
        owner: str,
        make_runner: MakeRunner,
        hold: Hold,
        ring_others: RingOthers,
    ) -> None:
        """`hold(seconds)` tells the bridge how long sockets may live without another word, `ring_others` other
        gateways that a session is free."""
        self.runners: dict[str, SessionRunner] = {}
        self.address = settings.address
        self._runtime = runtime
        self._group = group
        self._settings = settings
        self._owner = owner
        self._make_runner = make_runner
        self._hold = hold
        self._ring_others = ring_others
        self._handover = Handover(self._give)
        self._stopping = False
        self._aside = False
        self._others = 0
        self._rung = asyncio.Event()
        self._renewed_at = 0.0
        self._task: asyncio.Task[None] | None = None
        self._leaving: dict[str, tuple[SessionRunner, asyncio.Task[None]]] = {}

    async def start(self) -> None:
        """Free what a killed process of this name held, then begin."""
        await self._runtime.release_all(self._owner)
        await self._note_alive()
        self._renewed_at = self._loop_time()
        self._task = asyncio.create_task(self._run(), name="lease-keeper")

    def ring(self, session_id: str) -> None:
        """Look now instead of at the next round; a session's own runner looks again, too."""
        if runner := self.runners.get(session_id):
            runner.wake()
        self._rung.set()

    async def stop(self) -> None:
        """Claim nothing more and give all sessions back: one by one where other gateways can take them meanwhile."""
        self._stopping = True
        await self._make_way(at_once=not self._others)
        await self._end()

    @asynccontextmanager
    async def aside(self, grace_s: float) -> AsyncIterator[None]:
        """Claim nothing for the length of a block, and hold nothing where other gateways can take the sessions.

        They are given one by one before the block begins; what takes longer than `grace_s` seconds is still held then.
        """
        self._aside = True
        try:
            if self._others:
                await self._make_way_within(grace_s)
            yield
        finally:
            self._aside = False
            self._rung.set()

    async def drop(self) -> None:
        """End what `stop` did not end in time; leases end by themselves."""
        await self._end()
        leaving = [runner for runner, _ in self._leaving.values()]
        await asyncio.gather(*(runner.drop() for runner in (*self.runners.values(), *leaving)))
        self.runners.clear()

    async def _make_way(self, *, at_once: bool) -> None:
        """Give all sessions to the others, and end what is still being ended."""
        await self._handover.stop()
        try:
            await self._group.leave()
        except Exception as error:
            logger.warning("The other gateways could not be told to take more: {}", type(error).__name__)
        # The leases of those whose turn has not come are renewed until it does.
        await self._handover.run(list(self.runners), at_once=at_once)
        if self._leaving:
            await asyncio.wait([task for _, task in self._leaving.values()])

    async def _make_way_within(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._make_way(at_once=False)
        except TimeoutError:
            logger.warning("{} sessions could not be handed over in {:g} s", len(self.runners), seconds)

    @property
    def _takes_more(self) -> bool:
        return not (self._stopping or self._aside)

    async def _end(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            rung = self._rung.is_set()
            self._rung.clear()
            self._forget_finished()
            try:
                # However long the database takes: what is held must be let go before its leases end.
                async with asyncio.timeout_at(max(self._hold_until(), self._loop_time() + _SHORTEST_S)):
                    if rung or self._renewal_is_due():
                        await self._renew()
                    await self._hold(self._hold_until() - self._loop_time())
                    if self._takes_more:
                        await self._claim()
            except Exception as error:
                logger.warning("Leases could not be renewed or claimed: {}: {}", type(error).__name__, error)
            metrics.HELD.set(len(self.runners))
            metrics.CONNECTED.set(sum(1 for runner in self.runners.values() if runner.connected_stream))
            await self._wait()

    async def _wait(self) -> None:
        """Until the next round, the bell, or the moment at which leases that were not renewed are too old to hold."""
        seconds = min(self._settings.claim_every_s, self._settings.renew_s)
        if self.runners:
            seconds = min(seconds, max(_SHORTEST_S, self._hold_until() - self._loop_time()))
        try:
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        except TimeoutError:
            pass
        if self._loop_time() >= self._hold_until():
            self._let_go(list(self.runners), "their leases could not be renewed in time")
            # Nothing is held any more that could be held too long.
            self._renewed_at = self._loop_time()

    def _loop_time(self) -> float:
        return asyncio.get_running_loop().time()

    def _hold_until(self) -> float:
        return self._renewed_at + self._settings.lease_s - self._settings.lease_margin_s

    def _renewal_is_due(self) -> bool:
        next_round = self._loop_time() + self._settings.claim_every_s
        return next_round >= self._renewed_at + self._settings.renew_s + self._settings.claim_every_s / 2

    async def _renew(self) -> None:
        asked_at = self._loop_time()
        held = dict(self.runners)
        answer = await self._runtime.renew(self._owner, self._settings.lease_s)
        if self._takes_more:
            await self._note_alive()
        renewed = {lease.session_id: lease for lease in answer}
        self._renewed_at = asked_at
        lost, unwanted = [], []
        for session_id, runner in held.items():
            lease = renewed.get(session_id)
            if lease is None or lease.fence != runner.lease.fence:
                lost.append(session_id)
            elif not lease.wanted:
                unwanted.append(session_id)
        for session_id, lease in renewed.items():
            if session_id not in held and session_id not in self._leaving:
                # Its runner could not give it back, such as when the database was away.
                await self._runtime.release(self._owner, session_id, lease.fence)
        self._let_go(lost, "another gateway has them, or they were logged out")
        self._let_go(unwanted, "they shall not run")

    async def _note_alive(self) -> None:
        # Less than the leases: the others' shares grow before a dead gateway's sessions are free.
        await self._group.note_alive(self._settings.lease_s - self._settings.lease_margin_s)

    async def _claim(self) -> None:
        share = await self._group.share()
        self._others = share.others
        if share.others and (extra := surplus(len(self.runners), share.sessions)):
            connected = [id_ for id_, runner in self.runners.items() if runner.connected_stream]
            self._handover.start(connected[-extra:])
        room = min(self._settings.max_sessions, share.sessions) - len(self.runners)
        most = min(room, max(1, round(self._settings.starts_per_second * self._settings.claim_every_s)))
        if most <= 0:
            return
        leases = await self._runtime.claim(self._owner, self.address, self._settings.lease_s, most)
        for lease in leases:
            if not self._takes_more:
                # Told so while the database claimed.
                await self._runtime.release(self._owner, lease.session_id, lease.fence)
                continue
            # A runner of an earlier lease may still be ending its stream.
            if earlier := self.runners.pop(lease.session_id, None):
                self._stop_in_background(earlier)
            runner = self.runners[lease.session_id] = self._make_runner(lease)
            runner.start()

    def _let_go(self, session_ids: Iterable[str], why: str) -> None:
        runners = [self.runners.pop(session_id) for session_id in session_ids if session_id in self.runners]
        if not runners:
            return
        logger.info("{} sessions are let go: {}", len(runners), why)
        for runner in runners:
            self._stop_in_background(runner)

    async def _give(self, session_id: str) -> None:
        """End a session here so that another gateway takes it."""
        runner = self.runners.pop(session_id, None)
        if runner is None:
            return
        await asyncio.wait([self._stop_in_background(runner)])
        await self._ring_others(runner.scope, session_id)

    def _stop_in_background(self, runner: SessionRunner) -> asyncio.Task[None]:
        session_id = runner.lease.session_id
        task = asyncio.create_task(runner.stop())
        self._leaving[session_id] = (runner, task)
        task.add_done_callback(lambda done: self._left(session_id, done))
        return task

    def _left(self, session_id: str, task: asyncio.Task[None]) -> None:
        if session_id in self._leaving and self._leaving[session_id][1] is task:
            del self._leaving[session_id]

    def _forget_finished(self) -> None:
        for session_id in [id_ for id_, runner in self.runners.items() if runner.finished]:
            del self.runners[session_id]
