"""Quiet hours in the recipient's own time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest

from orchestrator.domain.policy.decisions import Reason, ReasonCode
from orchestrator.domain.policy.quiet_hours import is_open, next_opening, objection
from orchestrator.domain.policy.settings import DEFAULTS
from tests.support.policy_snapshots import campaign, notification, session

FIGURES = DEFAULTS.quiet_hours
SAO_PAULO = ZoneInfo("America/Sao_Paulo")
NEW_YORK = ZoneInfo("America/New_York")
LOS_ANGELES = ZoneInfo("America/Los_Angeles")


def local(day: int, hour: int, minute: int = 0, zone: tzinfo = SAO_PAULO) -> datetime:
    """January 2026 began on a Thursday."""
    return datetime(2026, 1, day, hour, minute, tzinfo=zone)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (local(5, 8, 59), False),
        (local(5, 9), True),
        (local(5, 18, 59), True),
        (local(5, 19), False),
        (local(3, 12), True),
        (local(4, 12), False),
    ],
)
def test_open_from_nine_to_seven_but_not_on_sunday(at: datetime, expected: bool) -> None:
    assert is_open(at.astimezone(UTC), SAO_PAULO, FIGURES) is expected


@pytest.mark.parametrize(
    ("now", "opening"),
    [
        (local(5, 3), local(5, 9)),
        (local(5, 19), local(6, 9)),
        (local(5, 23, 59), local(6, 9)),
        (local(3, 19), local(5, 9)),
        (local(4, 12), local(5, 9)),
        (local(4, 3), local(5, 9)),
        (local(5, 12), local(5, 12)),
    ],
)
def test_the_next_opening(now: datetime, opening: datetime) -> None:
    found = next_opening(now, (SAO_PAULO,), FIGURES)
    assert found == opening
    assert found.tzinfo is UTC


def test_the_opening_is_nine_in_winter_and_summer_time() -> None:
    """New York's clocks go forward in the night to Sunday, 8 March 2026."""
    saturday_night = datetime(2026, 3, 7, 20, tzinfo=NEW_YORK)
    opening = next_opening(saturday_night, (NEW_YORK,), FIGURES)
    assert opening == datetime(2026, 3, 9, 13, tzinfo=UTC)


def test_several_zones_have_to_be_open_at_once() -> None:
    nine_in_new_york = local(5, 9, zone=NEW_YORK)
    both = (NEW_YORK, LOS_ANGELES)
    assert next_opening(nine_in_new_york, both, FIGURES) == local(5, 9, zone=LOS_ANGELES)
    assert next_opening(local(5, 17, zone=LOS_ANGELES), both, FIGURES) == local(6, 9, zone=LOS_ANGELES)


def test_zones_that_share_no_open_hour_have_no_opening() -> None:
    apart = (timezone(timedelta(hours=-6)), timezone(timedelta(hours=5)))
    assert next_opening(local(5, 9), apart, FIGURES) is None
    reason = objection(session(), campaign(time_zones=apart), local(5, 9))
    assert reason == Reason(
        ReasonCode.TIME_ZONE_UNKNOWN, "the recipient's possible time zones share no open hour"
    )


def test_zones_that_share_a_moment_have_an_opening() -> None:
    nearly = (timezone(timedelta(hours=-6)), timezone(timedelta(hours=3, minutes=59)))
    opening = next_opening(local(5, 0), nearly, FIGURES)
    assert opening == local(5, 9, zone=nearly[0])


def test_a_campaign_message_waits_for_the_recipients_morning() -> None:
    reason = objection(session(), campaign(time_zones=(SAO_PAULO,)), local(5, 8))
    assert reason == Reason(ReasonCode.QUIET_HOURS, "quiet hours of the recipient", local(5, 9))
    assert objection(session(), campaign(time_zones=(SAO_PAULO,)), local(5, 9)) is None
    both = campaign(time_zones=(SAO_PAULO, LOS_ANGELES))
    assert objection(session(), both, local(5, 9)) is not None


def test_the_companys_zone_stands_in_for_an_unknown_one() -> None:
    nowhere = campaign(time_zones=())
    company = session(company_time_zone=SAO_PAULO)

    assert objection(company, nowhere, local(5, 9)) is None
    assert objection(company, nowhere, local(5, 8)) is not None
    assert objection(session(), nowhere, local(5, 9)) == Reason(
        ReasonCode.TIME_ZONE_UNKNOWN, "the recipient's time zone is not known"
    )


def test_the_recipients_zone_goes_before_the_companys() -> None:
    company = session(company_time_zone=SAO_PAULO)
    assert objection(company, campaign(time_zones=(LOS_ANGELES,)), local(5, 9)) is not None


def test_other_messages_have_no_quiet_hours() -> None:
    assert objection(session(), notification(time_zones=(SAO_PAULO,)), local(4, 3)) is None


def test_quiet_hours_can_be_longer() -> None:
    weekdays = replace(FIGURES, weekdays=frozenset({2}))
    assert next_opening(local(5, 12), (SAO_PAULO,), weekdays) == local(7, 9)
