"""The gap between two campaign messages of a session: drawn like a person's, stretched where the hour's cap
is slower."""

import math
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from orchestrator.domain.policy.decisions import Reason, ReasonCode
from orchestrator.domain.policy.limits import HOUR, hour_cap
from orchestrator.domain.policy.pacing_state import Gap, Pacing
from orchestrator.domain.policy.rate import ramp_share, rate_share
from orchestrator.domain.policy.settings import PacingSettings
from orchestrator.domain.policy.snapshot import Candidate, Snapshot

_MOST_DRAWS = 1_000
"""With the defaults a draw in twenty falls outside; bounds set so narrow that none falls inside end the
search."""


def draw_gap(settings: PacingSettings, rng: Random) -> float:
    """Seconds, log-normal, drawn again outside the bounds: clamping would heap draws up at the bounds."""
    location = math.log(settings.median_s)
    for _ in range(_MOST_DRAWS):
        gap = rng.lognormvariate(location, settings.sigma)
        if settings.shortest_s <= gap <= settings.longest_s:
            return gap
    return rng.uniform(settings.shortest_s, settings.longest_s)


def draw_long_pause(settings: PacingSettings, rng: Random) -> float:
    """Seconds, uniform."""
    return rng.uniform(settings.long_pause_shortest_s, settings.long_pause_longest_s)


def draw_batch(settings: PacingSettings, rng: Random) -> int:
    """How many messages go before the next long pause, uniform."""
    return rng.randint(settings.batch_smallest, settings.batch_largest)


def gap_objection(snapshot: Snapshot, candidate: Candidate, now: datetime) -> Reason | None:
    """The next campaign message's time has not come."""
    pacing = snapshot.pacing
    earliest = earliest_campaign_at(pacing, snapshot.settings.pacing)
    if earliest is None or earliest <= now:
        return None
    if pacing.gap is Gap.LONG_PAUSE:
        return Reason(ReasonCode.LONG_PAUSE, "long pause after a batch", earliest)
    return Reason(ReasonCode.CAMPAIGN_GAP, "gap between campaign messages", earliest)


def earliest_campaign_at(pacing: Pacing, settings: PacingSettings) -> datetime | None:
    """When the next campaign message may leave; the longest gap after the last one where the draw was lost."""
    if pacing.next_campaign_at is not None or pacing.last_campaign_at is None:
        return pacing.next_campaign_at
    return pacing.last_campaign_at + timedelta(seconds=settings.longest_s)


def counted_from_answer(pacing: Pacing, answered_at: datetime) -> Pacing:
    """The pacing once the last campaign message was answered: its gap counts from then.

    WhatsApp saw the message no later than that, so the next one is no closer to it there, however long this one took
    on the way.
    """
    if pacing.last_campaign_at is None or answered_at <= pacing.last_campaign_at:
        return pacing
    later = answered_at - pacing.last_campaign_at
    following = None if pacing.next_campaign_at is None else pacing.next_campaign_at + later
    return replace(pacing, last_campaign_at=answered_at, next_campaign_at=following)


def paced_after(snapshot: Snapshot, candidate: Candidate, now: datetime, rng: Random) -> Pacing:
    """The pacing after a campaign message at `now`, which `snapshot.windows` count already."""
    settings = snapshot.settings.pacing
    gap = draw_gap(settings, rng)
    kind = Gap.DRAWN
    left = snapshot.pacing.left_in_batch
    if candidate.campaign_size > settings.long_pauses_above_recipients:
        left = (draw_batch(settings, rng) if left is None else left) - 1
        if left <= 0:
            left = draw_batch(settings, rng)
            gap, kind = draw_long_pause(settings, rng), Gap.LONG_PAUSE
    if snapshot.settings.enforced:
        gap /= rate_share(snapshot, now) * ramp_share(snapshot, now)
        spread = _spread_gap(snapshot, now, gap, rng)
        if spread > gap:
            gap, kind = spread, Gap.SPREAD if kind is Gap.DRAWN else kind
    return Pacing(now, now + timedelta(seconds=gap), kind, left)


def _spread_gap(snapshot: Snapshot, now: datetime, gap: float, rng: Random) -> float:
    """Seconds that spread the rest of the hour's cap over the rest of the hour.

    Where nothing is left, the drawn gap follows the moment at which the first message leaves the window.
    """
    factor = rng.uniform(snapshot.settings.pacing.spread_low, snapshot.settings.pacing.spread_high)
    others = snapshot.windows.others
    oldest = others.oldest(HOUR, now)
    if oldest is None:
        return gap
    rest_s = (oldest + HOUR - now).total_seconds()
    remaining = hour_cap(snapshot, now) - others.used(HOUR, now)
    return rest_s / remaining * factor if remaining > 0 else rest_s + gap
