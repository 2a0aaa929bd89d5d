"""Keeps a session's outbox bounded without counting it for every message."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.domain import errors
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError
from orchestrator.store import outbox
from orchestrator.store.database import Transaction

_COUNTED_FOR = timedelta(seconds=60)
_FULL_FOR = timedelta(seconds=1)
_MOST_SESSIONS = 10_000


@dataclass(slots=True)
class _Estimate:
    most: int
    until: datetime


class WaitingCount:
    """An upper bound of how many messages wait: the last count and all that came since. Sent ones lower it only when
    it is counted again, which is done each minute, and at most each second while it says full."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._estimates: dict[str, _Estimate] = {}

    async def check(
        self, tx: Transaction, scope: CompanyScope, session_id: str, now: datetime, count: int = 1
    ) -> None:
        """Count so many more messages in. Raises PonteError(QUEUE_FULL) where there would be too many."""
        estimate = self._estimates.get(session_id)
        if estimate is None or now >= estimate.until:
            estimate = await self._count(tx, scope, session_id, now)
        if estimate.most + count > self._limit:
            estimate.until = min(estimate.until, now + _FULL_FOR)
            raise PonteError(errors.QUEUE_FULL, retry_after_s=_FULL_FOR.total_seconds())
        estimate.most += count

    async def _count(self, tx: Transaction, scope: CompanyScope, session_id: str, now: datetime) -> _Estimate:
        if len(self._estimates) >= _MOST_SESSIONS:
            self._estimates.clear()
        waiting = await outbox.count_waiting(tx, scope, session_id, self._limit)
        estimate = self._estimates[session_id] = _Estimate(waiting, now + _COUNTED_FOR)
        return estimate
