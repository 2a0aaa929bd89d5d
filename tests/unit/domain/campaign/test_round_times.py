"""When a campaign's next round is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.domain.campaign.campaign import Campaign
from orchestrator.domain.campaign.round_times import next_round, takes_place, wakeable
from orchestrator.domain.campaign.state import CampaignState
from orchestrator.domain.campaign.variants import Variant

NOW = datetime(2026, 1, 7, 12, tzinfo=UTC)
SECOND = timedelta(seconds=2)
"""On a clock of twice the speed."""
CAMPAIGN = Campaign(
    "campaign",
    "company",
    "Spring",
    "list",
    ("session",),
    (Variant("A", "Hello"),),
    NOW,
    CampaignState.RUNNING,
)


def seconds(count: float) -> timedelta:
    """So many of the machine's seconds on the clock."""
    return count * SECOND


@pytest.mark.parametrize(("busy", "after_s"), [(True, 1), (False, 30)])
def test_a_running_campaign_is_looked_at_soon_while_it_is_busy(busy: bool, after_s: int) -> None:
    assert next_round(CAMPAIGN, NOW, SECOND, busy=busy) == NOW + seconds(after_s)


def test_the_end_of_a_quiet_campaign_is_not_overslept() -> None:
    ends = replace(CAMPAIGN, end_at=NOW + seconds(5))
    assert next_round(ends, NOW, SECOND, busy=False) == ends.end_at
    later = replace(CAMPAIGN, end_at=NOW + seconds(31))
    assert next_round(later, NOW, SECOND, busy=False) == NOW + seconds(30)


def test_a_scheduled_campaign_is_looked_at_when_it_starts_and_an_overdue_one_soon() -> None:
    waiting = replace(CAMPAIGN, state=CampaignState.SCHEDULED, start_at=NOW + seconds(600))
    assert next_round(waiting, NOW, SECOND, busy=False) == waiting.start_at
    overdue = replace(waiting, start_at=NOW - seconds(1))
    assert next_round(overdue, NOW, SECOND, busy=False) == NOW + seconds(1)
    at_once = replace(waiting, start_at=None)
    assert next_round(at_once, NOW, SECOND, busy=False) == NOW + seconds(15)


def test_a_paused_campaign_rests() -> None:
    paused = replace(CAMPAIGN, state=CampaignState.PAUSED)
    assert next_round(paused, NOW, SECOND, busy=True) == NOW + seconds(15)


def test_an_ended_campaign_is_counted_for_a_week() -> None:
    ended = replace(CAMPAIGN, state=CampaignState.COMPLETED, ended_at=NOW - timedelta(days=7))
    assert next_round(ended, NOW, SECOND, busy=False) == NOW + seconds(15)
    assert next_round(replace(ended, ended_at=None), NOW, SECOND, busy=False) == NOW + seconds(15)
    assert next_round(ended, NOW + SECOND, SECOND, busy=False) is None


@pytest.mark.parametrize(
    ("planned_s", "expected"), [(-1, True), (0, True), (1, False), (1.5, True), (27, True), (27.5, False)]
)
def test_news_bring_a_quiet_round_forward_but_not_within_three_seconds_of_the_last(
    planned_s: float, expected: bool
) -> None:
    planned = NOW + seconds(planned_s)
    assert takes_place(CAMPAIGN, planned, NOW, SECOND) is expected
    after, until = wakeable(NOW, SECOND)
    assert (planned <= NOW or after < planned <= until) is expected


def test_only_a_running_campaign_is_brought_forward() -> None:
    paused = replace(CAMPAIGN, state=CampaignState.PAUSED)
    assert not takes_place(paused, NOW + seconds(10), NOW, SECOND)
    assert takes_place(paused, NOW, NOW, SECOND)
    assert not takes_place(CAMPAIGN, None, NOW, SECOND)
