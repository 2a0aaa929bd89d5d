"""Webhook patterns, and when a delivery is tried again."""

import math
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.webhook import (
    LONGEST_WAIT_S,
    RETRY_DELAYS_S,
    Delivered,
    DeliveryAnswer,
    GiveUp,
    TryAgain,
    after_attempt,
    matches,
)

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)

answers = st.builds(
    DeliveryAnswer,
    status_code=st.integers(0, 999),
    error=st.text(max_size=5),
    retry_after_s=st.none() | st.floats(),
)


@pytest.mark.parametrize(
    ("patterns", "type_", "expected"),
    [
        (("*",), "message.sent", True),
        (("message.*",), "message.sent", True),
        (("message.*",), "messages.sent", False),
        (("message.*",), "session.closed", False),
        (("message.sent",), "message.sent", True),
        (("message.sent",), "message.sent.later", False),
        (("session.closed", "message.*"), "message.read", True),
        ((), "message.sent", False),
    ],
)
def test_patterns_match_a_type_a_group_or_everything(
    patterns: tuple[str, ...], type_: str, expected: bool
) -> None:
    assert matches(patterns, type_) is expected


@given(answers, st.integers(1, 100), st.integers())
def test_every_answer_has_one_consequence(answer: DeliveryAnswer, attempts: int, seed: int) -> None:
    verdict = after_attempt(attempts, answer, NOW, Random(seed))

    assert isinstance(verdict, Delivered) == (200 <= answer.status_code < 300)
    assert (verdict == GiveUp(disable=True)) == (answer.status_code == 410)
    if isinstance(verdict, TryAgain):
        assert attempts <= len(RETRY_DELAYS_S)
        assert NOW < verdict.at <= NOW + timedelta(seconds=LONGEST_WAIT_S * 1.1)


@pytest.mark.parametrize(("attempt", "delay"), list(enumerate(RETRY_DELAYS_S, start=1)))
def test_each_wait_is_that_of_the_schedule_give_or_take_a_tenth(attempt: int, delay: int) -> None:
    rng = Random(attempt)
    waits = []
    for _ in range(200):
        verdict = after_attempt(attempt, DeliveryAnswer(500), NOW, rng)
        assert isinstance(verdict, TryAgain)
        waits.append((verdict.at - NOW).total_seconds())

    assert delay * 0.9 <= min(waits) < delay * 0.95
    assert delay * 1.05 < max(waits) <= delay * 1.1


def test_an_endpoint_that_is_gone_for_good_is_switched_off() -> None:
    assert after_attempt(1, DeliveryAnswer(410), NOW, Random(1)) == GiveUp(disable=True)


def test_after_the_last_wait_it_gives_up_but_keeps_the_endpoint() -> None:
    last = len(RETRY_DELAYS_S) + 1

    assert after_attempt(last, DeliveryAnswer(0, "timeout"), NOW, Random(1)) == GiveUp(disable=False)


@pytest.mark.parametrize(
    ("retry_after_s", "seconds"),
    [(300.0, 300.0), (1e30, LONGEST_WAIT_S), (math.inf, LONGEST_WAIT_S)],
)
def test_an_endpoint_may_ask_for_a_longer_wait_of_at_most_a_day(retry_after_s: float, seconds: float) -> None:
    answer = DeliveryAnswer(429, retry_after_s=retry_after_s)

    assert after_attempt(1, answer, NOW, Random(1)) == TryAgain(NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize("retry_after_s", [0.0, -5.0, math.nan, None])
def test_it_may_not_ask_for_a_shorter_one(retry_after_s: float | None) -> None:
    verdict = after_attempt(2, DeliveryAnswer(503, retry_after_s=retry_after_s), NOW, Random(1))

    assert isinstance(verdict, TryAgain)
    assert verdict.at >= NOW + timedelta(seconds=27)
