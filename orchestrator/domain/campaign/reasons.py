"""Why Ponte passes a recipient over, or stops a campaign."""

from enum import StrEnum


class PassedOver(StrEnum):
    """Why a line of a file or a recipient gets no message."""

    INVALID = "INVALID"
    """No phone number that could exist."""
    DUPLICATE = "DUPLICATE"
    """The list has the number already."""
    SUPPRESSED = "SUPPRESSED"
    """The contact does not want messages."""
    NOT_OPTED_IN = "NOT_OPTED_IN"
    """No opt-in is on record."""
    UNANSWERED = "UNANSWERED"
    """It left earlier campaign messages without an answer; the policy waits for one."""
    CONTACT_HELD = "CONTACT_HELD"
    """WhatsApp refused the last message to it; the policy holds it."""
    TIME_ZONE_UNKNOWN = "TIME_ZONE_UNKNOWN"
    """Nothing tells when it is day where it lives."""
    VARIABLE_MISSING = "VARIABLE_MISSING"
    """A variable without a default has no value."""


class StopCause(StrEnum):
    """Why Ponte stopped a campaign."""

    OPT_OUTS = "OPT_OUTS"
    """More than the bearable share of its recipients opted out."""
    SESSION_LOST = "SESSION_LOST"
    """One of its numbers was banned, logged out or replaced; its recipients go to no other number."""
    ENDED_BY_SCHEDULE = "ENDED_BY_SCHEDULE"
    """Its end has come before all were sent."""
