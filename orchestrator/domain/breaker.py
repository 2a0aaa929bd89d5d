"""A circuit breaker per session: after repeated failures it stops sending for a while, then lets one message probe."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from orchestrator.domain import errors
from orchestrator.domain.close_codes import BreakerEffect
from orchestrator.domain.close_history import Times, note
from orchestrator.domain.retry import RetryAt, Sent, Verdict

FAILURES_TO_OPEN = 5
"""Failures in a row that open the breaker."""

FIRST_PAUSE_S = 30.0
LONGEST_PAUSE_S = 1800.0

STALE_DEVICES_WINDOW_S = 3600.0
STALE_DEVICES_TO_PROBE = 3
"""So many stale device sessions (ack 479) within the window make it half-open (sending policy)."""


class BreakerState(StrEnum):
    """CLOSED lets all through, OPEN nothing, HALF_OPEN one probe."""

    CLOSED = "CLOSED"
    OPEN = "OPEN"
    HALF_OPEN = "HALF_OPEN"


@dataclass(frozen=True, slots=True)
class Breaker:
    """A breaker's memory. `pauses` counts openings in a row; `until` is when an open breaker lets a probe through, and
    one that is open without it waits for a person. `stale_devices` is when WhatsApp named sessions stale."""

    state: BreakerState = BreakerState.CLOSED
    failures: int = 0
    pauses: int = 0
    until: datetime | None = None
    stale_devices: Times = ()

    @property
    def waits_for_person(self) -> bool:
        """True when only a person makes it send again."""
        return self.state is BreakerState.OPEN and self.until is None


def allowance(breaker: Breaker, now: datetime, most: int) -> tuple[Breaker, int]:
    """Say how many messages may be sent now (at most `most`), and the breaker after asking."""
    if breaker.state is BreakerState.CLOSED:
        return breaker, most
    if breaker.waits_for_person or (breaker.until is not None and now < breaker.until):
        return breaker, 0
    return replace(breaker, state=BreakerState.HALF_OPEN), min(1, most)


def record_success(breaker: Breaker, now: datetime) -> Breaker:
    """A message was acknowledged: the breaker closes and forgets its failures.

    One that was under way before it opened changes nothing.
    """
    if _is_pausing(breaker, now) or breaker == Breaker(stale_devices=breaker.stale_devices):
        return breaker
    return Breaker(stale_devices=breaker.stale_devices)


def record_failure(breaker: Breaker, now: datetime) -> Breaker:
    """A failure that blames the session: a failed probe, or one too many in a row, opens the breaker.

    One that ends while it is open was under way before and changes nothing.
    """
    if _is_pausing(breaker, now):
        return breaker
    failures = breaker.failures + 1
    if breaker.state is BreakerState.CLOSED and failures < FAILURES_TO_OPEN:
        return replace(breaker, failures=failures)
    pause = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(breaker.pauses, 16))
    return replace(
        breaker,
        state=BreakerState.OPEN,
        failures=failures,
        pauses=breaker.pauses + 1,
        until=now + timedelta(seconds=pause),
    )


def record_rate_limit(breaker: Breaker, until: datetime) -> Breaker:
    """WhatsApp limits the rate: nothing is sent until then, after that one message probes."""
    if breaker.waits_for_person or (breaker.until is not None and breaker.until >= until):
        return breaker
    return replace(breaker, state=BreakerState.OPEN, until=until)


def record_stale_device(breaker: Breaker, now: datetime) -> Breaker:
    """WhatsApp named a device session stale; too many within an hour make the breaker half-open."""
    times = note(breaker.stale_devices, now, STALE_DEVICES_WINDOW_S, STALE_DEVICES_TO_PROBE)
    noted = replace(breaker, stale_devices=times)
    return demand_probe(noted) if len(times) >= STALE_DEVICES_TO_PROBE else noted


def after_verdicts(breaker: Breaker, verdicts: Sequence[Verdict], now: datetime) -> Breaker:
    """What results that came together leave of the breaker.

    One success closes it. Their failures have one cause, a cut for instance, and count once.
    """
    if any(isinstance(verdict, Sent) for verdict in verdicts):
        breaker = record_success(breaker, now)
    elif any(not isinstance(verdict, Sent) and verdict.blames_session for verdict in verdicts):
        breaker = record_failure(breaker, now)
    for verdict in verdicts:
        if isinstance(verdict, Sent):
            continue
        if verdict.code is errors.STALE_DEVICE_SESSION:
            breaker = record_stale_device(breaker, now)
        if isinstance(verdict, RetryAt) and verdict.code is errors.WHATSAPP_RATE_LIMITED:
            breaker = record_rate_limit(breaker, verdict.at)
    return breaker


def demand_probe(breaker: Breaker) -> Breaker:
    """Let one message probe before others follow; an open breaker stays open."""
    return replace(breaker, state=BreakerState.HALF_OPEN) if breaker.state is BreakerState.CLOSED else breaker


def after_closing(breaker: Breaker, effect: BreakerEffect) -> Breaker:
    """What a closed connection leaves of the breaker."""
    if effect is BreakerEffect.OPEN:
        return replace(breaker, state=BreakerState.OPEN, until=None)
    return demand_probe(breaker) if effect is BreakerEffect.HALF_OPEN else breaker


def resume(breaker: Breaker) -> Breaker:
    """A person has started the session: what waited for that probes first."""
    return replace(breaker, state=BreakerState.HALF_OPEN) if breaker.waits_for_person else breaker


def _is_pausing(breaker: Breaker, now: datetime) -> bool:
    return breaker.waits_for_person or (
        breaker.state is BreakerState.OPEN and breaker.until is not None and now < breaker.until
    )
