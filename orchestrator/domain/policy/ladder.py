"""A cap that grows with the warm-up's day."""

from bisect import bisect_right
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Ladder:
    """Steps of (first day it holds from, cap), days ascending from 1. The last one is the cap of a mature
    number."""

    steps: tuple[tuple[int, int], ...]
    _days: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Raises ValueError where the days do not ascend from 1."""
        days = [day for day, _ in self.steps]
        if days[:1] != [1] or days != sorted(set(days)):
            raise ValueError("the days of a ladder ascend from 1")
        object.__setattr__(self, "_days", tuple(days))

    def on_day(self, day: int) -> int:
        """The cap on this day of the warm-up, 1 for the first."""
        return self.steps[bisect_right(self._days, day) - 1][1]

    @property
    def caps(self) -> tuple[int, ...]:
        """The caps of the steps, first to last."""
        return tuple(cap for _, cap in self.steps)

    @property
    def mature(self) -> int:
        """The cap of a number that has passed its warm-up."""
        return self.steps[-1][1]

    @property
    def first_mature_day(self) -> int:
        """The day from which the last step holds."""
        return self.steps[-1][0]

    def with_caps(self, caps: tuple[int, ...]) -> "Ladder":
        """The same days with these caps; ValueError where there are more or fewer than steps."""
        return Ladder(tuple((day, cap) for (day, _), cap in zip(self.steps, caps, strict=True)))

    def with_mature(self, cap: int) -> "Ladder":
        """This cap for a mature number; earlier steps above it are lowered to it, others stay."""
        return self.with_caps((*(min(step, cap) for step in self.caps[:-1]), cap))
