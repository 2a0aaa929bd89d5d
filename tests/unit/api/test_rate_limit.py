"""The token bucket of a key."""

import pytest

from orchestrator.api import rate_limit
from orchestrator.api.rate_limit import RateLimiter
from orchestrator.domain.errors import RATE_LIMITED, PonteError


class Clock:
    """Seconds that the test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def monotonic() -> Clock:
    return Clock()


def call(limiter: RateLimiter, key_id: str = "a") -> None:
    """A call that ends at once."""
    limiter.enter(key_id)
    limiter.leave(key_id)


def refused(limiter: RateLimiter, key_id: str = "a") -> float:
    """The seconds to wait that a refused call is told."""
    with pytest.raises(PonteError) as caught:
        limiter.enter(key_id)
    assert caught.value.code is RATE_LIMITED
    assert caught.value.retry_after_s is not None
    return caught.value.retry_after_s


def test_burst_then_steady_rate(monotonic: Clock) -> None:
    limiter = RateLimiter(2, 3, 10, monotonic)
    for _ in range(3):
        call(limiter)
    assert refused(limiter) == pytest.approx(0.5)
    monotonic.now += 0.5
    call(limiter)
    assert refused(limiter) == pytest.approx(0.5)


def test_waiting_as_told_is_enough(monotonic: Clock) -> None:
    limiter = RateLimiter(3, 1, 10, monotonic)
    call(limiter)
    for _ in range(20):
        monotonic.now += refused(limiter) + 1e-9
        call(limiter)


def test_bucket_holds_no_more_than_a_burst(monotonic: Clock) -> None:
    limiter = RateLimiter(10, 2, 10, monotonic)
    call(limiter)
    monotonic.now += 3600
    call(limiter)
    call(limiter)
    refused(limiter)


def test_keys_have_buckets_of_their_own(monotonic: Clock) -> None:
    limiter = RateLimiter(1, 1, 10, monotonic)
    call(limiter, "a")
    call(limiter, "b")
    refused(limiter, "a")


def test_running_calls_are_bounded(monotonic: Clock) -> None:
    limiter = RateLimiter(1000, 1000, 2, monotonic)
    limiter.enter("a")
    limiter.enter("a")
    refused(limiter)
    limiter.leave("a")
    limiter.enter("a")


def test_memory_is_bounded_and_forgets_only_full_buckets(
    monotonic: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limit, "_MOST_BUCKETS", 3)
    limiter = RateLimiter(1, 5, 10, monotonic)
    limiter.enter("running")
    call(limiter, "full")
    monotonic.now += 10
    call(limiter, "used")
    call(limiter, "new")
    assert set(limiter._buckets) == {"running", "used", "new"}
    limiter.leave("running")


def test_leaving_after_being_forgotten_does_no_harm(monotonic: Clock) -> None:
    RateLimiter(1, 1, 1, monotonic).leave("nobody")
