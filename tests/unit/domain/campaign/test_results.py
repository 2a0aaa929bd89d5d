"""How variants did."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.campaign.results import Progress, Tally, results, steps, wilson


def test_a_receipt_counts_what_it_includes_once() -> None:
    assert steps(None, Progress.SENT) == (Progress.SENT,)
    assert steps(None, Progress.READ) == (Progress.SENT, Progress.DELIVERED, Progress.READ)
    assert steps(Progress.SENT, Progress.READ) == (Progress.DELIVERED, Progress.READ)
    assert steps(Progress.READ, Progress.DELIVERED) == ()


def test_tallies_add_up() -> None:
    total = Tally(queued=5, sent=2, failed=1) + Tally(queued=3, sent=1, cancelled=1, replied=1)

    assert total == Tally(queued=8, sent=3, failed=1, cancelled=1, replied=1)
    assert total.outstanding == 3


def test_the_interval_is_wilsons() -> None:
    # Newcombe 1998, table I: 81 of 263 gives 0.2553 to 0.3662.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 0) == (0.0, 1.0)


@given(st.integers(1, 10_000), st.data())
def test_the_interval_holds_the_share(trials: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, trials))
    low, high = wilson(successes, trials)

    assert 0 <= low <= successes / trials + 1e-9
    assert successes / trials - 1e-9 <= high <= 1


def test_the_variant_whose_replies_are_surely_more_leads() -> None:
    found = results(
        [("A", Tally(delivered=200, replied=60)), ("B", Tally(delivered=200, replied=20)), ("C", Tally())]
    )

    assert [result.leads for result in found] == [True, False, False]
    assert found[0].reply_share == 0.3
    assert found[2].reply_share == 0.0


def test_nobody_leads_while_intervals_overlap_or_there_is_nothing_to_compare() -> None:
    close = results([("A", Tally(delivered=200, replied=22)), ("B", Tally(delivered=200, replied=20))])
    few = results([("A", Tally(delivered=29, replied=29)), ("B", Tally(delivered=200, replied=1))])

    assert not any(result.leads for result in [*close, *few])
    assert not any(result.leads for result in results([("A", Tally())]))
