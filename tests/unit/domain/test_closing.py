"""What follows a closed connection."""

from random import Random

import pytest

from orchestrator.domain.closing import STABLE_CONNECTION_S, AfterClose, Closed, after_close
from orchestrator.domain.session import SessionState, Signal


def close(
    code: int,
    state: SessionState = SessionState.CONNECTED,
    *,
    failures: int = 0,
    connected_for_s: float = 0.0,
    expires_in_s: int = 0,
) -> AfterClose:
    closed = Closed(code, "why", expires_in_s=expires_in_s)
    return after_close(closed, state, failures, connected_for_s, Random(7))


@pytest.mark.parametrize(
    ("code", "signal"),
    [(401, Signal.LOGGED_OUT), (403, Signal.BANNED), (405, Signal.REFUSED), (440, Signal.REPLACED)],
)
def test_what_a_person_must_mend_stays_down(code: int, signal: Signal) -> None:
    after = close(code, failures=3)
    assert (after.signal, after.permanent, after.failures) == (signal, True, 0)
    assert after.advice


def test_a_lost_network_is_tried_again_later_each_time() -> None:
    first, tenth = close(428), close(428, failures=9)
    assert first.signal is Signal.CONNECTION_LOST
    assert first.reconnect_in_s is not None
    assert tenth.reconnect_in_s is not None
    assert 0 <= first.reconnect_in_s <= 1
    assert first.reconnect_in_s < tenth.reconnect_in_s <= 300
    assert (first.failures, tenth.failures) == (1, 10)


def test_a_stable_connection_ends_the_count_of_failures() -> None:
    assert close(428, failures=9, connected_for_s=STABLE_CONNECTION_S).failures == 1
    assert close(428, failures=9, connected_for_s=STABLE_CONNECTION_S - 1).failures == 10


def test_the_restart_after_linking_is_followed_at_once_and_is_no_news() -> None:
    after = close(515, SessionState.CONNECTING)
    assert (after.signal, after.reconnect_in_s, after.permanent) == (None, 0.0, False)


def test_a_restart_of_a_connected_session_shows() -> None:
    assert close(515).signal is Signal.CONNECTION_LOST


def test_restarts_without_end_are_slowed_down() -> None:
    after = close(515, SessionState.RECONNECTING, failures=3)
    assert after.reconnect_in_s is not None
    assert after.reconnect_in_s > 0


def test_unknown_errors_are_given_up_after_five_tries() -> None:
    assert not close(500, failures=4).permanent
    given_up = close(500, failures=5)
    assert (given_up.signal, given_up.permanent) == (Signal.REFUSED, True)
    assert "6 times" in given_up.advice


def test_a_temporary_ban_says_how_long_it_lasts() -> None:
    assert "about 2 h" in close(402, expires_in_s=3700).advice
    assert "about" not in close(402).advice


def test_a_qr_that_nobody_scanned_ends_the_pairing() -> None:
    after = close(408, SessionState.PAIRING)
    assert (after.signal, after.permanent) == (Signal.PAIRING_ENDED, True)
