"""Gaps between campaign messages."""

from dataclasses import replace
from random import Random

import pytest

from orchestrator.domain.policy.decisions import Reason, ReasonCode
from orchestrator.domain.policy.health import Health
from orchestrator.domain.policy.pacing import (
    counted_from_answer,
    draw_batch,
    draw_gap,
    draw_long_pause,
    earliest_campaign_at,
    gap_objection,
    paced_after,
)
from orchestrator.domain.policy.pacing_state import Gap, Pacing
from orchestrator.domain.policy.settings import DEFAULTS, HOUR_S, lifted
from orchestrator.domain.policy.snapshot import Snapshot
from tests.support.policy_snapshots import NOON, campaign, later, on_day, sent, session

FIGURES = DEFAULTS.pacing
LARGE = campaign(campaign_size=101)


def simulator(**changes: object) -> Snapshot:
    """No caps, so that gaps are as drawn."""
    return session(settings=lifted(DEFAULTS), **changes)


def gap_after(snapshot: Snapshot, seed: int = 1) -> float:
    pacing = paced_after(snapshot, campaign(), NOON, Random(seed))
    assert pacing.next_campaign_at is not None
    return (pacing.next_campaign_at - NOON).total_seconds()


def test_bounds_that_leave_no_room_are_kept() -> None:
    narrow = replace(FIGURES, shortest_s=4.0, longest_s=4.0)
    assert draw_gap(narrow, Random(1)) == 4.0


def test_a_draw_at_a_bound_is_taken() -> None:
    gap = draw_gap(FIGURES, Random(1))
    assert draw_gap(replace(FIGURES, shortest_s=gap), Random(1)) == gap
    assert draw_gap(replace(FIGURES, longest_s=gap), Random(1)) == gap


def test_long_pauses_and_batches_cover_their_ranges() -> None:
    rng = Random(1)
    pauses = [draw_long_pause(FIGURES, rng) for _ in range(500)]
    assert 30 <= min(pauses) < 31
    assert 59 < max(pauses) <= 60
    assert {draw_batch(FIGURES, rng) for _ in range(500)} == set(range(20, 31))


def test_the_first_campaign_message_waits_for_nothing() -> None:
    assert gap_objection(session(), campaign(), NOON) is None


def test_the_next_one_waits_for_its_gap() -> None:
    snapshot = session(pacing=Pacing(NOON, later(3)))
    assert gap_objection(snapshot, campaign(), later(2)) == Reason(
        ReasonCode.CAMPAIGN_GAP, "gap between campaign messages", later(3)
    )
    assert gap_objection(snapshot, campaign(), later(3)) is None


def test_a_long_pause_says_so() -> None:
    snapshot = session(pacing=Pacing(NOON, later(45), Gap.LONG_PAUSE))
    assert gap_objection(snapshot, campaign(), later(2)) == Reason(
        ReasonCode.LONG_PAUSE, "long pause after a batch", later(45)
    )


def test_without_its_draw_the_longest_gap_is_kept() -> None:
    assert gap_objection(session(pacing=Pacing(NOON)), campaign(), later(4.9)) == Reason(
        ReasonCode.CAMPAIGN_GAP, "gap between campaign messages", later(5)
    )
    assert gap_objection(session(pacing=Pacing(NOON)), campaign(), later(5)) is None
    assert earliest_campaign_at(Pacing(NOON), FIGURES) == later(5)
    assert earliest_campaign_at(Pacing(), FIGURES) is None
    assert earliest_campaign_at(Pacing(None, later(3)), FIGURES) == later(3)


def test_a_gap_counts_from_the_answer_of_the_message_before_it() -> None:
    stored = Pacing(NOON, later(3), Gap.LONG_PAUSE, 7)
    assert counted_from_answer(stored, later(0.5)) == Pacing(later(0.5), later(3.5), Gap.LONG_PAUSE, 7)
    assert counted_from_answer(Pacing(NOON), later(0.5)) == Pacing(later(0.5))


def test_an_answer_that_tells_nothing_new_leaves_the_gap_as_it_is() -> None:
    stored = Pacing(NOON, later(3))
    assert counted_from_answer(stored, NOON) == stored
    assert counted_from_answer(stored, later(-1)) == stored
    assert counted_from_answer(Pacing(), NOON) == Pacing()


