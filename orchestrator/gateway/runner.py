"""Holds one session: opens its stream, pumps it, connects again after it closed, until it shall not run any more."""

import asyncio

from loguru import logger

from orchestrator.bridge.client import Bridge
from orchestrator.bridge.messages import Opening
from orchestrator.bridge.stream import SessionStream
from orchestrator.domain.closing import Closed
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError
from orchestrator.domain.session import Lease
from orchestrator.gateway import metrics
from orchestrator.gateway.event_pump import EventPump, Inbox, Receipts
from orchestrator.gateway.pace import Pace, Turn
from orchestrator.gateway.settings import GatewaySettings
from orchestrator.services.context import Clock
from orchestrator.services.group_records import GroupRecords
from orchestrator.services.session_runtime import RunPlan, SessionRuntime

_QUIET_S = 2.0
"""How long a stop waits for sends and auth writes on their way."""

_END_S = 5.0
"""How long a stop waits for the bridge to end the socket."""

_LOOK_AT_CLOCK_S = 5.0

_FIRST_FAULT_S = 1.0
_LONGEST_FAULT_S = 30.0
"""Pauses after errors of our own, such as a database that is away: doubled with each in a row."""


class SessionRunner:
    """One held session. `start` it once; it ends by itself where the session shall not run, or by `stop`."""

    def __init__(
        self,
        lease: Lease,
        runtime: SessionRuntime,
        inbox: Inbox,
        receipts: Receipts,
        groups: GroupRecords,
        bridge: Bridge,
        settings: GatewaySettings,
        clock: Clock,
        pace: Pace,
    ) -> None:
        self.lease = lease
        self.scope = CompanyScope(lease.company_id)
        self._runtime = runtime
        self._inbox = inbox
        self._receipts = receipts
        self._groups = groups
        self._bridge = bridge
        self._settings = settings
        self._clock = clock
        self._pace = pace
        self._stream: SessionStream | None = None
        self._pump: EventPump | None = None
        self._stopping = False
        self._faults = 0
        self._woken = asyncio.Event()
        self._closed = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None
        self._log = logger.bind(company_id=lease.company_id, session_id=lease.session_id)

    @property
    def finished(self) -> bool:
        """True when it has ended and may be forgotten."""
        return self._task is not None and self._task.done()

    @property
    def open_stream(self) -> SessionStream | None:
        """The stream while one is open, usable or not."""
        return None if self._stopping else self._stream

    @property
    def connected_stream(self) -> SessionStream | None:
        """The stream while messages can be sent on it."""
        usable = self._pump is not None and self._pump.opened_at is not None
        return self.open_stream if usable else None

    def start(self) -> None:
        """Begin to hold the session."""
        self._task = asyncio.create_task(self._run(), name=f"session {self.lease.session_id}")

    def wake(self) -> None:
        """Look again whether and when to connect."""
        self._woken.set()

    async def stop(self) -> None:
        """End the stream in good order and give the lease back; returns when that is done."""
        if self._task is None:
            return
        first = not self._stopping
        self._stopping = True
        self._woken.set()
        if first and self._stream is not None and self._pump is not None:
            await self._end(self._stream, self._pump)
        await asyncio.wait([self._task])

    async def drop(self) -> None:
        """Let go at once."""
        self._stopping = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def wait_closed(self, stream: SessionStream) -> None:
        """Wait until this stream has closed and that is recorded."""
        async with self._closed:
            await self._closed.wait_for(lambda: self._stream is not stream)

    async def _run(self) -> None:
        try:
            while not self._stopping and await self._go_on():
                pass
        finally:
            await self._leave()

    async def _go_on(self) -> bool:
        """One connection, or the wait for it; False when the session is not ours to run any more."""
        try:
            self._woken.clear()
            plan = await self._runtime.plan(self.scope, self.lease.session_id, self.lease.fence)
            if plan is None:
                return False
            turn = await self._wait_for_turn(plan)
            if turn is None:
                return True
            self._faults = 0
            try:
                if not self._stopping:
                    await self._connect(plan, turn)
            finally:
                turn.over()
        except PonteError as error:
            self._log.info("The session is let go: {}", error)
            return False
        except Exception:
            self._log.exception("Holding the session failed; it is tried again.")
            await self._sleep(min(_LONGEST_FAULT_S, _FIRST_FAULT_S * 2.0 ** min(self._faults, 16)))
            self._faults += 1
        return True

    async def _wait_for_turn(self, plan: RunPlan) -> Turn | None:
        """Wait until it is time to connect; None where something changed meanwhile."""
        while plan.connect_at is not None:
            wait_s = (plan.connect_at - self._clock()).total_seconds()
            if wait_s <= 0:
                break
            # Looked at again and again: the clock that says when may be set meanwhile.
            if await self._sleep(min(wait_s, _LOOK_AT_CLOCK_S)):
                return None
        return await self._pace.take()

    async def _sleep(self, seconds: float) -> bool:
        """True where it was woken before."""
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return False
        return True

    async def _connect(self, plan: RunPlan, turn: Turn) -> None:
        loop = asyncio.get_running_loop()
        stream = self._bridge.open(self._opening(plan))
        pump = EventPump(
            stream,
            self.lease,
            self._runtime,
            self._inbox,
            self._receipts,
            self._groups,
            self._settings,
            turn.over,
        )
        self._stream, self._pump = stream, pump
        try:
            closed = await pump.run()
            connected_for_s = loop.time() - pump.opened_at if pump.opened_at is not None else 0.0
            if not (self._stopping and closed.intentional and closed.code == 0):
                await self._record_closed(closed, connected_for_s)
        finally:
            await stream.drop()
            async with self._closed:
                self._stream = self._pump = None
                self._closed.notify_all()

    async def _record_closed(self, closed: Closed, connected_for_s: float) -> None:
        metrics.CLOSED.labels(closed.reason).inc()
        after = await self._runtime.record_closed(
            self.scope, self.lease.session_id, self.lease.fence, closed, connected_for_s
        )
        self._log.info(
            "The connection closed: {} ({}) {}",
            closed.reason,
            closed.code,
            _what_follows(after.reconnect_in_s),
        )

    def _opening(self, plan: RunPlan) -> Opening:
        return Opening(
            session_id=self.lease.session_id,
            company_id=self.lease.company_id,
            fence=self.lease.fence,
            holder=self.lease.owner,
            credentials_json=plan.credentials_json,
            whatsapp_url=self._settings.whatsapp_url,
            browser_name=self._settings.browser_name,
            connect_timeout_ms=self._settings.connect_timeout_ms,
            ack_timeout_ms=self._settings.ack_timeout_ms,
            keep_alive_ms=self._settings.keep_alive_ms,
            silence_timeout_ms=self._settings.silence_timeout_ms,
            qr_lifetime_ms=self._settings.qr_lifetime_ms,
            qr_codes=self._settings.qr_codes,
            history=plan.history,
        )

    async def _end(self, stream: SessionStream, pump: EventPump) -> None:
        """Let what is on its way arrive, then end the stream; a bridge that does not end it is dropped."""
        try:
            async with asyncio.timeout(_QUIET_S):
                await stream.quiet()
                await pump.idle()
        except TimeoutError:
            self._log.debug("The session is ended while messages are on their way.")
        try:
            async with asyncio.timeout(_END_S):
                await stream.end()
                await self.wait_closed(stream)
        except TimeoutError:
            self._log.warning("The bridge did not end the stream; it is dropped.")
            await stream.drop()

    async def _leave(self) -> None:
        try:
            await self._runtime.record_left(self.scope, self.lease.session_id, self.lease.fence)
        except PonteError:
            # Another gateway holds it by now, or it was deleted.
            return
        except Exception:
            self._log.exception("Leaving the session could not be recorded.")
        try:
            await self._runtime.release(self.lease.owner, self.lease.session_id, self.lease.fence)
        except Exception:
            self._log.exception("The lease could not be given back; the keeper does so later.")


def _what_follows(reconnect_in_s: float | None) -> str:
    return "stays down" if reconnect_in_s is None else f"connects again in {reconnect_in_s:.1f} s"
