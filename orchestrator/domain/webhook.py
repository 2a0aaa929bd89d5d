"""Webhooks: endpoints, deliveries and when a failed delivery is tried again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random

RETRY_DELAYS_S = (5, 30, 120, 600, 3600, 21_600, 86_400)
"""Waits before the second and later attempts; after the last the delivery is a dead letter."""

LONGEST_WAIT_S = 86_400.0
"""A Retry-After of more than this is cut to it."""

_JITTER = 0.1
_GONE = 410


class DeliveryStatus(StrEnum):
    """Where a delivery stands."""

    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    DEAD = "DEAD"


@dataclass(frozen=True, slots=True)
class Webhook:
    """An endpoint of a company.

    `events` are type patterns (`message.*`, `*`); `disabled_reason` is empty while it is on.
    """

    id: str
    company_id: str
    url: str
    events: tuple[str, ...]
    created_at: datetime
    disabled_reason: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one endpoint."""

    id: str
    webhook_id: str
    event_id: str
    sequence: int
    event_type: str
    status: DeliveryStatus
    attempts: int
    next_attempt_at: datetime | None
    last_status_code: int
    last_error: str
    created_at: datetime
    delivered_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeliveryAnswer:
    """What the endpoint said: an HTTP status (0 when there was none), an error word, and its Retry-After in seconds."""

    status_code: int
    error: str = ""
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Delivered:
    """The endpoint took it."""


@dataclass(frozen=True, slots=True)
class TryAgain:
    """The endpoint did not take it; try again at this time."""

    at: datetime


@dataclass(frozen=True, slots=True)
class GiveUp:
    """No more attempts; the delivery is kept as a dead letter. `disable` says that the endpoint is gone for good."""

    disable: bool


def matches(patterns: tuple[str, ...], event_type: str) -> bool:
    """Tell whether an event type is among the patterns of a webhook."""
    return any(
        pattern == "*"
        or pattern == event_type
        or (pattern.endswith(".*") and event_type.startswith(pattern[:-1]))
        for pattern in patterns
    )


def after_attempt(
    attempts: int, answer: DeliveryAnswer, now: datetime, rng: Random
) -> Delivered | TryAgain | GiveUp:
    """Decide what follows the attempt number `attempts` (1 for the first)."""
    if 200 <= answer.status_code < 300:
        return Delivered()
    if answer.status_code == _GONE:
        return GiveUp(disable=True)
    if attempts > len(RETRY_DELAYS_S):
        return GiveUp(disable=False)
    delay = RETRY_DELAYS_S[attempts - 1] * (1 + rng.uniform(-_JITTER, _JITTER))
    asked = min(answer.retry_after_s or 0.0, LONGEST_WAIT_S)
    return TryAgain(now + timedelta(seconds=max(delay, asked)))
