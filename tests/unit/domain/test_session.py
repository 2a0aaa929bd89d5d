"""The session's state machine, what a closed connection means, and when to connect again."""

from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.jid import ContactId
from orchestrator.domain.session import (
    LINKED_STATES,
    RUNNABLE_STATES,
    TRANSITIONS,
    DesiredState,
    PassingClosure,
    PermanentClosure,
    Session,
    SessionState,
    Signal,
    classify_close,
    next_reconnect,
    transition,
)

STATES, SIGNALS = list(SessionState), list(Signal)
CODES = st.integers(-1, 2000) | st.sampled_from(
    [0, 401, 402, 403, 408, 428, 429, 440, 500, 503, 515, 1001, 1006]
)


def test_every_signal_has_its_row() -> None:
    assert set(TRANSITIONS) == set(Signal)


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize("state", STATES)
def test_the_table_is_closed_over_the_states(state: SessionState, signal: Signal) -> None:
    after = transition(state, signal)

    assert after is None or after in SessionState


@given(st.lists(st.sampled_from(SIGNALS), max_size=40))
def test_whatever_happened_a_session_can_be_stopped_and_brought_up_again(signals: list[Signal]) -> None:
    state = SessionState.NEW
    for signal in signals:
        state = transition(state, signal) or state

    state = transition(state, Signal.STOP_REQUESTED) or state
    assert state not in RUNNABLE_STATES
    up = transition(state, Signal.START_REQUESTED) or transition(state, Signal.PAIR_REQUESTED)
    assert up in RUNNABLE_STATES


@given(st.lists(st.sampled_from(SIGNALS), max_size=40))
def test_a_number_is_linked_only_by_linking_and_unlinked_only_by_logging_out(signals: list[Signal]) -> None:
    state = SessionState.NEW
    for signal in signals:
        after = transition(state, signal) or state
        if after in LINKED_STATES and state not in LINKED_STATES:
            assert signal in (Signal.LINKED, Signal.OPENED, Signal.IMPORTED)
        if state in LINKED_STATES and after not in LINKED_STATES:
            assert signal is Signal.LOGGED_OUT
        state = after


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
    assert closure.signal is signal


@pytest.mark.parametrize(
    ("code", "base_s", "cap_s", "max_tries"),
    [
        (0, 1, 300, 0),
        (408, 1, 300, 0),
        (428, 1, 300, 0),
        (1001, 1, 300, 0),
        (1006, 1, 300, 0),
        (503, 5, 300, 0),
        (429, 60, 3600, 0),
        (515, 0, 300, 0),
        (500, 1, 300, 5),
        (599, 1, 300, 5),
    ],
)
def test_codes_that_close_in_passing(code: int, base_s: float, cap_s: float, max_tries: int) -> None:
    assert classify_close(code, SessionState.CONNECTED) == PassingClosure(base_s, cap_s, max_tries)


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


@pytest.mark.parametrize("state", STATES)
def test_a_session_is_linked_in_the_states_in_which_messages_may_be_queued(state: SessionState) -> None:
    now = datetime(2026, 1, 5, tzinfo=UTC)
    session = Session("id", "company", "Sales", state, DesiredState.RUN, ContactId(), "", None, now, None)

    assert session.is_linked is (
        state not in {SessionState.NEW, SessionState.PAIRING, SessionState.LOGGED_OUT}
    )
