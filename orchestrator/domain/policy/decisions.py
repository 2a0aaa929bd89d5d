"""What the policy answers: send, later, or held; always with reasons in words and numbers."""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from enum import StrEnum


class ReasonCode(StrEnum):
    """Why a message waits. Stable: shown to users, counted, and translated by front ends."""

    POLICY_UNAVAILABLE = "POLICY_UNAVAILABLE"
    CLOCK_UNAVAILABLE = "CLOCK_UNAVAILABLE"
    SUPPRESSION_UNKNOWN = "SUPPRESSION_UNKNOWN"
    SUPPRESSED = "SUPPRESSED"
    OPT_IN_UNKNOWN = "OPT_IN_UNKNOWN"
    NOT_OPTED_IN = "NOT_OPTED_IN"
    BREAKER_OPEN = "BREAKER_OPEN"
    STOPPED = "STOPPED"
    PAUSED = "PAUSED"
    CONTACT_HELD = "CONTACT_HELD"
    HEALTH_STOPPED = "HEALTH_STOPPED"
    HEALTH_THROTTLED = "HEALTH_THROTTLED"
    MINUTE_CAP = "MINUTE_CAP"
    HOUR_CAP = "HOUR_CAP"
    DAY_CAP = "DAY_CAP"
    NEW_CHAT_CAP = "NEW_CHAT_CAP"
    NEW_CHAT_QUOTA = "NEW_CHAT_QUOTA"
    NEW_CHATS_PAUSED = "NEW_CHATS_PAUSED"
    NUMBER_CHECK_CAP = "NUMBER_CHECK_CAP"
    CAMPAIGN_GAP = "CAMPAIGN_GAP"
    LONG_PAUSE = "LONG_PAUSE"
    CONTACT_GAP = "CONTACT_GAP"
    CONTACT_CAMPAIGN_GAP = "CONTACT_CAMPAIGN_GAP"
    UNANSWERED = "UNANSWERED"
    QUIET_HOURS = "QUIET_HOURS"
    TIME_ZONE_UNKNOWN = "TIME_ZONE_UNKNOWN"
    OPT_OUT_SHARE = "OPT_OUT_SHARE"


WAITING_IS_USELESS = frozenset({ReasonCode.SUPPRESSED, ReasonCode.NOT_OPTED_IN})
"""A message held for one of these is to be cancelled: time alone never lets it go."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One rule's objection. `what` names it ("hour cap"); `used` of `most` where it counts; `until` when it
    ends by itself, None where something else has to happen first."""

    code: ReasonCode
    what: str
    until: datetime | None = None
    used: int | None = None
    most: int | None = None

    @property
    def words(self) -> str:
        """The sentence for users, times in UTC: "hour cap 40 of 40, next at 14:05:00 UTC on 2026-11-23"."""
        return self.in_words(UTC)

    def in_words(self, zone: tzinfo) -> str:
        """The sentence with its time in this zone."""
        counted = "" if self.most is None else f" {self.used} of {self.most}"
        if self.until is None:
            return f"{self.what}{counted}"
        return f"{self.what}{counted}, next at {self.until.astimezone(zone):%H:%M:%S %Z on %Y-%m-%d}"


@dataclass(frozen=True, slots=True)
class Send:
    """It may leave now, after typing was shown for `typing_s` seconds (0.0: not at all)."""

    typing_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Delay:
    """Ask again at `until`, which is later than the `now` of the question. Reasons: the one that binds
    longest first."""

    until: datetime
    reasons: tuple[Reason, ...]

    @property
    def reason(self) -> Reason:
        """The rule that binds longest."""
        return self.reasons[0]


@dataclass(frozen=True, slots=True)
class Hold:
    """It waits for something else than time: a person, an inbound message, a part that is unavailable."""

    reasons: tuple[Reason, ...]

    @property
    def reason(self) -> Reason:
        """The gravest rule."""
        return self.reasons[0]


Decision = Send | Delay | Hold
