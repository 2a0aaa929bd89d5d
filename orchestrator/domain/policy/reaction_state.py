"""What reactions leave behind: slower rates, pauses, and what they remember to know a second time from a
first."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Cause(StrEnum):
    """What a slowdown or pause answers to."""

    RATE_LIMITED = "RATE_LIMITED"
    REACH_OUT_LOCK = "REACH_OUT_LOCK"
    REACH_OUT_REFUSED = "REACH_OUT_REFUSED"
    REACH_OUT_REFUSED_BY_MANY = "REACH_OUT_REFUSED_BY_MANY"
    FAILED_SHARE = "FAILED_SHARE"
    DELIVERED_SHARE = "DELIVERED_SHARE"
    CAPPING = "CAPPING"
    TEMPORARY_BAN = "TEMPORARY_BAN"
    LOCKED = "LOCKED"
    LOGGED_OUT = "LOGGED_OUT"
    HEALTH = "HEALTH"


class Scope(StrEnum):
    """Which messages a slowdown or pause is for. ALL includes answers inside conversations."""

    ALL = "ALL"
    CAMPAIGNS = "CAMPAIGNS"
    NEW_CHATS = "NEW_CHATS"


@dataclass(frozen=True, slots=True)
class Slowdown:
    """The rate (or the new chats) times `factor` until then; None: until the share that caused it is
    better."""

    cause: Cause
    factor: float
    scope: Scope = Scope.ALL
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing of this scope until then; None: until a person resumes."""

    cause: Cause
    scope: Scope
    until: datetime | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class RefusedContact:
    """WhatsApp refused a message to this contact (463); `key` is whatever names the contact to the caller."""

    key: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Reactions:
    """In force and remembered. Plain values, so that they can be stored as JSON; at most one entry for a
    cause and scope."""

    slowdowns: tuple[Slowdown, ...] = ()
    pauses: tuple[Pause, ...] = ()
    rate_limited_at: datetime | None = None
    refused: tuple[RefusedContact, ...] = ()
    held_contacts: tuple[RefusedContact, ...] = ()
    outcomes_since: datetime | None = None
    """Outcomes before a person resumed are not counted again."""
