"""Caps of a minute, an hour and a day."""

from dataclasses import replace

import pytest

from orchestrator.domain.policy.decisions import Reason, ReasonCode
from orchestrator.domain.policy.health import Health
from orchestrator.domain.policy.limits import (
    DAY,
    HOUR,
    MINUTE,
    conversation_minute,
    hour_cap,
    other_day,
    other_hour,
    other_minute,
    window_objection,
)
from orchestrator.domain.policy.send_windows import SendWindows, SentTimes
from orchestrator.domain.policy.settings import DAY_S, DEFAULTS, HOUR_S
from tests.support.policy_snapshots import NOON, later, notification, on_day, reply, sent, session


def every(seconds: float, times: int) -> list[float]:
    return [-seconds * index for index in range(times)]


def test_windows_are_as_long_as_their_names() -> None:
    assert (MINUTE.total_seconds(), HOUR.total_seconds(), DAY.total_seconds()) == (60, HOUR_S, DAY_S)


def test_forty_a_minute_inside_conversations() -> None:
    full = SendWindows(conversations=SentTimes(later(at) for at in every(1, 40)))

    assert conversation_minute(session(windows=full), reply(), later(1)) == Reason(
        ReasonCode.MINUTE_CAP, "conversation minute cap", later(-39 + 60), 40, 40
    )
    free = SendWindows(conversations=SentTimes(later(at) for at in every(1, 39)))
    assert conversation_minute(session(windows=free), reply(), later(1)) is None


def test_twelve_a_minute_outside() -> None:
    assert other_minute(session(windows=sent(*every(1, 12))), notification(), later(1)) == Reason(
        ReasonCode.MINUTE_CAP, "minute cap", later(-11 + 60), 12, 12
    )
    assert other_minute(session(windows=sent(*every(1, 11))), notification(), later(1)) is None


def test_caution_and_the_ramp_scale_the_minute() -> None:
    ill = session(windows=sent(*every(1, 6)), health=Health(20, NOON))
    assert getattr(other_minute(ill, notification(), NOON), "most", None) == 6

    ramp = session(windows=sent(-1), reconnected_at=NOON)
    assert getattr(other_minute(ramp, notification(), NOON), "most", None) == 1
    both = session(windows=sent(*every(1, 3)), health=Health(20, NOON), reconnected_at=later(-300))
    assert getattr(other_minute(both, notification(), NOON), "most", None) == 3


@pytest.mark.parametrize(("day", "cap"), [(1, 10), (4, 20), (8, 40), (15, 60)])
def test_the_hour_grows_with_the_warm_up(day: int, cap: int) -> None:
    full = session(windows=sent(*every(10, cap)), warm_up=on_day(day))

    assert hour_cap(full, NOON) == cap
    assert other_hour(full, notification(), NOON) == Reason(
        ReasonCode.HOUR_CAP, "hour cap", later(-10 * (cap - 1) + HOUR_S), cap, cap
    )
    free = session(windows=sent(*every(10, cap - 1)), warm_up=on_day(day))
    assert other_hour(free, notification(), NOON) is None


def test_caution_halves_the_hour_but_not_the_day() -> None:
    ill = session(health=Health(20, NOON))
    assert hour_cap(ill, NOON) == 30
    assert other_day(replace(ill, windows=sent(*every(61, 399))), notification(), NOON) is None


def test_the_ramp_leaves_the_hour_alone() -> None:
    assert hour_cap(session(reconnected_at=NOON), NOON) == 60


@pytest.mark.parametrize(("day", "cap"), [(1, 20), (7, 110), (15, 400)])
def test_the_day_grows_with_the_warm_up(day: int, cap: int) -> None:
    full = session(windows=sent(*every(100, cap)), warm_up=on_day(day))
    assert other_day(full, notification(), NOON) == Reason(
        ReasonCode.DAY_CAP, "day cap", later(-100 * (cap - 1) + DAY_S), cap, cap
    )
    free = session(windows=sent(*every(100, cap - 1)), warm_up=on_day(day))
    assert other_day(free, notification(), NOON) is None


def test_an_idle_number_has_the_caps_of_its_first_day() -> None:
    assert hour_cap(session(warm_up=on_day(20)), later(3 * DAY_S)) == DEFAULTS.limits.per_hour.on_day(1)
    idle = session(warm_up=on_day(20), windows=sent(*[3 * DAY_S - 1] * 20))
    assert getattr(other_day(idle, notification(), later(3 * DAY_S)), "most", None) == 20


def test_a_cap_of_zero_has_no_end() -> None:
    objection = window_objection(SentTimes([NOON]), 0, HOUR, NOON, ReasonCode.HOUR_CAP, "hour cap")
    assert objection == Reason(ReasonCode.HOUR_CAP, "hour cap", None, 1, 0)


def test_a_cap_of_one_frees_when_its_message_leaves_the_window() -> None:
    objection = window_objection(SentTimes([NOON]), 1, HOUR, NOON, ReasonCode.HOUR_CAP, "hour cap")
    assert objection == Reason(ReasonCode.HOUR_CAP, "hour cap", later(HOUR_S), 1, 1)
