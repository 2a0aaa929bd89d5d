"""Foretelling a campaign."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest

from orchestrator.domain.campaign import forecast as module
from orchestrator.domain.campaign.forecast import Forecast, Group, Share, forecast
from orchestrator.domain.policy.decisions import ReasonCode
from orchestrator.domain.policy.health import Health
from orchestrator.domain.policy.settings import DEFAULTS, lifted
from orchestrator.domain.policy.snapshot import Snapshot
from orchestrator.domain.policy.warm_up import WarmUp, begin

MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)
RECIFE, LISBON = ZoneInfo("America/Recife"), ZoneInfo("Europe/Lisbon")
KNOWN = Group((RECIFE,), is_new_chat=False, known_chat=True)
NEW = Group((RECIFE,), is_new_chat=True, known_chat=False)
FAR = Group((LISBON,), is_new_chat=False, known_chat=True)


def mature() -> Snapshot:
    return Snapshot(WarmUp(30, MONDAY - timedelta(hours=2), MONDAY - timedelta(hours=1)))


def fresh() -> Snapshot:
    return Snapshot(begin(MONDAY - timedelta(hours=1)))


def told(snapshot: Snapshot, groups: Mapping[Group, int], end: datetime | None = None) -> Forecast:
    size = sum(groups.values())
    return forecast([Share("session", snapshot, groups)], size, MONDAY, end, Random(1))


def per_day(found: Forecast) -> list[int]:
    days: Counter[object] = Counter()
    for hour, count in found.curve.items():
        days[hour.astimezone(RECIFE).date()] += count
    return list(days.values())


def test_a_mature_number_goes_at_its_hours_cap() -> None:
    found = told(mature(), {KNOWN: 300})

    assert found.starts_at == MONDAY
    assert sum(found.curve.values()) == found.simulated == 300
    assert max(found.curve.values()) <= 60
    assert found.ends_at is not None
    assert timedelta(hours=4.5) < found.ends_at - MONDAY < timedelta(hours=5.5)


def test_a_fresh_number_grows_day_by_day_and_rests_on_sunday() -> None:
    found = told(fresh(), {KNOWN: 400})

    assert per_day(found)[:6] == pytest.approx([20, 25, 35, 50, 65, 85], abs=6)
    assert all(hour.astimezone(RECIFE).weekday() != 6 for hour in found.curve)
    assert all(9 <= hour.astimezone(RECIFE).hour < 19 for hour in found.curve)
    assert {cap.code for cap in found.caps} >= {ReasonCode.DAY_CAP}


def test_new_chats_are_begun_a_few_a_day() -> None:
    found = told(mature(), {NEW: 45})

    assert max(per_day(found)) == 15
    assert found.caps[0].code is ReasonCode.NEW_CHAT_CAP
    assert found.caps[0].first_at >= MONDAY
    assert found.caps[0].seconds > 0


def test_each_recipient_is_reached_by_day_in_their_own_zone() -> None:
    night = MONDAY.replace(hour=3)
    found = forecast([Share("session", mature(), {FAR: 20, KNOWN: 20})], 40, night, None, Random(1))

    assert found.starts_at == night.replace(hour=9)  # 09:00 in Lisbon
    assert found.simulated == 40


@pytest.mark.parametrize("groups", [{KNOWN: 10_000}, {KNOWN: 6_000, NEW: 600}])
def test_skipping_weeks_that_repeat_themselves_changes_the_end_by_less_than_two_percent(
    groups: Mapping[Group, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = told(mature(), groups)
    monkeypatch.setattr(module, "WEEK", timedelta(days=100_000))
    whole = told(mature(), groups)

    assert quick.simulated < whole.simulated == sum(groups.values())
    assert quick.ends_at is not None
    assert whole.ends_at is not None
    assert (quick.ends_at - MONDAY) / (whole.ends_at - MONDAY) == pytest.approx(1.0, abs=0.02)


def test_a_million_recipients_are_planned_as_quickly_as_ten_thousand() -> None:
    found = told(mature(), {KNOWN: 1_000_000})

    assert found.simulated < 20_000
    assert len(found.curve) < 2_000
    assert (found.unreachable, found.late) == (0, 0)


def test_what_does_not_fit_before_the_end_is_late() -> None:
    found = told(mature(), {KNOWN: 100_000}, end=MONDAY + timedelta(days=28))

    assert found.late > 80_000
    assert found.ends_at is not None
    assert found.ends_at <= MONDAY + timedelta(days=28)


def test_several_numbers_share_the_work() -> None:
    one = told(mature(), {KNOWN: 300})
    shares = [Share(f"session {slot}", mature(), {KNOWN: 100}) for slot in range(3)]
    three = forecast(shares, 300, MONDAY, None, Random(1))

    assert three.simulated == 300
    assert one.ends_at is not None
    assert three.ends_at is not None
    assert three.ends_at < one.ends_at


def test_who_cannot_be_reached_is_counted() -> None:
    nowhere = Group((), is_new_chat=False, known_chat=True)
    found = told(mature(), {nowhere: 7})

    assert (found.unreachable, found.simulated) == (7, 0)
    assert (found.starts_at, found.ends_at, found.curve) == (None, None, {})


def test_ill_health_slows_it_down_until_it_has_passed() -> None:
    ill = replace(mature(), health=Health(20.0, MONDAY))

    assert max(told(ill, {KNOWN: 200}).curve.values()) <= 60
    healthy_end, ill_end = told(mature(), {KNOWN: 200}).ends_at, told(ill, {KNOWN: 200}).ends_at
    assert healthy_end is not None
    assert ill_end is not None
    assert ill_end > healthy_end


def test_lifted_limits_leave_the_pace_alone() -> None:
    found = told(replace(mature(), settings=lifted(DEFAULTS)), {KNOWN: 300})

    assert found.caps == []
    assert found.ends_at is not None
    assert found.ends_at - MONDAY < timedelta(minutes=35)


def test_nobody_needs_nothing() -> None:
    assert told(mature(), {KNOWN: 0}).simulated == 0
