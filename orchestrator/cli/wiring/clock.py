"""The time and the randomness that production runs on."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random, SystemRandom


def utc_now() -> datetime:
    """Return the time now, aware, UTC."""
    return datetime.now(UTC)


def system_rng() -> Random:
    """Return a source of randomness that cannot be foretold: ids and jitter come from it."""
    return SystemRandom()
