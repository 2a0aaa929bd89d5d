"""What happened to a session that the policy reacts to. The table is in docs/sending-policy.md."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class RateLimited:
    """WhatsApp answered 429, to a query or to a message."""


@dataclass(frozen=True, slots=True)
class ReachOutRefused:
    """WhatsApp refused a message with 463. `is_new_chat` as in Candidate."""

    contact_key: str
    is_new_chat: bool


@dataclass(frozen=True, slots=True)
class ReachOutLocked:
    """WhatsApp says that the number may not write first until then (None: it did not say until when)."""

    until: datetime | None


@dataclass(frozen=True, slots=True)
class ReachOutUnlocked:
    """WhatsApp says that the number is not, or no longer, locked."""


class CappingLevel(StrEnum):
    """How near WhatsApp sees the number to its new-chat quota."""

    NONE = "NONE"
    FIRST_WARNING = "FIRST_WARNING"
    SECOND_WARNING = "SECOND_WARNING"
    CAPPED = "CAPPED"


@dataclass(frozen=True, slots=True)
class CappingChanged:
    """WhatsApp's new-chat capping, when its cycle ends (None: not told), and how many new chats it leaves
    (None: it sets no quota)."""

    level: CappingLevel
    cycle_ends_at: datetime | None = None
    left: int | None = None


@dataclass(frozen=True, slots=True)
class OutcomesCounted:
    """Of the last `finished` messages (50 at most) `failed` failed for good. Count none before
    `Reactions.outcomes_since`."""

    finished: int
    failed: int


@dataclass(frozen=True, slots=True)
class DeliveriesCounted:
    """Of `sent` messages that are 6 h old or more `delivered` reached a device. Count none before
    `outcomes_since`."""

    sent: int
    delivered: int


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The connection was lost, not closed on purpose."""


@dataclass(frozen=True, slots=True)
class SendFailed:
    """A message failed for good."""


@dataclass(frozen=True, slots=True)
class LoggedOut:
    """401. `on_purpose` where the user unlinked the device."""

    on_purpose: bool


@dataclass(frozen=True, slots=True)
class TemporarilyBanned:
    """402, and when the ban ends (None: not told)."""

    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class Locked:
    """403 or 406: the account is locked or banned."""


Signal = (
    RateLimited
    | ReachOutRefused
    | ReachOutLocked
    | ReachOutUnlocked
    | CappingChanged
    | OutcomesCounted
    | DeliveriesCounted
    | Disconnected
    | SendFailed
    | LoggedOut
    | TemporarilyBanned
    | Locked
)
