"""The caps of a session: so many messages in any minute, hour and day. Windows slide, so no burst at an
edge exceeds them."""

from datetime import datetime, timedelta

from orchestrator.domain.policy.decisions import Reason, ReasonCode
from orchestrator.domain.policy.rate import ramp_share, rate_share, scaled
from orchestrator.domain.policy.send_windows import SentTimes
from orchestrator.domain.policy.snapshot import Candidate, Snapshot
from orchestrator.domain.policy.warm_up import day_at

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def hour_cap(snapshot: Snapshot, now: datetime) -> int:
    """Messages outside conversations in any hour, on this day of the warm-up and at the present rate."""
    settings = snapshot.settings
    day = day_at(snapshot.warm_up, now, settings.warm_up)
    return scaled(settings.limits.per_hour.on_day(day), rate_share(snapshot, now))


def conversation_minute(snapshot: Snapshot, candidate: Candidate, now: datetime) -> Reason | None:
    """The cap of a minute inside conversations."""
    cap = snapshot.settings.limits.conversation_per_minute
    return window_objection(
        snapshot.windows.conversations, cap, MINUTE, now, ReasonCode.MINUTE_CAP, "conversation minute cap"
    )


def other_minute(snapshot: Snapshot, candidate: Candidate, now: datetime) -> Reason | None:
    """The cap of a minute outside conversations."""
    share = rate_share(snapshot, now) * ramp_share(snapshot, now)
    cap = scaled(snapshot.settings.limits.other_per_minute, share)
    return window_objection(snapshot.windows.others, cap, MINUTE, now, ReasonCode.MINUTE_CAP, "minute cap")


def other_hour(snapshot: Snapshot, candidate: Candidate, now: datetime) -> Reason | None:
    """The cap of an hour outside conversations."""
    cap = hour_cap(snapshot, now)
    return window_objection(snapshot.windows.others, cap, HOUR, now, ReasonCode.HOUR_CAP, "hour cap")


def other_day(snapshot: Snapshot, candidate: Candidate, now: datetime) -> Reason | None:
    """The cap of a day outside conversations; reactions do not scale it."""
    settings = snapshot.settings
    cap = settings.limits.per_day.on_day(day_at(snapshot.warm_up, now, settings.warm_up))
    return window_objection(snapshot.windows.others, cap, DAY, now, ReasonCode.DAY_CAP, "day cap")


def window_objection(
    times: SentTimes, cap: int, length: timedelta, now: datetime, code: ReasonCode, what: str
) -> Reason | None:
    """An objection where one more within `length` would exceed `cap`. A cap of zero has no end."""
    if cap <= 0:
        return Reason(code, what, used=times.used(length, now), most=cap)
    free_at = times.full_until(cap, length, now)
    if free_at is None:
        return None
    return Reason(code, what, free_at, times.used(length, now), cap)
