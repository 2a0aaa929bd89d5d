"""A breaker per webhook endpoint: one that keeps failing is left alone for a while, then tried with one delivery."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from orchestrator.domain.webhook import DeliveryAnswer

FAILURES_TO_PAUSE = 5
"""Failures in a row, over all deliveries, after which the endpoint is paused."""

FIRST_PAUSE_S = 6.0
"""A little more than the first retry's wait, so that what failed first is due again when the pause ends."""

LONGEST_PAUSE_S = 3600.0

_ASKS_TO_WAIT = (429, 503)


@dataclass(frozen=True, slots=True)
class EndpointHealth:
    """Failures in a row, and until when the endpoint is left alone; with a past `paused_until` it is on probation."""

    failures: int = 0
    paused_until: datetime | None = None


HEALTHY = EndpointHealth()


def most_in_flight(health: EndpointHealth, now: datetime, most: int) -> int:
    """Say how many deliveries may be on their way at once: `most`, one on probation, none while paused."""
    if health.paused_until is None:
        return most
    return 0 if now < health.paused_until else 1


def after_failure(health: EndpointHealth, answer: DeliveryAnswer, now: datetime) -> EndpointHealth:
    """Count a failed attempt. One that ends while the endpoint is paused was under way before and changes nothing."""
    if health.paused_until is not None and now < health.paused_until:
        return health
    failures = health.failures + 1
    if answer.retry_after_s and answer.status_code in _ASKS_TO_WAIT:
        return EndpointHealth(failures, now + timedelta(seconds=min(answer.retry_after_s, LONGEST_PAUSE_S)))
    if failures < FAILURES_TO_PAUSE and health.paused_until is None:
        return replace(health, failures=failures)
    doublings = min(max(0, failures - FAILURES_TO_PAUSE), 16)
    return EndpointHealth(
        failures, now + timedelta(seconds=min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0**doublings))
    )


def forgiven(health: EndpointHealth) -> EndpointHealth:
    """End a pause because a person asked for a delivery; the next failure pauses again."""
    return EndpointHealth(min(health.failures, FAILURES_TO_PAUSE - 1))
