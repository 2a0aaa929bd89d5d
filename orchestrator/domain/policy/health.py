"""The health of a session: one risk figure from 0 to 100 that halves every 24 h, its level, and what moved
it."""

import math
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from orchestrator.domain.policy.settings import HealthSettings


class HealthLevel(StrEnum):
    """HEALTHY sends freely within the caps, CAUTION at half the rate, THROTTLED replies only, STOPPED
    nothing."""

    HEALTHY = "HEALTHY"
    CAUTION = "CAUTION"
    THROTTLED = "THROTTLED"
    STOPPED = "STOPPED"


class HealthCause(StrEnum):
    """What moves the figure."""

    LOGGED_OUT = "LOGGED_OUT"
    FORBIDDEN = "FORBIDDEN"
    REACH_OUT_REFUSED = "REACH_OUT_REFUSED"
    DISCONNECTS = "DISCONNECTS"
    FAILURES = "FAILURES"
    RESUMED = "RESUMED"


@dataclass(frozen=True, slots=True)
class HealthEvent:
    """Something that moved the figure by `points`, and the figure after it."""

    at: datetime
    cause: HealthCause
    points: float
    figure: float


@dataclass(frozen=True, slots=True)
class Health:
    """The figure as it was at `at`, and the newest events, oldest first. The two tuples are times of the
    last hour."""

    figure: float = 0.0
    at: datetime | None = None
    events: tuple[HealthEvent, ...] = ()
    disconnects: tuple[datetime, ...] = ()
    failures: tuple[datetime, ...] = ()


def figure_at(health: Health, now: datetime, settings: HealthSettings) -> float:
    """The risk figure now, 0 to 100. A clock that went back does not raise it."""
    if health.at is None or health.figure <= 0.0:
        return 0.0
    elapsed = max(0.0, (now - health.at).total_seconds())
    return health.figure * math.exp2(-elapsed / settings.half_life_s)


def level_of(figure: float, settings: HealthSettings) -> HealthLevel:
    """The level that a figure means."""
    if figure >= settings.stopped_from:
        return HealthLevel.STOPPED
    if figure >= settings.throttled_from:
        return HealthLevel.THROTTLED
    return HealthLevel.CAUTION if figure >= settings.caution_from else HealthLevel.HEALTHY
