"""Caps that grow with the warm-up's day."""

import pytest

from orchestrator.domain.policy.ladder import Ladder

STEPS = ((1, 10), (4, 20), (6, 40))
LADDER = Ladder(STEPS)


def test_a_step_holds_from_its_day_to_the_next() -> None:
    assert [Ladder(STEPS).on_day(day) for day in range(1, 9)] == [10, 10, 10, 20, 20, 40, 40, 40]
    assert LADDER.on_day(1_000_000) == 40


def test_a_ladder_may_have_one_step() -> None:
    assert [Ladder(((1, 7),)).on_day(day) for day in (1, 2)] == [7, 7]


def test_it_names_its_caps() -> None:
    assert LADDER.caps == (10, 20, 40)
    assert (LADDER.mature, LADDER.first_mature_day) == (40, 6)


@pytest.mark.parametrize("steps", [(), ((2, 10),), ((1, 10), (1, 20)), ((1, 10), (5, 20), (4, 30))])
def test_days_ascend_from_the_first(steps: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(ValueError, match=r"^the days of a ladder ascend from 1$"):
        Ladder(steps)


def test_all_caps_may_be_replaced() -> None:
    assert LADDER.with_caps((1, 2, 3)) == Ladder(((1, 1), (4, 2), (6, 3)))
    for caps in ((1, 2), (1, 2, 3, 4)):
        with pytest.raises(ValueError, match="zip"):
            LADDER.with_caps(caps)


def test_the_mature_cap_lowers_earlier_steps_but_never_raises_them() -> None:
    assert LADDER.with_mature(15).caps == (10, 15, 15)
    assert LADDER.with_mature(100).caps == (10, 20, 100)
