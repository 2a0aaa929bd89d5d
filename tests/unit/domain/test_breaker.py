"""The breaker of a session."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.breaker import (
    FAILURES_TO_OPEN,
    FIRST_PAUSE_S,
    LONGEST_PAUSE_S,
    Breaker,
    BreakerState,
    allowance,
    record_failure,
    record_success,
)

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def failed(times: int) -> Breaker:
    breaker = Breaker()
    for _ in range(times):
        breaker = record_failure(breaker, NOW)
    return breaker


def test_a_closed_breaker_lets_all_through() -> None:
    assert allowance(Breaker(), NOW, 64) == (Breaker(), 64)
    assert allowance(failed(FAILURES_TO_OPEN - 1), NOW, 64)[1] == 64


def test_failures_in_a_row_open_it() -> None:
    breaker = failed(FAILURES_TO_OPEN)

    assert breaker.state is BreakerState.OPEN
    assert breaker.until == later(FIRST_PAUSE_S)
    assert allowance(breaker, later(FIRST_PAUSE_S - 0.1), 64) == (breaker, 0)


def test_after_the_pause_one_message_probes() -> None:
    breaker, allowed = allowance(failed(FAILURES_TO_OPEN), later(FIRST_PAUSE_S), 64)

    assert (breaker.state, allowed) == (BreakerState.HALF_OPEN, 1)
    assert allowance(breaker, later(FIRST_PAUSE_S), 0)[1] == 0


def test_a_success_closes_it_and_is_forgotten() -> None:
    assert record_success(failed(FAILURES_TO_OPEN)) == Breaker()
    untouched = Breaker()
    assert record_success(untouched) is untouched


def test_failures_of_what_was_under_way_when_it_opened_do_not_lengthen_the_pause() -> None:
    opened = failed(FAILURES_TO_OPEN)

    assert record_failure(opened, later(1)) is opened


def test_each_failed_probe_doubles_the_pause_up_to_half_an_hour() -> None:
    breaker, now, pauses = failed(FAILURES_TO_OPEN), NOW, []
    for _ in range(30):
        assert breaker.until is not None
        pauses.append((breaker.until - now).total_seconds())
        now = breaker.until
        breaker = record_failure(allowance(breaker, now, 1)[0], now)

    assert pauses[:4] == [30, 60, 120, 240]
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE_S


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 4000)), max_size=60))
def test_whatever_happens_it_lets_something_through_again_within_the_longest_pause(
    history: list[tuple[bool, float]],
) -> None:
    breaker, now = Breaker(), NOW
    for success, seconds in history:
        now += timedelta(seconds=seconds)
        breaker, allowed = allowance(breaker, now, 64)
        if allowed:
            breaker = record_success(breaker) if success else record_failure(breaker, now)

    assert allowance(breaker, now + timedelta(seconds=LONGEST_PAUSE_S), 64)[1] >= 1
