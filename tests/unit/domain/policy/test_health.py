"""The risk figure."""

import pytest

from orchestrator.domain.policy.health import (
    EVENTS_KEPT,
    Health,
    HealthCause,
    HealthEvent,
    HealthLevel,
    after_disconnect,
    after_failure,
    after_resume,
    figure_at,
    level_of,
    well_from,
    worsened,
)
from orchestrator.domain.policy.settings import DAY_S, DEFAULTS, HOUR_S
from tests.support.policy_snapshots import NOON, later

FIGURES = DEFAULTS.health


def risk(figure: float) -> Health:
    return Health(figure, NOON)


def test_a_new_session_is_healthy() -> None:
    assert figure_at(Health(), NOON, FIGURES) == 0.0
    assert figure_at(risk(0.0), NOON, FIGURES) == 0.0
    assert figure_at(Health(12.0, None), NOON, FIGURES) == 0.0


def test_the_figure_halves_every_day() -> None:
    assert figure_at(risk(60), NOON, FIGURES) == 60
    assert figure_at(risk(60), later(DAY_S), FIGURES) == pytest.approx(30)
    assert figure_at(risk(60), later(2 * DAY_S), FIGURES) == pytest.approx(15)
    assert figure_at(risk(0.5), later(DAY_S), FIGURES) == pytest.approx(0.25)


def test_a_clock_that_went_back_does_not_raise_it() -> None:
    assert figure_at(risk(60), later(-DAY_S), FIGURES) == 60


def test_levels_begin_at_their_figures() -> None:
    levels = [level_of(figure, FIGURES) for figure in (0, 14.9, 15, 39.9, 40, 79.9, 80, 100)]
    assert levels == [
        *(HealthLevel.HEALTHY, HealthLevel.HEALTHY),
        *(HealthLevel.CAUTION, HealthLevel.CAUTION),
        *(HealthLevel.THROTTLED, HealthLevel.THROTTLED),
        *(HealthLevel.STOPPED, HealthLevel.STOPPED),
    ]


def test_it_is_known_when_a_number_is_well_again() -> None:
    assert well_from(Health(), FIGURES) is None
    assert well_from(risk(14.9), FIGURES) is None
    assert well_from(risk(15), FIGURES) == NOON
    assert well_from(risk(60), FIGURES) == later(2 * DAY_S)
    soon = well_from(risk(25), FIGURES)
    assert soon is not None
    assert figure_at(risk(25), soon, FIGURES) == pytest.approx(15)


def test_points_add_to_what_is_left_and_stop_at_a_hundred() -> None:
    worse = worsened(risk(60), HealthCause.FORBIDDEN, 40, later(DAY_S), FIGURES)

    assert worse.figure == pytest.approx(70)
    assert worse.at == later(DAY_S)
    assert worse.events == (HealthEvent(later(DAY_S), HealthCause.FORBIDDEN, 40, worse.figure),)
    assert worsened(worse, HealthCause.LOGGED_OUT, 60, later(DAY_S), FIGURES).figure == 100


def test_only_the_newest_events_are_kept() -> None:
    health = Health()
    for second in range(EVENTS_KEPT + 1):
        health = worsened(health, HealthCause.FORBIDDEN, 1, later(second), FIGURES)
    assert EVENTS_KEPT == 50
    assert [health.events[0].at, health.events[-1].at] == [later(1), later(EVENTS_KEPT)]
    assert len(health.events) == EVENTS_KEPT


def test_the_third_disconnect_within_an_hour_counts() -> None:
    health = after_disconnect(after_disconnect(Health(), NOON, FIGURES), later(1), FIGURES)
    assert (health.figure, health.disconnects) == (0, (NOON, later(1)))

    third = after_disconnect(health, later(HOUR_S - 1), FIGURES)
    assert (third.figure, third.disconnects) == (30, ())
    assert third.events == (HealthEvent(later(HOUR_S - 1), HealthCause.DISCONNECTS, 30, 30),)
    assert after_disconnect(health, later(HOUR_S), FIGURES).figure == 0
    ill = Health(40, NOON, disconnects=(NOON, NOON))
    assert after_disconnect(ill, NOON, FIGURES).figure == 70


def test_the_fifth_failure_within_an_hour_counts() -> None:
    health = Health()
    for second in range(4):
        health = after_failure(health, later(second), FIGURES)
    assert (health.figure, len(health.failures)) == (0, 4)

    fifth = after_failure(health, later(HOUR_S - 1), FIGURES)
    assert (fifth.figure, fifth.failures) == (20, ())
    assert fifth.events == (HealthEvent(later(HOUR_S - 1), HealthCause.FAILURES, 20, 20),)
    assert after_failure(health, later(HOUR_S), FIGURES).figure == 0
    ill = Health(40, NOON, failures=(NOON,) * 4)
    assert after_failure(ill, NOON, FIGURES).figure == 60


def test_a_resumed_session_goes_on_with_caution() -> None:
    resumed = after_resume(risk(90), later(10), FIGURES)

    assert level_of(resumed.figure, FIGURES) is HealthLevel.CAUTION
    assert (resumed.figure, resumed.at) == (39, later(10))
    assert resumed.events[0].cause is HealthCause.RESUMED
    assert resumed.events[0].points == pytest.approx(39 - 90, abs=0.1)


def test_resuming_leaves_a_lower_figure_alone() -> None:
    assert after_resume(risk(79), NOON, FIGURES) == risk(79)
