"""What one contact gets: a short gap between any two messages, a day between two campaign messages."""

from datetime import datetime, timedelta

from orchestrator.domain.message import Lane
from orchestrator.domain.policy.decisions import Reason, ReasonCode
from orchestrator.domain.policy.snapshot import Candidate, Snapshot


def gap_objection(snapshot: Snapshot, candidate: Candidate, now: datetime) -> Reason | None:
    """The contact got a message a moment ago."""
    if candidate.last_sent_at is None:
        return None
    until = candidate.last_sent_at + timedelta(seconds=snapshot.settings.contact.gap_s)
    return (
        Reason(ReasonCode.CONTACT_GAP, "gap between messages to one contact", until) if until > now else None
    )


def campaign_gap_objection(snapshot: Snapshot, candidate: Candidate, now: datetime) -> Reason | None:
    """The contact got a campaign message less than a day ago."""
    if candidate.lane is not Lane.CAMPAIGN or candidate.last_campaign_at is None:
        return None
    until = candidate.last_campaign_at + timedelta(seconds=snapshot.settings.contact.campaign_gap_s)
    what = "one campaign message a day to one contact"
    return Reason(ReasonCode.CONTACT_CAMPAIGN_GAP, what, until) if until > now else None
