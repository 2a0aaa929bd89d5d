"""How fast Ponte's clock runs: at the machine's pace, or faster against a simulator."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Tempo:
    """Ponte's clock is the machine's up to `since`, and runs `speed` times as fast after it.

    All of Ponte reads one clock. What is agreed between processes (leases, claims) is meant in the machine's time and
    goes through `span`; what is waited for goes through `machine_s`; times that WhatsApp says go through `at`.
    """

    speed: float = 1.0
    since: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def at(self, moment: datetime) -> datetime:
        """Give what Ponte's clock shows at a moment of the machine's."""
        return moment if self.speed == 1.0 else self.since + (moment - self.since) * self.speed

    def span(self, machine_s: float) -> timedelta:
        """Give how far Ponte's clock moves in so many of the machine's seconds."""
        return timedelta(seconds=machine_s * self.speed)

    def machine_s(self, span: timedelta) -> float:
        """Give how many of the machine's seconds Ponte's clock takes to move so far; 0 for what has passed."""
        return max(0.0, span.total_seconds() / self.speed)


MACHINE_TEMPO = Tempo()
