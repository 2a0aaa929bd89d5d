"""How long typing is shown."""

from dataclasses import replace
from random import Random

import pytest

from orchestrator.domain.policy.settings import DEFAULTS, TypingSettings
from orchestrator.domain.policy.typing_time import typing_time

FIGURES = DEFAULTS.typing


def times(text_length: int, figures: TypingSettings = FIGURES) -> list[float]:
    rng = Random(1)
    return [typing_time(text_length, figures, rng) for _ in range(2_000)]


@pytest.mark.parametrize(
    ("text_length", "shortest", "longest"), [(50, 2.4, 3.6), (1, 1.2, 1.8), (65_536, 8 / 1.2 * 0.8, 8.0)]
)
def test_it_fits_the_text_within_the_bounds(text_length: int, shortest: float, longest: float) -> None:
    drawn = times(text_length)
    assert shortest - 1e-9 <= min(drawn) < shortest * 1.01
    assert longest * 0.99 < max(drawn) <= longest + 1e-9


def test_bounds_that_leave_no_room_for_the_jitter_hold() -> None:
    figures = replace(FIGURES, shortest_s=9.0, longest_s=10.0)
    for text_length in (1, 65_536):
        drawn = times(text_length, figures)
        assert min(drawn) == 9.0
        assert 9.9 < max(drawn) <= 10.0


def test_one_character_is_typed() -> None:
    assert typing_time(1, FIGURES, Random(1)) > 0


@pytest.mark.parametrize("text_length", [0, -1])
def test_without_a_text_nothing_is_typed(text_length: int) -> None:
    assert typing_time(text_length, FIGURES, Random(1)) == 0.0
