"""Figures of a company's or session's own."""

from dataclasses import replace
from datetime import time

import pytest

from orchestrator.domain import errors
from orchestrator.domain.errors import PonteError
from orchestrator.domain.policy.figures import FIGURES, Value, held, with_held
from orchestrator.domain.policy.overrides import loosened, restricted_to, with_overrides
from orchestrator.domain.policy.settings import DEFAULTS


def refused(overrides: dict[str, Value]) -> dict[str, str]:
    with pytest.raises(PonteError) as raised:
        with_overrides(DEFAULTS, overrides)
    assert raised.value.code is errors.INVALID_ARGUMENT
    return {violation.field: violation.description for violation in raised.value.violations}


def test_without_overrides_nothing_changes() -> None:
    assert with_overrides(DEFAULTS, {}) == DEFAULTS


def test_figures_are_lowered_freely() -> None:
    changed = with_overrides(
        DEFAULTS, {"limits.per_hour": 15, "pacing.longest_s": 9, "quiet_hours.closes": "18:00"}
    )
    assert changed.limits.per_hour.caps == (10, 15, 15, 15)
    assert changed.pacing == replace(DEFAULTS.pacing, longest_s=9.0)
    assert changed.quiet_hours.closes == time(18)
    assert loosened(DEFAULTS, changed) == ()


def test_figures_are_raised_up_to_their_ceilings_and_named() -> None:
    changed = with_overrides(DEFAULTS, {"limits.per_hour": 300, "limits.other_per_minute": 30})
    assert changed.limits.per_hour.mature == 300
    assert loosened(DEFAULTS, changed) == ("limits.other_per_minute", "limits.per_hour")


def test_beyond_the_ceiling_nobody_raises_them() -> None:
    assert refused({"limits.per_hour": 301, "contact.gap_s": 1.9, "limits.per_day": 3_000}) == {
        "limits.per_hour": "Beyond the hard ceiling, which is 300.",
        "contact.gap_s": "Beyond the hard ceiling, which is 2.0.",
    }
    assert "limits.per_hour" in refused({"limits.per_hour": [301, 20, 40, 60]})


def test_a_simulator_has_no_ceilings() -> None:
    assert with_overrides(DEFAULTS, {"limits.per_hour": 9_999}, {}).limits.per_hour.mature == 9_999


def test_unknown_and_malformed_figures_are_all_named() -> None:
    assert refused(
        {
            "limits.per_week": 3,
            "health.stopped_from": 99,
            "limits.per_hour": "many",
            "contact.gap_s": "long",
        }
    ) == {
        "limits.per_week": "The sending policy has no such figure.",
        "health.stopped_from": "The sending policy has no such figure.",
        "limits.per_hour": "Not usable: give a list of numbers.",
        "contact.gap_s": "Not usable: give a number of seconds, 0 or more.",
    }


@pytest.mark.parametrize(
    ("overrides", "field", "description"),
    [
        ({"pacing.shortest_s": 3.2}, "pacing.shortest_s", "It may not be more than pacing.median_s."),
        ({"pacing.median_s": 5.1}, "pacing.median_s", "It may not be more than pacing.longest_s."),
        (
            {"pacing.long_pause_shortest_s": 61},
            "pacing.long_pause_shortest_s",
            "It may not be more than pacing.long_pause_longest_s.",
        ),
        (
            {"pacing.batch_largest": 19},
            "pacing.batch_smallest",
            "It may not be more than pacing.batch_largest.",
        ),
        ({"quiet_hours.opens": "19:01"}, "quiet_hours.opens", "It may not be more than quiet_hours.closes."),
        (
            {"quiet_hours.opens": "19:00"},
            "quiet_hours.closes",
            "It has to be later than quiet_hours.opens.",
        ),
        ({"pacing.batch_smallest": 0}, "pacing.batch_smallest", "A batch has at least one message."),
        ({"reconnect.start_share": 0.009}, "reconnect.start_share", "It is at least 0.01."),
        ({"reactions.slow_factor": 0.04}, "reactions.slow_factor", "It is at least 0.05."),
        (
            {"reactions.refused_contacts_to_stop": 0},
            "reactions.refused_contacts_to_stop",
            "It is at least 1.",
        ),
        (
            {"typing.shortest_s": 9},
            "typing.shortest_s",
            "It may not be more than typing.longest_s.",
        ),
        ({"typing.longest_s": 20.1}, "typing.longest_s", "It is at most 20."),
        ({"number_checks.cached_s": 7_776_001}, "number_checks.cached_s", "It is at most 7776000."),
        ({"contact.campaign_gap_s": 1e300}, "contact.campaign_gap_s", "It is at most 31622400."),
        (
            {"reactions.failed_share_pause": 0.01},
            "reactions.failed_share_slow",
            "It may not be more than reactions.failed_share_pause.",
        ),
        (
            {"reactions.delivered_share_pause": 0.8},
            "reactions.delivered_share_pause",
            "It may not be more than reactions.delivered_share_slow.",
        ),
    ],
)
def test_figures_do_not_contradict_each_other(
    overrides: dict[str, Value], field: str, description: str
) -> None:
    assert refused(overrides) == {field: description}


@pytest.mark.parametrize(
    "overrides",
    [
        {"pacing.shortest_s": 5, "pacing.median_s": 5},
        {"pacing.batch_smallest": 1, "pacing.batch_largest": 1},
        {"pacing.long_pause_shortest_s": 60},
        {"quiet_hours.opens": "18:59"},
        {"reconnect.start_share": 0.01},
        {"reactions.slow_factor": 0.05, "reactions.refused_contacts_to_stop": 1},
        {"typing.shortest_s": 20, "typing.longest_s": 20},
        {"number_checks.cached_s": 7_776_000, "contact.campaign_gap_s": 31_622_400},
        {"reactions.failed_share_slow": 0, "reactions.failed_share_pause": 0},
        {"reactions.delivered_share_pause": 1, "reactions.delivered_share_slow": 1},
    ],
)
def test_figures_may_meet(overrides: dict[str, Value]) -> None:
    assert with_overrides(DEFAULTS, overrides) != DEFAULTS


def test_a_ceiling_and_a_contradiction_do_not_hide_each_other_twice() -> None:
    """Only what was written is named while it is wrong in itself."""
    assert list(refused({"contact.gap_s": 1, "pacing.shortest_s": 4})) == ["contact.gap_s"]


def test_what_was_stored_under_higher_ceilings_is_brought_back() -> None:
    stored = with_overrides(
        DEFAULTS, {"limits.per_hour": 9_999, "contact.gap_s": 0, "limits.per_day": 99}, {}
    )
    restricted = restricted_to(stored)

    assert restricted.limits.per_hour.caps == (10, 20, 40, 300)
    assert restricted.contact.gap_s == 2.0
    assert restricted.limits.per_day == stored.limits.per_day
    assert restricted_to(DEFAULTS) is DEFAULTS


def test_only_the_ceilings_that_are_given_hold() -> None:
    stored = with_held(with_held(DEFAULTS, "limits.other_per_minute", 99), "contact.gap_s", 0.0)
    restricted = restricted_to(stored, {"limits.other_per_minute": 20})
    changed = [path for path in FIGURES if held(restricted, path) != held(stored, path)]
    assert changed == ["limits.other_per_minute"]
    assert restricted.limits.other_per_minute == 20


def test_each_loosened_figure_is_named_once() -> None:
    looser = with_held(DEFAULTS, "limits.other_per_minute", 13)
    assert loosened(DEFAULTS, looser) == ("limits.other_per_minute",)
    assert loosened(looser, DEFAULTS) == ()
