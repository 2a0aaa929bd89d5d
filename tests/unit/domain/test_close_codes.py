"""The table of closed connections."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.close_codes import (
    BreakerEffect,
    Closure,
    PassingClosure,
    PermanentClosure,
    next_reconnect,
)
from orchestrator.domain.close_codes import classify_close as classify
from orchestrator.domain.session import RUNNABLE_STATES, SessionState, Signal, transition

CODES = st.integers(-1, 2000) | st.sampled_from(
    [0, 401, 402, 403, 408, 428, 429, 440, 500, 503, 515, 1001, 1006]
)


def classify_close(code: int, state: SessionState, reason: str = "why") -> Closure:
    return classify(code, reason, state)


@pytest.mark.parametrize("state", sorted(RUNNABLE_STATES))
@given(code=CODES)
def test_what_is_closed_for_good_is_not_held_any_more(state: SessionState, code: int) -> None:
    closure = classify_close(code, state)

    if isinstance(closure, PermanentClosure):
        after = transition(state, closure.signal)
        assert after is not None
        assert after not in RUNNABLE_STATES
        assert closure.advice.endswith(".")


@pytest.mark.parametrize("state", sorted(RUNNABLE_STATES))
@given(code=CODES)
def test_what_closes_in_passing_is_connected_again(state: SessionState, code: int) -> None:
    if isinstance(classify_close(code, state), PassingClosure):
        assert transition(state, Signal.CONNECTION_LOST) in RUNNABLE_STATES


@pytest.mark.parametrize("state", sorted(RUNNABLE_STATES))
def test_giving_up_is_possible_in_every_state_that_is_held(state: SessionState) -> None:
    assert transition(state, Signal.REFUSED) not in RUNNABLE_STATES | {None}


@pytest.mark.parametrize(
    ("code", "signal"),
    [
        (401, Signal.LOGGED_OUT),
        (402, Signal.BANNED),
        (403, Signal.BANNED),
        (405, Signal.REFUSED),
        (406, Signal.BANNED),
        (409, Signal.REFUSED),
        (415, Signal.REFUSED),
        (440, Signal.REPLACED),
    ],
)
def test_codes_that_close_for_good(code: int, signal: Signal) -> None:
    closure = classify_close(code, SessionState.CONNECTED)

    assert isinstance(closure, PermanentClosure)
    assert (closure.signal, closure.breaker) == (signal, BreakerEffect.OPEN)


@pytest.mark.parametrize(
    ("code", "base_s", "cap_s", "max_tries", "breaker"),
    [
        (408, 1, 300, 0, BreakerEffect.COUNT),
        (428, 1, 300, 0, BreakerEffect.COUNT),
        (1001, 1, 300, 0, BreakerEffect.COUNT),
        (1006, 1, 300, 0, BreakerEffect.COUNT),
        (503, 5, 300, 0, BreakerEffect.NONE),
        (429, 60, 3600, 0, BreakerEffect.HALF_OPEN),
        (515, 0, 300, 0, BreakerEffect.NONE),
        (500, 1, 300, 5, BreakerEffect.HALF_OPEN),
        (599, 1, 300, 5, BreakerEffect.HALF_OPEN),
    ],
)
def test_codes_that_close_in_passing(
    code: int, base_s: float, cap_s: float, max_tries: int, breaker: BreakerEffect
) -> None:
    closure = classify_close(code, SessionState.CONNECTED)

    assert closure == PassingClosure(base_s, cap_s, max_tries, breaker)


@pytest.mark.parametrize("status", [301, 401, 402, 403, 404, 405, 440, 500, 502, 503])
def test_a_refused_upgrade_is_a_failing_server_whatever_its_status_would_mean_from_whatsapp(
    status: int,
) -> None:
    assert classify_close(status, SessionState.CONNECTED, "upgrade_refused") == PassingClosure(base_s=5.0)


def test_an_upgrade_that_is_refused_for_its_rate_is_tried_again_slowly() -> None:
    closure = classify_close(429, SessionState.CONNECTED, "upgrade_refused")

    assert closure == PassingClosure(60.0, 3600.0, 0, BreakerEffect.HALF_OPEN)


@pytest.mark.parametrize(
    "reason", ["bridge_lost", "auth_store_failed", "inbound_store_failed", "ended", "unknown"]
)
def test_faults_of_our_own_blame_no_network(reason: str) -> None:
    assert classify_close(0, SessionState.CONNECTED, reason) == PassingClosure(base_s=1.0)


def test_a_connection_that_was_not_made_in_time_blames_the_network() -> None:
    closure = classify_close(0, SessionState.RECONNECTING, "connect_timeout")

    assert closure == PassingClosure(1.0, breaker=BreakerEffect.COUNT)


def test_a_qr_that_nobody_scanned_is_told_from_a_connection_lost_while_it_was_shown() -> None:
    expired = classify_close(408, SessionState.PAIRING, "qr_expired")
    lost = classify_close(408, SessionState.PAIRING, "connection_lost")

    assert isinstance(expired, PermanentClosure)
    assert isinstance(lost, PermanentClosure)
    assert "not scanned" in expired.advice
    assert "lost" in lost.advice
    assert expired.breaker is lost.breaker is BreakerEffect.NONE


@pytest.mark.parametrize("code", [0, 408, 428, 500, 503, 1006])
def test_while_pairing_a_lost_connection_ends_the_pairing(code: int) -> None:
    closure = classify_close(code, SessionState.PAIRING)

    assert isinstance(closure, PermanentClosure)
    assert closure.signal is Signal.PAIRING_ENDED


def test_the_restart_after_pairing_goes_on_at_once() -> None:
    closure = classify_close(515, SessionState.PAIRING)

    assert isinstance(closure, PassingClosure)
    assert next_reconnect(closure, 0, Random(1)) == 0


@given(st.integers(0, 10_000), st.integers(), CODES)
def test_a_wait_is_within_its_bounds(failures: int, seed: int, code: int) -> None:
    closure = classify_close(code, SessionState.CONNECTED)
    if isinstance(closure, PermanentClosure):
        return
    wait = next_reconnect(closure, failures, Random(seed))

    if closure.max_tries and failures >= closure.max_tries:
        assert wait is None
    else:
        assert wait is not None
        assert 0 <= wait <= closure.cap_s


def test_waits_double_on_average_and_are_spread_over_their_whole_range() -> None:
    rng, closure = Random(7), PassingClosure(base_s=1.0)
    for failures, ceiling in ((0, 1), (1, 2), (5, 32), (20, 300)):
        waits = [next_reconnect(closure, failures, rng) or 0.0 for _ in range(2000)]
        assert min(waits) < ceiling * 0.01
        assert max(waits) > ceiling * 0.99
        assert abs(sum(waits) / len(waits) - ceiling / 2) < ceiling * 0.03
