"""The statistics that the sending policy promises: seeded, n = 5,000, alpha = 0.001."""

import math
from collections import Counter
from itertools import pairwise
from random import Random

import pytest

from orchestrator.domain.policy.pacing import draw_gap
from orchestrator.domain.policy.rotation import Rotation, choose
from orchestrator.domain.policy.settings import DEFAULTS

N = 5_000
SEEDS = (1, 7, 20_261_122)
VARIANTS = ("a", "b", "c", "d", "e")
FIGURES = DEFAULTS.pacing


def rotated(seed: int, times: int = N, rotation: Rotation | None = None) -> list[str]:
    rng = Random(seed)
    rotation = rotation or Rotation()
    drawn = []
    for _ in range(times):
        variant, rotation = choose(rotation, VARIANTS, None, rng)
        drawn.append(variant)
    return drawn


def chi_square(observed: list[int], expected: float) -> float:
    return sum((count - expected) ** 2 / expected for count in observed)


def gaps(seed: int) -> list[float]:
    rng = Random(seed)
    return [draw_gap(FIGURES, rng) for _ in range(N)]


def target_distribution(gap: float) -> float:
    """Of the log-normal, truncated to the bounds."""

    def below(value: float) -> float:
        return 0.5 * (1 + math.erf(math.log(value / FIGURES.median_s) / (FIGURES.sigma * math.sqrt(2))))

    shortest, longest = below(FIGURES.shortest_s), below(FIGURES.longest_s)
    return (below(gap) - shortest) / (longest - shortest)


def lag_1(values: list[float]) -> float:
    mean = sum(values) / len(values)
    around = [value - mean for value in values]
    return sum(first * second for first, second in pairwise(around)) / sum(value**2 for value in around)


@pytest.mark.parametrize("seed", SEEDS)
def test_variants_are_used_evenly_and_never_twice_running(seed: int) -> None:
    drawn = rotated(seed)
    assert all(first != second for first, second in pairwise(drawn))
    assert chi_square([Counter(drawn)[variant] for variant in VARIANTS], N / 5) < 18.47


@pytest.mark.parametrize("seed", SEEDS)
def test_each_variant_follows_each_other_evenly(seed: int) -> None:
    transitions = Counter(pairwise(rotated(seed)))
    assert len(transitions) == 20
    assert chi_square(list(transitions.values()), (N - 1) / 20) < 37.70


def test_other_seeds_give_other_sequences() -> None:
    sequences = {tuple(rotated(seed, times=20)) for seed in range(100)}
    assert len(sequences) == 100


def test_a_restart_repeats_no_variant() -> None:
    for seed in range(500):
        last = rotated(seed, times=3)[-1]
        assert rotated(seed + 1, times=1, rotation=Rotation(last)) != [last]


@pytest.mark.parametrize("seed", SEEDS)
def test_gaps_lie_within_their_bounds_and_follow_the_target(seed: int) -> None:
    drawn = sorted(gaps(seed))
    assert FIGURES.shortest_s <= drawn[0]
    assert drawn[-1] <= FIGURES.longest_s
    distance = max(
        max((index + 1) / N - target_distribution(gap), target_distribution(gap) - index / N)
        for index, gap in enumerate(drawn)
    )
    assert distance < 1.9495 / math.sqrt(N)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_gap_tells_nothing_of_the_next(seed: int) -> None:
    assert abs(lag_1(gaps(seed))) < 3 / math.sqrt(N)
