"""The defaults are those that the documentation promises."""

from dataclasses import FrozenInstanceError, replace
from datetime import time

import pytest

from orchestrator.domain.policy.settings import (
    DAY_S,
    DEFAULTS,
    HOUR_S,
    POLICY_VERSION,
    PolicySettings,
    lifted,
)


def test_caps_by_the_day_of_the_warm_up() -> None:
    per_hour, per_day = DEFAULTS.limits.per_hour, DEFAULTS.limits.per_day

    assert [per_hour.on_day(day) for day in (1, 3, 4, 7, 8, 14, 15)] == [10, 10, 20, 20, 40, 40, 60]
    assert [per_day.on_day(day) for day in range(1, 16)] == [
        *(20, 25, 35, 50, 65, 85, 110),
        *(150, 150, 150, 200, 200, 200, 200, 400),
    ]
    assert [DEFAULTS.new_chats.per_day.on_day(day) for day in (1, 3, 4, 7, 8, 14, 15)] == [
        *(3, 3, 5, 5, 10, 10, 15)
    ]
    assert (DEFAULTS.limits.conversation_per_minute, DEFAULTS.limits.other_per_minute) == (40, 12)
    assert (DEFAULTS.number_checks.per_hour, DEFAULTS.number_checks.cached_s) == (20, 30 * DAY_S)
    assert DEFAULTS.new_chats.quota_share == 0.5


def test_gaps_and_pauses() -> None:
    pacing = DEFAULTS.pacing

    assert (pacing.median_s, pacing.sigma, pacing.shortest_s, pacing.longest_s) == (3.1, 0.28, 2.0, 5.0)
    assert (pacing.long_pause_shortest_s, pacing.long_pause_longest_s) == (30.0, 60.0)
    assert (pacing.batch_smallest, pacing.batch_largest, pacing.long_pauses_above_recipients) == (20, 30, 100)
    assert (pacing.spread_low, pacing.spread_high) == (0.7, 1.3)
    assert (DEFAULTS.contact.gap_s, DEFAULTS.contact.campaign_gap_s) == (2.0, DAY_S)
    assert (DEFAULTS.contact.unanswered_to_new_chat, DEFAULTS.contact.unanswered_to_known_chat) == (1, 3)
    assert (DEFAULTS.reconnect.start_share, DEFAULTS.reconnect.ramp_s) == (0.1, 600.0)


def test_quiet_hours_typing_and_warm_up() -> None:
    quiet, typing = DEFAULTS.quiet_hours, DEFAULTS.typing

    assert (quiet.opens, quiet.closes, sorted(quiet.weekdays)) == (time(9), time(19), [0, 1, 2, 3, 4, 5])
    assert (typing.per_character_s, typing.shortest_s, typing.longest_s, typing.jitter) == (
        0.06,
        1.2,
        8.0,
        0.2,
    )
    assert (DEFAULTS.warm_up.day_s, DEFAULTS.warm_up.idle_restart_s) == (DAY_S, 72 * HOUR_S)


def test_reactions_and_health() -> None:
    reactions, health = DEFAULTS.reactions, DEFAULTS.health

    assert (reactions.rate_limit_slow_s, reactions.rate_limit_pause_s) == (HOUR_S, 6 * HOUR_S)
    assert (reactions.failed_share_slow, reactions.failed_share_pause) == (0.02, 0.05)
    assert (reactions.delivered_share_slow, reactions.delivered_share_pause) == (0.7, 0.5)
    assert (reactions.opt_out_share_stop, reactions.opt_out_least) == (0.02, 50)
    assert (health.logged_out, health.forbidden, health.reach_out_refused) == (60, 40, 25)
    assert (health.disconnects, health.failures) == (30, 20)
    assert (health.caution_from, health.throttled_from, health.stopped_from) == (15, 40, 80)


def test_settings_cannot_be_changed_in_place() -> None:
    with pytest.raises(FrozenInstanceError):
        DEFAULTS.limits.other_per_minute = 1_000  # type: ignore[misc]


def test_lifted_limits_keep_every_figure() -> None:
    assert lifted(DEFAULTS) == replace(DEFAULTS, enforced=False)
    assert PolicySettings().enforced
    assert DEFAULTS.version == POLICY_VERSION
