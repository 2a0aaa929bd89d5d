"""Sends what is due: one run a session in all processes, at once when rung and again when something falls due."""

import asyncio
from itertools import count

from loguru import logger

from orchestrator.domain.company import CompanyScope
from orchestrator.services.contacts import ContactBook
from orchestrator.services.context import Context
from orchestrator.services.dispatch_run import DispatchRun, Nudge, RunEnd
from orchestrator.services.ports import GatewayPort
from orchestrator.services.recipient_spelling import RecipientSpelling

MOST_RUNS = 500
"""Sessions that one process sends for at the same time; more wait in the queue, for this process or another."""

_UNREACHABLE_PAUSE_S = 0.5
_LONGEST_TIMER_S = 600.0


class DispatchService:
    """The dispatch of one process; `owner` is a name that no other process has."""

    def __init__(self, context: Context, gateway: GatewayPort, owner: str) -> None:
        self._context = context
        self._gateway = gateway
        self._owner = owner
        self._book = ContactBook(context)
        self._spelling = RecipientSpelling(context, gateway, self._book)
        self._run_numbers = count(1)
        self._free_runs = asyncio.Semaphore(MOST_RUNS)
        self._nudges: dict[str, Nudge] = {}
        self._runs: set[DispatchRun] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._stopped = False

    def nudge(self, session_id: str) -> bool:
        """Tell the run of this session that there is more to send; False where this process has none."""
        nudge = self._nudges.get(session_id)
        if nudge is None:
            return False
        nudge.ring()
        return True

    def take(self, scope: CompanyScope, session_id: str) -> bool:
        """Begin to send what is due of a session, or tell the run that is on; False where too many run here."""
        if self.nudge(session_id):
            return True
        if self._stopped or self._free_runs.locked():
            return False
        self._begin(scope, session_id, "ring")
        return True

    async def start(self, scope: CompanyScope, session_id: str) -> None:
        """Begin to send what is due of a session, or tell the run that is on; waits only while too many run."""
        if not self._may_run(session_id):
            return
        await self._free_runs.acquire()
        if not self._may_run(session_id):
            self._free_runs.release()
            return
        self._nudges[session_id] = Nudge()
        task = asyncio.create_task(self._run_started(scope, session_id), name=f"dispatch {session_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def run(self, scope: CompanyScope, session_id: str) -> None:
        """Send what is due of a session; returns when nothing is, or when another run has the session."""
        if not self._may_run(session_id):
            return
        self._nudges[session_id] = Nudge()
        await self._run_registered(scope, session_id)

    async def stop(self, grace_s: float = 5.0) -> None:
        """Claim no more, wait for what is under way, then leave the rest to others."""
        self._stopped = True
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        for run in self._runs:
            run.stop()
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=grace_s)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)

    def _may_run(self, session_id: str) -> bool:
        """Tell whether a new run is to be; one that is on is told to look again instead."""
        return not self._stopped and not self.nudge(session_id)

    async def _run_started(self, scope: CompanyScope, session_id: str) -> None:
        try:
            await self._run_registered(scope, session_id)
        except Exception as error:
            logger.opt(exception=error).error("Sending for session {} ended with an error.", session_id)
        finally:
            self._free_runs.release()

    async def _run_registered(self, scope: CompanyScope, session_id: str) -> None:
        nudge = self._nudges[session_id]
        try:
            end = await self._execute(scope, session_id, nudge)
            # Between this look and the removal below nothing else runs, so that no nudge is lost.
            while nudge.rung and not end.unreachable and not self._stopped:
                end = await self._execute(scope, session_id, nudge)
        finally:
            del self._nudges[session_id]
        self._set_timer(scope, session_id, end)

    async def _execute(self, scope: CompanyScope, session_id: str, nudge: Nudge) -> RunEnd:
        owner = f"{self._owner}#{next(self._run_numbers)}"
        run = DispatchRun(
            self._context, self._gateway, self._book, self._spelling, scope, session_id, owner, nudge
        )
        self._runs.add(run)
        try:
            return await run.execute()
        finally:
            self._runs.discard(run)

    def _set_timer(self, scope: CompanyScope, session_id: str, end: RunEnd) -> None:
        """Look again by itself when the next message falls due; what is further off, maintenance finds."""
        earlier = self._timers.pop(session_id, None)
        if earlier:
            earlier.cancel()
        if self._stopped:
            return
        if end.unreachable:
            delay = _UNREACHABLE_PAUSE_S
        elif end.next_due is not None:
            delay = self._context.tempo.machine_s(end.next_due - self._context.clock())
        else:
            return
        if delay <= _LONGEST_TIMER_S:
            loop = asyncio.get_running_loop()
            self._timers[session_id] = loop.call_later(delay, self._on_timer, scope, session_id)

    def _on_timer(self, scope: CompanyScope, session_id: str) -> None:
        self._timers.pop(session_id, None)
        self._begin(scope, session_id, "timer")

    def _begin(self, scope: CompanyScope, session_id: str, why: str) -> None:
        task = asyncio.create_task(self.start(scope, session_id), name=f"dispatch {why} {session_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
