"""Which fault strikes when: drawn from a seed alone, so that a seed repeats the schedule."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

_QUIET_SHARE = 0.05
"""Share of the time at each end in which nothing strikes: work has to be under way."""


@dataclass(frozen=True, slots=True)
class Way:
    """A way to hurt a victim.

    `weight` is how often it comes compared with others, `shortest_s` and `longest_s` bound how long it lasts. `always`
    says that every schedule has it at least once.
    """

    victim: str
    name: str
    weight: float = 1.0
    shortest_s: float = 0.0
    longest_s: float = 0.0
    always: bool = False


@dataclass(frozen=True, slots=True)
class Strike:
    """One fault: `at_s` after the traffic began, for `lasts_s`; `draw` (0 to 1) picks whom among many it hits."""

    at_s: float
    victim: str
    way: str
    lasts_s: float
    draw: float

    def __str__(self) -> str:
        lasts = f" for {self.lasts_s:.1f} s" if self.lasts_s else ""
        return f"{self.at_s:6.2f} s  {self.victim}: {self.way}{lasts}"


def draw_schedule(rng: Random, ways: Sequence[Way], duration_s: float, strikes: int) -> list[Strike]:
    """Draw `strikes` faults within `duration_s`, in the order of their times.

    Those that always come are the first to be drawn; where there are more of them than `strikes`, chance decides.
    """
    always = [way for way in ways if way.always]
    rng.shuffle(always)
    chosen = always[:strikes]
    chosen += rng.choices(ways, [way.weight for way in ways], k=strikes - len(chosen))
    rng.shuffle(chosen)
    first, last = duration_s * _QUIET_SHARE, duration_s * (1 - _QUIET_SHARE)
    times = sorted(rng.uniform(first, last) for _ in chosen)
    return [
        Strike(at_s, way.victim, way.name, rng.uniform(way.shortest_s, way.longest_s), rng.random())
        for at_s, way in zip(times, chosen, strict=True)
    ]
