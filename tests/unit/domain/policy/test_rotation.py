"""Which variant goes next."""

from collections import Counter
from random import Random

import pytest

from orchestrator.domain.policy.rotation import Rotation, choose

VARIANTS = ("a", "b", "c", "d", "e")


def test_the_first_may_be_any() -> None:
    drawn = {choose(Rotation(), VARIANTS, None, Random(seed))[0] for seed in range(100)}
    assert drawn == set(VARIANTS)


def test_the_last_one_is_not_repeated_and_the_contacts_last_one_neither() -> None:
    drawn = {choose(Rotation("a"), VARIANTS, "b", Random(seed))[0] for seed in range(100)}
    assert drawn == {"c", "d", "e"}


def test_what_a_contact_got_last_is_left_out_evenly() -> None:
    rng = Random(1)
    drawn = Counter(choose(Rotation("a"), VARIANTS, "b", rng)[0] for _ in range(3_000))
    assert all(900 < times < 1_100 for times in drawn.values())


def test_the_rotation_remembers_what_was_chosen() -> None:
    chosen, rotation = choose(Rotation("a"), VARIANTS, None, Random(1))
    assert rotation == Rotation(chosen)


def test_with_none_left_it_refuses() -> None:
    with pytest.raises(ValueError, match=r"^a rotation needs a variant that was not used last$"):
        choose(Rotation("a"), ("a", "b"), "b", Random(1))
    assert choose(Rotation("a"), ("a", "b"), None, Random(1)) == ("b", Rotation("b"))
