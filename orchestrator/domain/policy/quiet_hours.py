"""Campaigns reach people by day: 09:00 to 19:00 in the recipient's own time, not on Sunday."""

from datetime import UTC, datetime, timedelta, tzinfo

from orchestrator.domain.message import Lane
from orchestrator.domain.policy.decisions import Reason, ReasonCode
from orchestrator.domain.policy.settings import QuietHourSettings
from orchestrator.domain.policy.snapshot import Candidate, Snapshot

_MOST_STEPS = 64
"""Zones that share an hour do so within a week; each step ends one zone's night."""


def objection(snapshot: Snapshot, candidate: Candidate, now: datetime) -> Reason | None:
    """It is a quiet hour in one of the zones that the recipient may live in."""
    if candidate.lane is not Lane.CAMPAIGN:
        return None
    zones = candidate.time_zones
    if not zones:
        if snapshot.company_time_zone is None:
            return Reason(ReasonCode.TIME_ZONE_UNKNOWN, "the recipient's time zone is not known")
        zones = (snapshot.company_time_zone,)
    settings = snapshot.settings.quiet_hours
    if all(is_open(now, zone, settings) for zone in zones):
        return None
    opening = next_opening(now, zones, settings)
    if opening is None:
        return Reason(ReasonCode.TIME_ZONE_UNKNOWN, "the recipient's possible time zones share no open hour")
    return Reason(ReasonCode.QUIET_HOURS, "quiet hours of the recipient", opening)


def is_open(now: datetime, zone: tzinfo, settings: QuietHourSettings) -> bool:
    """Whether campaigns may reach this zone now."""
    local = now.astimezone(zone)
    return local.weekday() in settings.weekdays and settings.opens <= local.time() < settings.closes


def next_opening(now: datetime, zones: tuple[tzinfo, ...], settings: QuietHourSettings) -> datetime | None:
    """The first moment from now on at which all zones are open, UTC; None where they share none."""
    at = now.astimezone(UTC)
    for _ in range(_MOST_STEPS):
        closed = [zone for zone in zones if not is_open(at, zone, settings)]
        if not closed:
            return at
        at = _opening_of(at, closed[0], settings)
    return None


def _opening_of(at: datetime, zone: tzinfo, settings: QuietHourSettings) -> datetime:
    local = at.astimezone(zone)
    day = local.date() if local.time() < settings.opens else local.date() + timedelta(days=1)
    while day.weekday() not in settings.weekdays:
        day += timedelta(days=1)
    return datetime.combine(day, settings.opens, tzinfo=zone).astimezone(UTC)
