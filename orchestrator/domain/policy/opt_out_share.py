"""A campaign that too many leave is stopped."""

from orchestrator.domain.policy.decisions import Reason, ReasonCode
from orchestrator.domain.policy.settings import ReactionSettings


def opt_out_share_objection(sent: int, opted_out: int, settings: ReactionSettings) -> Reason | None:
    """The reason to stop a campaign of which `opted_out` of `sent` recipients opted out, None where it goes
    on."""
    if sent < settings.opt_out_least or opted_out <= sent * settings.opt_out_share_stop:
        return None
    return Reason(ReasonCode.OPT_OUT_SHARE, "recipients who opted out", used=opted_out, most=sent)
