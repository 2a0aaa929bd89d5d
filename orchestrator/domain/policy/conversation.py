"""Inside a conversation or not: that decides which caps a message counts for."""

from datetime import datetime, timedelta

from orchestrator.domain.message import Lane
from orchestrator.domain.policy.settings import ContactSettings
from orchestrator.domain.policy.snapshot import Candidate


def is_in_conversation(candidate: Candidate, now: datetime, settings: ContactSettings) -> bool:
    """True where the contact wrote in the last 24 h. A campaign message never is."""
    if candidate.lane is Lane.CAMPAIGN or candidate.last_inbound_at is None:
        return False
    return now - candidate.last_inbound_at < timedelta(seconds=settings.conversation_s)
