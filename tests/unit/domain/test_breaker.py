"""The breaker of a session."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain import errors
from orchestrator.domain.breaker import (
    FAILURES_TO_OPEN,
    FIRST_PAUSE_S,
    LONGEST_PAUSE_S,
    Breaker,
    BreakerState,
    after_closing,
    after_verdicts,
    allowance,
    record_failure,
    record_rate_limit,
    record_stale_device,
    record_success,
    resume,
)
from orchestrator.domain.close_codes import BreakerEffect
from orchestrator.domain.retry import Failed, RetryAt, Sent

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
    probing, _ = allowance(failed(FAILURES_TO_OPEN), later(FIRST_PAUSE_S), 1)

    assert record_success(probing, later(FIRST_PAUSE_S)) == Breaker()
    assert record_success(failed(1), NOW) == Breaker()
    untouched = Breaker()
    assert record_success(untouched, NOW) is untouched


def test_the_success_of_what_was_under_way_when_it_opened_does_not_end_the_pause() -> None:
    opened = failed(FAILURES_TO_OPEN)

    assert record_success(opened, later(1)) is opened


def test_a_connection_closed_for_good_opens_it_until_a_person_resumes() -> None:
    held = after_closing(Breaker(), BreakerEffect.OPEN)

    assert held.waits_for_person
    assert allowance(held, later(10**8), 64) == (held, 0)
    assert record_success(held, NOW) is record_failure(held, NOW) is held
    assert record_rate_limit(held, later(1)) is held
    resumed = resume(held)
    assert allowance(resumed, NOW, 64)[1] == 1
    assert record_success(resumed, NOW) == Breaker()


def test_a_person_does_not_shorten_the_pause_of_failing_messages() -> None:
    opened = failed(FAILURES_TO_OPEN)

    assert resume(opened) is opened


def test_a_failing_network_makes_one_message_probe() -> None:
    probing = after_closing(Breaker(), BreakerEffect.HALF_OPEN)

    assert allowance(probing, NOW, 64) == (probing, 1)
    assert after_closing(probing, BreakerEffect.HALF_OPEN) is probing
    assert after_closing(Breaker(), BreakerEffect.NONE) == Breaker()


def test_a_rate_limit_holds_everything_until_its_end_and_then_one_message_probes() -> None:
    verdict = RetryAt(later(60), errors.WHATSAPP_RATE_LIMITED)
    limited = after_verdicts(Breaker(), [Sent(), verdict], NOW)

    assert allowance(limited, later(59), 64)[1] == 0
    assert allowance(limited, later(60), 64)[1] == 1
    assert record_rate_limit(limited, later(30)) is limited
    assert record_rate_limit(limited, later(120)).until == later(120)


def test_three_stale_device_sessions_in_an_hour_make_one_message_probe() -> None:
    breaker = Breaker()
    for seconds in (0, 1000, 2000):
        assert breaker.state is BreakerState.CLOSED
        breaker = after_verdicts(breaker, [Failed(errors.STALE_DEVICE_SESSION)], later(seconds))
    assert breaker.state is BreakerState.HALF_OPEN

    apart = Breaker()
    for seconds in range(0, 20000, 1900):
        apart = record_stale_device(apart, later(seconds))
    assert apart.state is BreakerState.CLOSED


def test_a_success_does_not_hide_stale_device_sessions() -> None:
    stale = record_stale_device(Breaker(failures=1), NOW)

    assert record_success(stale, NOW) == Breaker(stale_devices=(NOW,))


def test_the_failures_that_come_together_count_once_and_beside_a_success_not_at_all() -> None:
    blames = RetryAt(later(5), errors.NETWORK, blames_session=True)

    assert after_verdicts(Breaker(), [blames, blames, blames], NOW).failures == 1
    assert after_verdicts(Breaker(), [blames, Sent()], NOW) == Breaker()
    assert after_verdicts(Breaker(), [RetryAt(NOW, errors.OUTCOME_UNKNOWN)], NOW) == Breaker()


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
            breaker = record_success(breaker, now) if success else record_failure(breaker, now)

    assert allowance(breaker, now + timedelta(seconds=LONGEST_PAUSE_S), 64)[1] >= 1
