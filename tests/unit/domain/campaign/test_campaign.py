"""The sums over a campaign."""

from datetime import UTC, datetime

from orchestrator.domain.campaign.campaign import Campaign
from orchestrator.domain.campaign.reasons import PassedOver
from orchestrator.domain.campaign.results import Tally


def test_done_are_those_to_whom_nothing_more_is_to_be_sent() -> None:
    campaign = Campaign(
        *("id", "company", "Spring", "list", ("session",), ()),
        created_at=datetime(2026, 3, 2, tzinfo=UTC),
        tallies=(Tally(queued=5, sent=3, delivered=2, failed=1), Tally(queued=4, sent=1, cancelled=2)),
        passed_over={PassedOver.SUPPRESSED: 2, PassedOver.NOT_OPTED_IN: 1},
    )

    assert campaign.tally == Tally(queued=9, sent=4, delivered=2, failed=1, cancelled=2)
    assert campaign.done == 4 + 1 + 2 + 3
