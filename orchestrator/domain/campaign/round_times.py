"""When a campaign's next round is. Figures are the machine's seconds; `second` is one of them on Ponte's clock."""

from datetime import datetime, timedelta
from typing import Final

from orchestrator.domain.campaign.campaign import Campaign
from orchestrator.domain.campaign.state import ENDED, CampaignState

BUSY_S: Final = 1
"""Between rounds while there is something to count or to lay in."""

QUIET_S: Final = 30
"""Between rounds of a running campaign of which nothing is heard: for what only time brings about."""

WOKEN_AFTER_S: Final = 3
"""So soon after a quiet round news of its contacts bring the next one."""

RESTING_S: Final = 15
"""Between rounds of a campaign that is not running: late receipts and answers are counted."""

COUNTED_AFTER_END: Final = timedelta(days=7)
"""So long receipts, replies and opt-outs still count after the end."""


def next_round(campaign: Campaign, now: datetime, second: timedelta, *, busy: bool) -> datetime | None:
    """Give when the round after this one is at the latest; None where nothing more can count."""
    if campaign.state in ENDED:
        over = now - (campaign.ended_at or now) > COUNTED_AFTER_END
        return None if over else now + RESTING_S * second
    if campaign.state is CampaignState.SCHEDULED and campaign.start_at is not None:
        return max(campaign.start_at, now + BUSY_S * second)
    if campaign.state is not CampaignState.RUNNING:
        return now + RESTING_S * second
    if busy:
        return now + BUSY_S * second
    quiet_until = now + QUIET_S * second
    return min(quiet_until, campaign.end_at) if campaign.end_at else quiet_until


def wakeable(now: datetime, second: timedelta) -> tuple[datetime, datetime]:
    """Give the bounds of the next rounds that news may bring forward to now: later than the first, up to the second.

    Those nearer come by themselves; of those farther the last round was a moment ago.
    """
    return now + BUSY_S * second, now + (QUIET_S - WOKEN_AFTER_S) * second


def takes_place(campaign: Campaign, planned: datetime | None, now: datetime, second: timedelta) -> bool:
    """Tell whether a round may be now: its time came, or it is far enough from the last one to be brought forward."""
    if planned is None:
        return False
    after, until = wakeable(now, second)
    return planned <= now or (campaign.state is CampaignState.RUNNING and after < planned <= until)
