"""Campaign messages that a contact did not answer: after so many in a row nothing more until it writes."""

from datetime import datetime

from orchestrator.domain.message import Lane
from orchestrator.domain.policy.decisions import Reason, ReasonCode
from orchestrator.domain.policy.snapshot import Candidate, Snapshot


def objection(snapshot: Snapshot, candidate: Candidate, now: datetime) -> Reason | None:
    """The contact has not answered the last ones."""
    if candidate.lane is not Lane.CAMPAIGN:
        return None
    contact = snapshot.settings.contact
    most = contact.unanswered_to_known_chat if candidate.known_chat else contact.unanswered_to_new_chat
    if candidate.unanswered_campaigns < most:
        return None
    what = "campaign messages without an answer"
    return Reason(ReasonCode.UNANSWERED, what, used=candidate.unanswered_campaigns, most=most)