def test_a_small_campaign_has_no_long_pauses() -> None:
    snapshot = simulator(pacing=Pacing(left_in_batch=1))
    pacing = paced_after(snapshot, campaign(campaign_size=100), NOON, Random(1))
    assert (pacing.gap, pacing.left_in_batch) == (Gap.DRAWN, 1)


def test_a_large_campaign_draws_its_batch_with_the_first_message() -> None:
    pacing = paced_after(simulator(), LARGE, NOON, Random(1))

    assert (pacing.last_campaign_at, pacing.gap) == (NOON, Gap.DRAWN)
    rng = Random(1)
    assert pacing.next_campaign_at == later(draw_gap(FIGURES, rng))
    assert pacing.left_in_batch == draw_batch(FIGURES, rng) - 1


def test_after_the_last_of_a_batch_comes_a_long_pause_and_a_new_batch() -> None:
    pacing = paced_after(simulator(pacing=Pacing(left_in_batch=1)), LARGE, NOON, Random(1))

    rng = Random(1)
    draw_gap(FIGURES, rng)
    assert pacing.left_in_batch == draw_batch(FIGURES, rng)
    assert pacing.gap is Gap.LONG_PAUSE
    assert pacing.next_campaign_at == later(draw_long_pause(FIGURES, rng))


def test_a_batch_with_two_left_goes_on() -> None:
    pacing = paced_after(simulator(pacing=Pacing(left_in_batch=2)), LARGE, NOON, Random(1))
    assert (pacing.gap, pacing.left_in_batch) == (Gap.DRAWN, 1)


def test_the_rest_of_the_hours_cap_is_spread_over_the_rest_of_the_hour() -> None:
    """Twenty of sixty were sent in the last half hour: forty are left for the other half."""
    snapshot = session(windows=sent(*(-1800 + 90 * index for index in range(20))))
    gaps = [gap_after(snapshot, seed) for seed in range(300)]

    assert 45 * 0.7 <= min(gaps) < 45 * 0.72
    assert 45 * 1.28 < max(gaps) <= 45 * 1.3
    assert paced_after(snapshot, campaign(), NOON, Random(1)).gap is Gap.SPREAD


def test_one_left_waits_for_the_rest_of_the_hour() -> None:
    snapshot = session(windows=sent(*(-3000 + index for index in range(59))))
    rng = Random(1)
    draw_gap(FIGURES, rng)
    assert gap_after(snapshot) == pytest.approx(600 * rng.uniform(0.7, 1.3))


def test_with_nothing_left_the_gap_follows_the_first_free_moment() -> None:
    snapshot = session(windows=sent(*(-3000 + index for index in range(60))))
    assert gap_after(snapshot) == pytest.approx(600 + draw_gap(FIGURES, Random(1)))


def test_where_the_cap_allows_more_the_draw_is_kept() -> None:
    snapshot = session(windows=sent(-HOUR_S + 1))
    assert gap_after(snapshot) == pytest.approx(draw_gap(FIGURES, Random(1)))
    assert gap_after(session()) == pytest.approx(draw_gap(FIGURES, Random(1)))
    assert paced_after(snapshot, campaign(), NOON, Random(1)).gap is Gap.DRAWN


def test_caution_and_the_ramp_stretch_the_gap() -> None:
    drawn = draw_gap(FIGURES, Random(1))
    assert gap_after(session(health=Health(20, NOON))) == pytest.approx(2 * drawn)
    assert gap_after(session(reconnected_at=later(-300))) == pytest.approx(drawn / 0.55)
    both = session(health=Health(20, NOON), reconnected_at=NOON)
    assert gap_after(both) == pytest.approx(20 * drawn)


def test_a_long_pause_that_is_shorter_than_the_spread_is_stretched_and_stays_one() -> None:
    snapshot = session(windows=sent(-1), warm_up=on_day(1), pacing=Pacing(left_in_batch=1))
    pacing = paced_after(snapshot, LARGE, NOON, Random(1))

    assert pacing.gap is Gap.LONG_PAUSE
    assert pacing.next_campaign_at is not None
    assert pacing.next_campaign_at > later(3599 / 9 * 0.7)


def test_lifted_limits_leave_gaps_as_drawn() -> None:
    busy = simulator(windows=sent(*range(-60, 0)), health=Health(20, NOON), reconnected_at=NOON)
    assert gap_after(busy) == pytest.approx(draw_gap(FIGURES, Random(1)))
