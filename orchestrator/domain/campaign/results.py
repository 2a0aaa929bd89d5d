"""How the variants of a campaign did, and which of them stands out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import sqrt

_Z95 = 1.959964
"""Two-sided 95 % quantile of the normal distribution."""

FEWEST_TO_COMPARE = 30
"""Delivered messages that a variant needs before it is compared: below, the interval says nothing."""


class Progress(StrEnum):
    """How far a recipient's message has come; each includes those before it."""

    SENT = "SENT"
    DELIVERED = "DELIVERED"
    READ = "READ"


_ORDER = tuple(Progress)


@dataclass(frozen=True, slots=True)
class Tally:
    """Recipients by what became of their message. `sent` includes delivered ones, `delivered` those that read it."""

    queued: int = 0
    sent: int = 0
    delivered: int = 0
    read: int = 0
    replied: int = 0
    failed: int = 0
    cancelled: int = 0
    opted_out: int = 0
    confirmed: int = 0

    @property
    def outstanding(self) -> int:
        """Recipients whose message waits or is under way."""
        return self.queued - self.sent - self.failed - self.cancelled

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(*(getattr(self, name) + getattr(other, name) for name in TALLY_FIELDS))


TALLY_FIELDS = tuple(Tally.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class VariantResult:
    """A variant with its figures. Shares are of delivered messages, with the bounds of a 95 % Wilson interval."""

    name: str
    tally: Tally
    reply_share: float
    reply_low: float
    reply_high: float
    leads: bool = False
    """Its replies are surely more than those of every other variant that can be compared."""


def steps(before: Progress | None, after: Progress) -> tuple[Progress, ...]:
    """Give the counters that a receipt moves: a message that was read without word of its delivery was delivered."""
    done = _ORDER.index(before) + 1 if before else 0
    return _ORDER[done : _ORDER.index(after) + 1]


def results(tallies: Sequence[tuple[str, Tally]]) -> list[VariantResult]:
    """Give each variant's result; the one that leads, if one does, is marked."""
    found = [_result(name, tally) for name, tally in tallies]
    compared = [result for result in found if result.tally.delivered >= FEWEST_TO_COMPARE]
    best = max(compared, key=lambda result: result.reply_low, default=None)
    if best is None or len(compared) < 2:
        return found
    if any(other is not best and other.reply_high >= best.reply_low for other in compared):
        return found
    return [replace(result, leads=result is best) for result in found]


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """Give the bounds of the 95 % Wilson score interval of a share (Wilson 1927); 0 and 1 without trials."""
    if trials == 0:
        return 0.0, 1.0
    share, square = successes / trials, _Z95 * _Z95
    centre = share + square / (2 * trials)
    spread = _Z95 * sqrt(share * (1 - share) / trials + square / (4 * trials * trials))
    scale = 1 + square / trials
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


def _result(name: str, tally: Tally) -> VariantResult:
    low, high = wilson(tally.replied, tally.delivered)
    share = tally.replied / tally.delivered if tally.delivered else 0.0
    return VariantResult(name, tally, share, low, high)
