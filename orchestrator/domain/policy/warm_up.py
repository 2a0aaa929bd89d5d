"""The warm-up of a newly linked number: days are passed in good health, idleness starts it again."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from orchestrator.domain.policy.settings import WarmUpSettings

MATURE_DAY = 1_000_000
"""The day of a number that an administrator declared mature: beyond the last step of every ladder."""


@dataclass(frozen=True, slots=True)
class WarmUp:
    """`day` is 1 on the first; `day_since` is when it began or began again; `active_at` is the last
    message."""

    day: int
    day_since: datetime
    active_at: datetime
    declared_mature: bool = False


def begin(linked_at: datetime) -> WarmUp:
    """A number that was linked just now."""
    return WarmUp(1, linked_at, linked_at)


def settle(warm_up: WarmUp, now: datetime, settings: WarmUpSettings, well_from: datetime | None) -> WarmUp:
    """Bring the day up to date: idle too long starts again, ill health repeats the day, whole days in good
    health pass. `well_from` is when ill health ends or ended (None: there was none), so that it counts also
    where nobody looked meanwhile."""
    if _is_idle(warm_up, now, settings):
        return replace(warm_up, day=1, day_since=now, active_at=now)
    began = warm_up.day_since if well_from is None else max(warm_up.day_since, min(well_from, now))
    passed = max(0, (now - began) // timedelta(seconds=settings.day_s))
    since = began + passed * timedelta(seconds=settings.day_s)
    if (passed, since) == (0, warm_up.day_since):
        return warm_up
    return replace(warm_up, day=warm_up.day + passed, day_since=since)


def day_at(warm_up: WarmUp, now: datetime, settings: WarmUpSettings) -> int:
    """The day whose caps hold now. Never later than the settled one."""
    if warm_up.declared_mature:
        return MATURE_DAY
    return 1 if _is_idle(warm_up, now, settings) else warm_up.day


def note_activity(warm_up: WarmUp, now: datetime, settings: WarmUpSettings) -> WarmUp:
    """A message was sent."""
    if _is_idle(warm_up, now, settings):
        return replace(warm_up, day=1, day_since=now, active_at=now)
    return replace(warm_up, active_at=now) if now > warm_up.active_at else warm_up


def declare_mature(warm_up: WarmUp) -> WarmUp:
    """An administrator says that the number was in use elsewhere before."""
    return replace(warm_up, declared_mature=True)


def _is_idle(warm_up: WarmUp, now: datetime, settings: WarmUpSettings) -> bool:
    return now - warm_up.active_at >= timedelta(seconds=settings.idle_restart_s)
