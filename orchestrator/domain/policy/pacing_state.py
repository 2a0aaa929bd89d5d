"""Where a session stands between two campaign messages."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Gap(StrEnum):
    """Why the next campaign message waits as long as it does."""

    DRAWN = "DRAWN"
    SPREAD = "SPREAD"
    LONG_PAUSE = "LONG_PAUSE"


@dataclass(frozen=True, slots=True)
class Pacing:
    """Drawn after each campaign message and stored with it, so that a restart neither shortens nor draws
    anew.

    `next_campaign_at` is the earliest time of the next one; `left_in_batch` messages go before the next
    long pause (None: no batch was drawn yet).
    """

    last_campaign_at: datetime | None = None
    next_campaign_at: datetime | None = None
    gap: Gap = Gap.DRAWN
    left_in_batch: int | None = None
