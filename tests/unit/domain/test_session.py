"""The session's state machine."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.jid import ContactId
from orchestrator.domain.session import (
    LINKED_STATES,
    RUNNABLE_STATES,
    TRANSITIONS,
    DesiredState,
    Session,
    SessionState,
    Signal,
    transition,
)

STATES, SIGNALS = list(SessionState), list(Signal)


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


@pytest.mark.parametrize("state", STATES)
def test_a_session_is_linked_in_the_states_in_which_messages_may_be_queued(state: SessionState) -> None:
    now = datetime(2026, 1, 5, tzinfo=UTC)
    session = Session("id", "company", "Sales", state, DesiredState.RUN, ContactId(), "", None, now, None)

    assert session.is_linked is (
        state not in {SessionState.NEW, SessionState.PAIRING, SessionState.LOGGED_OUT}
    )


@pytest.mark.parametrize("state", STATES)
def test_a_session_that_nobody_holds_any_more_does_not_read_connected(state: SessionState) -> None:
    now = datetime(2026, 1, 5, tzinfo=UTC)
    session = Session("id", "company", "Sales", state, DesiredState.RUN, ContactId(), "", None, now, None)
    held = replace(session, held_until=now + timedelta(seconds=1))
    expected = SessionState.RECONNECTING if state is SessionState.CONNECTED else state

    assert held.seen_at(now).state is state
    assert replace(session, held_until=now).seen_at(now).state is expected
    assert session.seen_at(now).state is expected
