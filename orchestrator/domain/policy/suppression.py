"""Who may be written to at all: never one who opted out, and by campaigns only one who opted in."""

from datetime import datetime

from orchestrator.domain.message import Lane
from orchestrator.domain.policy.decisions import Reason, ReasonCode
from orchestrator.domain.policy.snapshot import Candidate, Snapshot


def suppression_objection(snapshot: Snapshot, candidate: Candidate, now: datetime) -> Reason | None:
    """The contact is on the suppression list, or the list could not be read."""
    if candidate.confirms_opt_out:
        return None
    if candidate.suppressed is None:
        return Reason(ReasonCode.SUPPRESSION_UNKNOWN, "the suppression list could not be read")
    return (
        Reason(ReasonCode.SUPPRESSED, "the contact is on the suppression list")
        if candidate.suppressed
        else None
    )


def opt_in_objection(snapshot: Snapshot, candidate: Candidate, now: datetime) -> Reason | None:
    """A campaign's contact has no opt-in on record, or the record could not be read."""
    if candidate.lane is not Lane.CAMPAIGN or candidate.opted_in:
        return None
    if candidate.opted_in is None:
        return Reason(ReasonCode.OPT_IN_UNKNOWN, "the opt-in record could not be read")
    return Reason(ReasonCode.NOT_OPTED_IN, "the contact has no opt-in on record")
