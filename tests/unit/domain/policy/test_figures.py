"""Figures that may differ per company and session."""

from datetime import time
from typing import Any

import pytest

from orchestrator.domain.policy.figures import (
    FIGURES,
    HARD_CEILINGS,
    Looser,
    Unit,
    Value,
    ceiling_of,
    held,
    is_looser,
    parse,
    shown,
    stricter,
    with_held,
)
from orchestrator.domain.policy.ladder import Ladder
from orchestrator.domain.policy.settings import DEFAULTS


@pytest.mark.parametrize(
    ("path", "ceiling"),
    [
        ("limits.conversation_per_minute", 120),
        ("limits.other_per_minute", 30),
        ("limits.per_hour", 300),
        ("limits.per_day", 3_000),
        ("new_chats.per_day", 100),
        ("new_chats.quota_share", 0.8),
        ("number_checks.per_hour", 60),
    ],
)
def test_hard_ceilings(path: str, ceiling: Value) -> None:
    assert HARD_CEILINGS[path] == ceiling
    assert is_looser(path, ceiling_of(path, ceiling), held(DEFAULTS, path))


def test_what_has_no_ceiling_of_its_own_may_only_become_stricter() -> None:
    bounded = [path for path in FIGURES if ceiling_of(path, HARD_CEILINGS[path]) == held(DEFAULTS, path)]
    assert len(bounded) == len(FIGURES) - 7
    assert "pacing.shortest_s" in bounded


def test_no_default_is_beyond_its_ceiling() -> None:
    for path, ceiling in HARD_CEILINGS.items():
        assert not is_looser(path, held(DEFAULTS, path), ceiling_of(path, ceiling))


def test_every_figure_is_read_back_as_it_is_shown() -> None:
    for path in FIGURES:
        assert parse(DEFAULTS, path, shown(DEFAULTS, path)) == held(DEFAULTS, path)


def test_figures_are_shown_as_they_are_written() -> None:
    assert shown(DEFAULTS, "limits.other_per_minute") == 12
    assert shown(DEFAULTS, "limits.per_hour") == (10, 20, 40, 60)
    assert shown(DEFAULTS, "quiet_hours.opens") == "09:00"
    assert shown(DEFAULTS, "quiet_hours.weekdays") == (0, 1, 2, 3, 4, 5)
    assert shown(DEFAULTS, "pacing.median_s") == 3.1


def test_each_figure_names_its_unit_and_its_looser_side() -> None:
    assert (FIGURES["limits.per_hour"].unit, FIGURES["limits.per_hour"].looser) == (
        Unit.MESSAGES,
        Looser.HIGHER,
    )
    lower = {path for path, figure in FIGURES.items() if figure.looser is Looser.LOWER}
    assert lower == {
        *("pacing.median_s", "pacing.shortest_s", "pacing.longest_s"),
        *("pacing.long_pause_shortest_s", "pacing.long_pause_longest_s"),
        *("typing.per_character_s", "typing.shortest_s", "typing.longest_s", "number_checks.cached_s"),
        *("reactions.rate_limit_slow_s", "reactions.rate_limit_pause_s", "reactions.refused_stop_s"),
        *("reactions.delivered_share_slow", "reactions.delivered_share_pause", "reactions.ban_margin_s"),
        *("contact.gap_s", "contact.campaign_gap_s", "reconnect.ramp_s", "quiet_hours.opens"),
    }
    assert {path: figure.path for path, figure in FIGURES.items()} == {path: path for path in FIGURES}


def test_replacing_one_figure_leaves_the_others() -> None:
    changed = with_held(DEFAULTS, "limits.other_per_minute", 5)
    assert [path for path in FIGURES if held(changed, path) != held(DEFAULTS, path)] == [
        "limits.other_per_minute"
    ]
    assert held(changed, "limits.other_per_minute") == 5


@pytest.mark.parametrize(
    ("path", "written", "value"),
    [
        ("limits.other_per_minute", 0, 0),
        ("number_checks.per_hour", 7, 7),
        ("pacing.shortest_s", 0, 0.0),
        ("pacing.shortest_s", 2.5, 2.5),
        ("new_chats.quota_share", 0, 0.0),
        ("new_chats.quota_share", 1, 1.0),
        ("quiet_hours.opens", "10:30", time(10, 30)),
        ("quiet_hours.weekdays", [6, 0, 0], frozenset({0, 6})),
    ],
)
def test_written_figures(path: str, written: Value, value: Any) -> None:
    parsed = parse(DEFAULTS, path, written)
    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize(
    ("written", "caps"), [(15, (3, 5, 10, 15)), (4, (3, 4, 4, 4)), ([1, 2, 3, 4], (1, 2, 3, 4))]
)
def test_a_ladder_is_written_as_one_number_or_all(written: Value, caps: tuple[int, ...]) -> None:
    assert parse(DEFAULTS, "new_chats.per_day", written).caps == caps


