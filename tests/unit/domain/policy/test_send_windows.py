"""Sliding windows."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.policy.send_windows import _KEPT, SentTimes
from tests.support.policy_snapshots import NOON, later

MINUTE = timedelta(minutes=1)


def times(*seconds: float) -> SentTimes:
    return SentTimes(later(second) for second in seconds)


def test_a_window_is_full_until_the_first_of_its_messages_leaves_it() -> None:
    sent = times(0, 10, 20)

    assert sent.full_until(3, MINUTE, later(30)) == later(60)
    assert sent.full_until(2, MINUTE, later(30)) == later(70)
    assert sent.full_until(1, MINUTE, later(30)) == later(80)
    assert sent.full_until(4, MINUTE, later(30)) is None
    assert sent.full_until(3, MINUTE, later(59.999999)) == later(60)
    assert sent.full_until(3, MINUTE, later(60)) is None


def test_the_places_of_a_full_window_become_free_one_by_one_and_again_a_window_later() -> None:
    sent = times(-5, 0, 10, 30)

    turns = [sent.turn_after(place, 3, MINUTE).total_seconds() for place in range(7)]
    assert turns == [0, 10, 30, 60, 70, 90, 120]
    assert sent.turn_after(1, 4, MINUTE) == timedelta(seconds=5)
    assert sent.turn_after(9, 5, MINUTE) == timedelta()


def test_what_lies_in_the_future_counts() -> None:
    sent = times(0, 100)

    assert sent.used(MINUTE, NOON) == 2
    assert sent.full_until(2, MINUTE, NOON) == later(60)
    assert sent.full_until(1, MINUTE, NOON) == later(160)


def test_it_counts_what_is_younger_than_the_window() -> None:
    sent = times(0, 10, 20)
    assert [sent.used(MINUTE, later(at)) for at in (20, 59, 60, 70, 80)] == [3, 3, 2, 1, 0]


def test_the_oldest_inside_the_window() -> None:
    sent = times(0, 10)
    assert sent.oldest(MINUTE, later(59)) == later(0)
    assert sent.oldest(MINUTE, later(60)) == later(10)
    assert sent.oldest(MINUTE, later(70)) is None


def test_a_time_noted_late_finds_its_place() -> None:
    sent = times(20, 0)
    sent.note(later(10))
    sent.note(later(30))
    sent.note(later(30))
    assert len(sent) == 5
    assert sent.full_until(4, MINUTE, NOON) == later(70)
    assert sent.full_until(5, MINUTE, NOON) == later(60)


def test_it_forgets_the_oldest_when_it_has_far_more_than_any_cap() -> None:
    sent = SentTimes(later(second) for second in range(2 * _KEPT))
    sent.note(later(2 * _KEPT))
    assert len(sent) == _KEPT
    assert sent.oldest(timedelta(days=2), NOON) == later(_KEPT + 1)


def test_it_keeps_twice_as_many_as_it_needs_before_it_forgets() -> None:
    sent = SentTimes(later(second) for second in range(2 * _KEPT - 1))
    sent.note(later(2 * _KEPT))
    assert len(sent) == 2 * _KEPT


@given(st.lists(st.integers(0, 300), max_size=60), st.integers(1, 8))
def test_sending_only_into_free_windows_never_exceeds_the_cap(asked_at: list[int], cap: int) -> None:
    """Whatever the clock says, backwards too."""
    sent = SentTimes()
    left: list[datetime] = []
    for second in asked_at:
        if sent.full_until(cap, MINUTE, later(second)) is None:
            sent.note(later(second))
            left.append(later(second))
    for end in left:
        assert sum(end - MINUTE < at <= end for at in left) <= cap
