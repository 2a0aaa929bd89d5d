"""The breaker of a webhook endpoint."""

from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.domain.endpoint_health import (
    FAILURES_TO_PAUSE,
    FIRST_PAUSE_S,
    HEALTHY,
    LONGEST_PAUSE_S,
    EndpointHealth,
    after_failure,
    forgiven,
    most_in_flight,
)
from orchestrator.domain.webhook import DeliveryAnswer

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
REFUSED = DeliveryAnswer(500)


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def failed(times: int) -> EndpointHealth:
    health = HEALTHY
    for _ in range(times):
        health = after_failure(health, REFUSED, NOW)
    return health


def test_a_few_failures_change_nothing_but_the_count() -> None:
    health = failed(FAILURES_TO_PAUSE - 1)

    assert health == EndpointHealth(FAILURES_TO_PAUSE - 1)
    assert most_in_flight(health, NOW, 32) == 32


def test_failures_in_a_row_pause_the_endpoint_then_let_one_through() -> None:
    health = failed(FAILURES_TO_PAUSE)

    assert health.paused_until == later(FIRST_PAUSE_S)
    assert most_in_flight(health, later(FIRST_PAUSE_S - 0.1), 32) == 0
    assert most_in_flight(health, later(FIRST_PAUSE_S), 32) == 1


def test_what_ends_while_paused_was_under_way_before_and_changes_nothing() -> None:
    health = failed(FAILURES_TO_PAUSE)

    assert after_failure(health, REFUSED, later(1)) is health


def test_each_failed_probe_doubles_the_pause_up_to_an_hour() -> None:
    health, now, pauses = failed(FAILURES_TO_PAUSE), NOW, []
    for _ in range(40):
        assert health.paused_until is not None
        pauses.append((health.paused_until - now).total_seconds())
        now = health.paused_until
        health = after_failure(health, REFUSED, now)

    assert pauses[:4] == [6, 12, 24, 48]
    assert pauses[-1] == LONGEST_PAUSE_S
    assert pauses == sorted(pauses)


@pytest.mark.parametrize("code", [429, 503])
def test_an_endpoint_that_asks_to_wait_is_paused_at_once(code: int) -> None:
    health = after_failure(HEALTHY, DeliveryAnswer(code, retry_after_s=90.0), NOW)

    assert health == EndpointHealth(1, later(90))


def test_an_endpoint_cannot_ask_for_more_than_the_longest_pause() -> None:
    health = after_failure(HEALTHY, DeliveryAnswer(503, retry_after_s=1e9), NOW)

    assert health.paused_until == later(LONGEST_PAUSE_S)


@pytest.mark.parametrize(
    "answer", [DeliveryAnswer(500, retry_after_s=90.0), DeliveryAnswer(503), DeliveryAnswer(429)]
)
def test_other_answers_count_as_plain_failures(answer: DeliveryAnswer) -> None:
    assert after_failure(HEALTHY, answer, NOW) == EndpointHealth(1)


def test_a_forgiven_endpoint_is_tried_in_full_and_paused_by_its_next_failure() -> None:
    health = forgiven(failed(FAILURES_TO_PAUSE))

    assert most_in_flight(health, NOW, 32) == 32
    assert after_failure(health, REFUSED, NOW).paused_until == later(FIRST_PAUSE_S)
    assert forgiven(HEALTHY) == HEALTHY