COUNT = "give a whole number, 0 or more"
SECONDS = "give a number of seconds, 0 or more"
SHARE = "give a share from 0 to 1"
TIME_OF_DAY = 'give a time of day such as "09:00"'
WEEKDAYS = "give at least one weekday, 0 for Monday to 6 for Sunday"
NUMBERS = "give a list of numbers"
STEPS = "give one number, or 4: one for each step of the warm-up"


@pytest.mark.parametrize(
    ("path", "written", "sentence"),
    [
        *(("limits.other_per_minute", bad, COUNT) for bad in (-1, 1.5, True, "3", None)),
        *(("pacing.shortest_s", bad, SECONDS) for bad in (-1, True, "3", float("inf"), float("nan"))),
        *(("new_chats.quota_share", bad, SHARE) for bad in (-0.1, 1.1, True, "3", float("nan"))),
        *(("quiet_hours.opens", bad, TIME_OF_DAY) for bad in (9, "nine", "09:00+01:00", None)),
        *(("quiet_hours.weekdays", bad, WEEKDAYS) for bad in ([], [7], (0, 7))),
        *(("quiet_hours.weekdays", bad, NUMBERS) for bad in (3, "0", {0})),
        *(("quiet_hours.weekdays", bad, COUNT) for bad in ([-1], ["0"])),
        *(("limits.per_hour", bad, STEPS) for bad in ([1, 2, 3], [1, 2, 3, 4, 5], [])),
        *(("limits.per_hour", bad, COUNT) for bad in (-1, True, [1, 2, 3, -4], [1, 2, 3, True])),
        *(("limits.per_hour", bad, NUMBERS) for bad in ("60", 1.5, None)),
    ],
)
def test_malformed_figures_are_refused_with_what_to_write(path: str, written: object, sentence: str) -> None:
    with pytest.raises(ValueError, match="give") as refused:
        parse(DEFAULTS, path, written)
    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("path", "value", "than", "looser"),
    [
        ("limits.other_per_minute", 13, 12, True),
        ("limits.other_per_minute", 12, 12, False),
        ("limits.other_per_minute", 11, 12, False),
        ("pacing.shortest_s", 1.9, 2.0, True),
        ("pacing.shortest_s", 2.0, 2.0, False),
        ("pacing.shortest_s", 2.1, 2.0, False),
        ("quiet_hours.opens", time(8), time(9), True),
        ("quiet_hours.closes", time(20), time(19), True),
        ("quiet_hours.closes", time(18), time(19), False),
        ("quiet_hours.weekdays", frozenset({0, 6}), frozenset({0, 1}), True),
        ("quiet_hours.weekdays", frozenset({0}), frozenset({0, 1}), False),
        ("quiet_hours.weekdays", frozenset({0, 1}), frozenset({0, 1}), False),
        ("limits.per_hour", Ladder(((1, 11), (4, 1))), Ladder(((1, 10), (4, 20))), True),
        ("limits.per_hour", Ladder(((1, 10), (4, 20))), Ladder(((1, 10), (4, 20))), False),
        ("limits.per_hour", Ladder(((1, 1), (4, 2))), Ladder(((1, 10), (4, 20))), False),
    ],
)
def test_what_lets_more_through(path: str, value: Any, than: Any, looser: bool) -> None:
    assert is_looser(path, value, than) is looser


@pytest.mark.parametrize(
    ("path", "value", "than", "expected"),
    [
        ("limits.other_per_minute", 13, 12, 12),
        ("limits.other_per_minute", 11, 12, 11),
        ("pacing.shortest_s", 1.9, 2.0, 2.0),
        ("quiet_hours.weekdays", frozenset({0, 6}), frozenset({0, 1}), frozenset({0})),
        (
            "limits.per_hour",
            Ladder(((1, 11), (4, 15))),
            Ladder(((1, 10), (4, 20))),
            Ladder(((1, 10), (4, 15))),
        ),
    ],
)
def test_what_both_allow(path: str, value: Any, than: Any, expected: Any) -> None:
    assert stricter(path, value, than) == expected


def test_ladders_of_different_length_are_not_compared() -> None:
    short, long = Ladder(((1, 10),)), Ladder(((1, 10), (4, 20)))
    for value, than in ((short, long), (long, short)):
        with pytest.raises(ValueError, match="zip"):
            is_looser("limits.per_hour", value, than)
        with pytest.raises(ValueError, match="zip"):
            stricter("limits.per_hour", value, than)


def test_a_ladders_ceiling_holds_for_each_step() -> None:
    assert ceiling_of("limits.per_hour", 300).caps == (300,) * 4
    assert ceiling_of("limits.per_hour", (1, 2, 3, 4)).caps == (1, 2, 3, 4)
