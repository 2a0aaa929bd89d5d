"""What follows a closed connection."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from orchestrator.domain.close_codes import BreakerEffect
from orchestrator.domain.close_history import CloseHistory
from orchestrator.domain.closing import (
    BAN_REST_S,
    STABLE_CONNECTION_S,
    AfterClose,
    Closed,
    Connection,
    after_close,
)
from orchestrator.domain.session import SessionState, Signal

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
NOTHING = CloseHistory()


def close(
    code: int,
    state: SessionState = SessionState.CONNECTED,
    *,
    reason: str = "why",
    failures: int = 0,
    connected_for_s: float = 0.0,
    expires_in_s: int = 0,
    ban_code: int = 0,
    history: CloseHistory = NOTHING,
    now: datetime = NOW,
    intentional: bool = False,
) -> AfterClose:
    closed = Closed(code, reason, "", intentional, expires_in_s, ban_code)
    return after_close(closed, Connection(state, failures, connected_for_s, history), now, Random(7))


def close_each(gap: timedelta, times: int, **more: object) -> list[AfterClose]:
    """Close again and again, each with what the one before has left."""
    afters: list[AfterClose] = []
    for index in range(times):
        history = afters[-1].history if afters else NOTHING
        afters.append(close(428, history=history, now=NOW + index * gap, **more))  # type: ignore[arg-type]  # as close has them
    return afters


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


def test_a_temporary_ban_says_why_and_how_long_it_lasts_and_rests_a_day_more() -> None:
    after = close(402, expires_in_s=3700, ban_code=104)

    assert "about 2 h" in after.advice
    assert "the same message to too many people (104)" in after.advice
    assert after.rest_s == 3700 + BAN_REST_S
    assert after.breaker is BreakerEffect.OPEN
    assert "about" not in close(402).advice
    assert close(402).rest_s == 0


@pytest.mark.parametrize("ban_code", [0, 101, 102, 103, 104, 106, 999])
def test_the_advice_of_a_ban_fits_its_column(ban_code: int) -> None:
    assert len(close(402, expires_in_s=10**15, ban_code=ban_code).advice) <= 300


def test_a_qr_that_nobody_scanned_ends_the_pairing() -> None:
    after = close(408, SessionState.PAIRING, reason="qr_expired")

    assert (after.signal, after.permanent) == (Signal.PAIRING_ENDED, True)
    assert after.breaker is BreakerEffect.NONE


def test_what_is_given_up_opens_the_breaker() -> None:
    assert close(500).breaker is BreakerEffect.HALF_OPEN
    assert close(500, failures=5).breaker is BreakerEffect.OPEN


def test_five_network_closes_in_an_hour_make_the_breaker_careful() -> None:
    assert [after.breaker for after in close_each(HOUR / 6, 6)] == [
        *[BreakerEffect.NONE] * 4,
        *[BreakerEffect.HALF_OPEN] * 2,
    ]
    assert {after.breaker for after in close_each(HOUR / 4, 12)} == {BreakerEffect.NONE}


def test_a_connection_that_is_lost_five_times_in_ten_minutes_loops_which_is_told_once() -> None:
    afters = close_each(2 * MINUTE, 8)

    assert [after.begins_loop for after in afters] == [False] * 4 + [True] + [False] * 3
    assert "again and again" in afters[4].advice
    assert "again and again" in afters[7].advice
    assert "again and again" not in afters[3].advice
    assert len(afters[4].advice) <= 300


def test_a_loop_that_has_ended_is_told_of_again_when_it_begins_anew() -> None:
    looping = close_each(MINUTE, 5)[-1]
    calm = close(428, history=looping.history, now=NOW + HOUR)

    assert (looping.history.looping, calm.history.looping) == (True, False)
    assert "again and again" not in calm.advice


@pytest.mark.parametrize("state", [SessionState.RECONNECTING, SessionState.CONNECTING])
def test_tries_in_vain_are_no_loop(state: SessionState) -> None:
    assert not any(after.begins_loop for after in close_each(MINUTE, 9, state=state))


def test_what_ponte_ended_itself_is_no_loop() -> None:
    assert not any(after.begins_loop for after in close_each(MINUTE, 9, intentional=True, reason="ended"))


def test_what_stays_down_loops_no_more() -> None:
    looping = close_each(MINUTE, 5)[-1]

    assert not close(440, history=looping.history).history.looping
