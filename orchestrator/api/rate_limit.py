"""A token bucket per key, in this process: with N processes a key has N times the rate."""

from collections.abc import Callable
from dataclasses import dataclass

from orchestrator.domain.errors import RATE_LIMITED, PonteError

_MOST_BUCKETS = 10_000
"""Keys remembered at a time; full buckets, which remember nothing, are forgotten first."""


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float
    running: int = 0


class RateLimiter:
    """Bounds how often a key may call and how many of its calls may run at the same time.

    `monotonic` gives seconds from any start; `per_second` tokens flow into a bucket that holds `burst`.
    """

    def __init__(self, per_second: float, burst: int, in_flight: int, monotonic: Callable[[], float]) -> None:
        self._per_second = per_second
        self._burst = float(burst)
        self._in_flight = in_flight
        self._monotonic = monotonic
        self._buckets: dict[str, _Bucket] = {}

    def enter(self, key_id: str) -> None:
        """Take a token and a place; `leave` gives the place back. Raises RATE_LIMITED with the seconds to wait."""
        bucket = self._bucket(key_id)
        if bucket.tokens < 1:
            raise PonteError(RATE_LIMITED, retry_after_s=(1 - bucket.tokens) / self._per_second)
        if bucket.running >= self._in_flight:
            raise PonteError(
                RATE_LIMITED,
                f"More than {self._in_flight} requests with this key are running; wait until some have ended.",
                retry_after_s=1.0,
            )
        bucket.tokens -= 1
        bucket.running += 1

    def leave(self, key_id: str) -> None:
        """A call that had entered has ended."""
        bucket = self._buckets.get(key_id)
        if bucket is not None:
            bucket.running -= 1

    def _bucket(self, key_id: str) -> _Bucket:
        now = self._monotonic()
        bucket = self._buckets.get(key_id)
        if bucket is None:
            if len(self._buckets) >= _MOST_BUCKETS:
                self._forget_idle(now)
            bucket = self._buckets[key_id] = _Bucket(self._burst, now)
            return bucket
        bucket.tokens = min(self._burst, bucket.tokens + (now - bucket.at) * self._per_second)
        bucket.at = now
        return bucket

    def _forget_idle(self, now: float) -> None:
        refill_s = self._burst / self._per_second
        self._buckets = {
            key_id: bucket
            for key_id, bucket in self._buckets.items()
            if bucket.running or now - bucket.at < refill_s
        }
