"""The health of a session: one risk figure from 0 to 100 that halves every 24 h, its level, and what moved
it."""

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from orchestrator.domain.close_history import note
from orchestrator.domain.policy.settings import HOUR_S, HealthSettings

EVENTS_KEPT = 50


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
    if health.at is None:
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


def well_from(health: Health, settings: HealthSettings) -> datetime | None:
    """When the figure sinks, or sank, below where caution begins; None where it was below it all the time."""
    if health.at is None or level_of(health.figure, settings) is HealthLevel.HEALTHY:
        return None
    half_lives = math.log2(health.figure / settings.caution_from)
    return health.at + timedelta(seconds=settings.half_life_s * half_lives)


def worsened(
    health: Health, cause: HealthCause, points: float, now: datetime, settings: HealthSettings
) -> Health:
    """The figure with points added, 100 at most, and the event kept."""
    return _moved(health, cause, points, min(100.0, figure_at(health, now, settings) + points), now)


def after_disconnect(health: Health, now: datetime, settings: HealthSettings) -> Health:
    """The connection was lost; every third time within an hour costs points."""
    times = note(health.disconnects, now, HOUR_S, settings.disconnects_in_an_hour)
    if len(times) < settings.disconnects_in_an_hour:
        return replace(health, disconnects=times)
    cleared = replace(health, disconnects=())
    return worsened(cleared, HealthCause.DISCONNECTS, settings.disconnects, now, settings)


def after_failure(health: Health, now: datetime, settings: HealthSettings) -> Health:
    """A message failed for good; every fifth within an hour costs points."""
    times = note(health.failures, now, HOUR_S, settings.failures_in_an_hour)
    if len(times) < settings.failures_in_an_hour:
        return replace(health, failures=times)
    cleared = replace(health, failures=())
    return worsened(cleared, HealthCause.FAILURES, settings.failures, now, settings)


def after_resume(health: Health, now: datetime, settings: HealthSettings) -> Health:
    """A person resumed a stopped session: it goes on with caution, from just below where replies only are
    allowed."""
    figure = figure_at(health, now, settings)
    if level_of(figure, settings) is not HealthLevel.STOPPED:
        return health
    lowered = settings.throttled_from - 1.0
    return _moved(health, HealthCause.RESUMED, lowered - figure, lowered, now)


def _moved(health: Health, cause: HealthCause, points: float, figure: float, now: datetime) -> Health:
    event = HealthEvent(now, cause, points, figure)
    return replace(health, figure=figure, at=now, events=(*health.events, event)[-EVENTS_KEPT:])
