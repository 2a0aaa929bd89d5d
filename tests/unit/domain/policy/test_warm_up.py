"""Days of the warm-up."""

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.domain.policy.settings import DAY_S, DEFAULTS
from orchestrator.domain.policy.warm_up import (
    MATURE_DAY,
    WarmUp,
    begin,
    day_at,
    declare_mature,
    note_activity,
    settle,
)
from tests.support.policy_snapshots import NOON, later

FIGURES = DEFAULTS.warm_up


def settled(warm_up: WarmUp, seconds: float, well_from_s: float | None = None) -> WarmUp:
    well_from = None if well_from_s is None else later(well_from_s)
    return settle(warm_up, later(seconds), FIGURES, well_from)


def test_a_number_begins_on_its_first_day() -> None:
    assert begin(NOON) == WarmUp(1, NOON, NOON, declared_mature=False)
    assert day_at(begin(NOON), NOON, FIGURES) == 1


def test_a_day_in_good_health_is_passed() -> None:
    first = begin(NOON)
    assert settled(first, DAY_S - 1) is first
    assert settled(begin(NOON), DAY_S) == WarmUp(2, later(DAY_S), NOON)
    assert settled(begin(NOON), 2.5 * DAY_S) == WarmUp(3, later(2 * DAY_S), NOON)


def test_ill_health_begins_the_day_again() -> None:
    ill = settled(begin(NOON), DAY_S, well_from_s=2 * DAY_S)

    assert ill == WarmUp(1, later(DAY_S), NOON)
    assert settled(ill, 2 * DAY_S, well_from_s=2 * DAY_S) == WarmUp(1, later(2 * DAY_S), NOON)


def test_the_day_counts_from_recovery_also_where_nobody_looked_meanwhile() -> None:
    recovered_s = 0.8 * DAY_S

    ill_and_well_again = settled(begin(NOON), DAY_S, recovered_s)
    assert ill_and_well_again == WarmUp(1, later(recovered_s), NOON)
    assert settled(begin(NOON), recovered_s + DAY_S - 1, recovered_s).day == 1
    assert settled(begin(NOON), recovered_s + DAY_S, recovered_s) == WarmUp(
        2, later(DAY_S + recovered_s), NOON
    )
    assert settled(ill_and_well_again, recovered_s + DAY_S, recovered_s).day == 2


def test_ill_health_before_the_day_takes_nothing_from_it() -> None:
    assert settled(WarmUp(5, NOON, NOON), DAY_S, well_from_s=-1) == WarmUp(6, later(DAY_S), NOON)


def test_a_clock_that_went_back_passes_no_day_early() -> None:
    assert settled(begin(NOON), -DAY_S) == begin(NOON)
    assert settled(begin(NOON), -DAY_S, well_from_s=DAY_S) == begin(NOON)


@pytest.mark.parametrize("well_from_s", [None, 4 * DAY_S])
def test_three_idle_days_start_the_warm_up_again(well_from_s: float | None) -> None:
    number = WarmUp(9, NOON, NOON)

    assert day_at(number, later(3 * DAY_S - 1), FIGURES) == 9
    assert day_at(number, later(3 * DAY_S), FIGURES) == 1
    again = settled(number, 3 * DAY_S, well_from_s)
    assert again == WarmUp(1, later(3 * DAY_S), later(3 * DAY_S))


def test_a_message_keeps_it_from_being_idle() -> None:
    active = note_activity(WarmUp(9, NOON, NOON), later(DAY_S), FIGURES)

    assert active == WarmUp(9, NOON, later(DAY_S))
    assert day_at(active, later(3 * DAY_S), FIGURES) == 9
    assert note_activity(active, NOON, FIGURES) is active
    assert note_activity(active, later(DAY_S), FIGURES) is active


def test_a_message_after_idle_days_is_the_first_of_a_new_warm_up() -> None:
    assert note_activity(WarmUp(9, NOON, NOON), later(3 * DAY_S), FIGURES) == begin(later(3 * DAY_S))


def test_a_number_declared_mature_stays_so() -> None:
    mature = declare_mature(begin(NOON))

    assert mature == replace(begin(NOON), declared_mature=True)
    assert day_at(mature, NOON, FIGURES) == MATURE_DAY
    idle = note_activity(mature, NOON + timedelta(days=4), FIGURES)
    assert day_at(idle, NOON + timedelta(days=9), FIGURES) == MATURE_DAY
