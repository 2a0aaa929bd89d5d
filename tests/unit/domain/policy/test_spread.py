"""A campaign over hours: the hour's cap is used, and evenly, instead of a burst and a long silence."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random

import pytest

from orchestrator.domain.policy.after import after_send
from orchestrator.domain.policy.decide import decide
from orchestrator.domain.policy.decisions import Delay, Send
from orchestrator.domain.policy.settings import DEFAULTS
from tests.support.policy_snapshots import NOON, campaign, session

MORNING = NOON - timedelta(hours=3)
HOURS = 6


def sent_at(cap: int, seed: int) -> list[datetime]:
    """When a campaign that never ends sent, from 09:00 on."""
    limits = replace(
        DEFAULTS.limits,
        per_hour=DEFAULTS.limits.per_hour.with_mature(cap),
        per_day=DEFAULTS.limits.per_day.with_mature(3_000),
    )
    snapshot = session(settings=replace(DEFAULTS, limits=limits))
    message, rng, now = campaign(campaign_size=1_000), Random(seed), MORNING
    times: list[datetime] = []
    while now < MORNING + timedelta(hours=HOURS):
        decision = decide(snapshot, message, now, rng)
        if isinstance(decision, Send):
            times.append(now)
            snapshot = after_send(snapshot, message, now, rng)
        else:
            assert isinstance(decision, Delay)
            now = decision.until
    return times


def counts(times: list[datetime], length: timedelta) -> list[int]:
    edges = [MORNING + index * length for index in range(int(timedelta(hours=HOURS) / length))]
    return [sum(edge <= at < edge + length for at in times) for edge in edges]


@pytest.mark.parametrize(("cap", "seed"), [(60, 1), (60, 2), (300, 3)])
def test_the_cap_is_used_and_spread(cap: int, seed: int) -> None:
    times = sent_at(cap, seed)

    assert all(cap * 0.96 <= count <= cap for count in counts(times, timedelta(hours=1)))
    assert all(cap / 6 * 0.7 <= count <= cap / 6 * 1.3 for count in counts(times, timedelta(minutes=10)))


def test_gaps_stay_irregular() -> None:
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(sent_at(60, 1))]
    assert min(gaps) >= 2
    assert max(gaps) < 240
    assert len({round(gap) for gap in gaps}) > 60
