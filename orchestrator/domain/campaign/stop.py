"""When Ponte stops a campaign by itself."""

from orchestrator.domain.campaign.results import Tally

MOST_OPT_OUTS = 0.02
"""Share of a campaign's messages (sending-policy: more than 2 % stops it)."""

FEWEST_TO_JUDGE = 50


def too_many_opt_outs(now: Tally, forgiven: Tally, most: float = MOST_OPT_OUTS) -> bool:
    """Tell whether too many opted out since a person last resumed the campaign (`forgiven` is its tally then)."""
    sent = now.sent - forgiven.sent
    return sent >= FEWEST_TO_JUDGE and now.opted_out - forgiven.opted_out > most * sent
