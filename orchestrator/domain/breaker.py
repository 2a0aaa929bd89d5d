"""A circuit breaker per session: after repeated failures it stops sending for a while, then lets one message probe."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

FAILURES_TO_OPEN = 5
"""Failures in a row that open the breaker."""

FIRST_PAUSE_S = 30.0
LONGEST_PAUSE_S = 1800.0


class BreakerState(StrEnum):
    """CLOSED lets all through, OPEN nothing, HALF_OPEN one probe."""

    CLOSED = "CLOSED"
    OPEN = "OPEN"
    HALF_OPEN = "HALF_OPEN"


@dataclass(frozen=True, slots=True)
class Breaker:
    """A breaker's memory. `pauses` counts openings in a row; `until` is when an open breaker lets a probe through."""

    state: BreakerState = BreakerState.CLOSED
    failures: int = 0
    pauses: int = 0
    until: datetime | None = None


def allowance(breaker: Breaker, now: datetime, most: int) -> tuple[Breaker, int]:
    """Say how many messages may be sent now (at most `most`), and the breaker after asking."""
    if breaker.state is BreakerState.CLOSED:
        return breaker, most
    if breaker.until is not None and now < breaker.until:
        return breaker, 0
    return replace(breaker, state=BreakerState.HALF_OPEN), min(1, most)


def record_success(breaker: Breaker) -> Breaker:
    """A message was acknowledged: the breaker closes and forgets."""
    return Breaker() if breaker != Breaker() else breaker


def record_failure(breaker: Breaker, now: datetime) -> Breaker:
    """A failure that blames the session: a failed probe, or one too many in a row, opens the breaker.

    One that ends while it is open was under way before and changes nothing.
    """
    if breaker.state is BreakerState.OPEN and breaker.until is not None and now < breaker.until:
        return breaker
    failures = breaker.failures + 1
    if breaker.state is BreakerState.CLOSED and failures < FAILURES_TO_OPEN:
        return replace(breaker, failures=failures)
    pause = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(breaker.pauses, 16))
    return Breaker(BreakerState.OPEN, failures, breaker.pauses + 1, now + timedelta(seconds=pause))
