"""Every figure of the sending policy in one typed object. docs/sending-policy.md gives the reason of each."""

from dataclasses import dataclass, field, replace
from datetime import time

from orchestrator.domain.policy.ladder import Ladder

POLICY_VERSION = "2026-11-22"
"""Names this set of rules and figures in the audit log; changed with either."""

HOUR_S = 3600.0
DAY_S = 86_400.0

LONGEST_CACHED_S = 90 * DAY_S
"""The longest that an answer about a number may count; it is removed then."""


_PER_HOUR = Ladder(((1, 10), (4, 20), (8, 40), (15, 60)))
_PER_DAY = Ladder(
    ((1, 20), (2, 25), (3, 35), (4, 50), (5, 65), (6, 85), (7, 110), (8, 150), (11, 200), (15, 400))
)
_NEW_CHATS_PER_DAY = Ladder(((1, 3), (4, 5), (8, 10), (15, 15)))


@dataclass(frozen=True, slots=True)
class PacingSettings:
    """Gaps between the campaign messages of one session, in seconds, and the long pauses of large
    campaigns.

    The gap is log-normal with this median and sigma, drawn again outside shortest_s..longest_s. Where the
    hour's cap is slower than that, it is stretched by a factor between spread_low and spread_high.
    """

    median_s: float = 3.1
    sigma: float = 0.28
    shortest_s: float = 2.0
    longest_s: float = 5.0
    long_pause_shortest_s: float = 30.0
    long_pause_longest_s: float = 60.0
    batch_smallest: int = 20
    batch_largest: int = 30
    long_pauses_above_recipients: int = 100
    spread_low: float = 0.7
    spread_high: float = 1.3


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """Most messages of a session in any 60 s, 3,600 s and 86,400 s; hours and days grow with the warm-up's
    day."""

    conversation_per_minute: int = 40
    other_per_minute: int = 12
    per_hour: Ladder = _PER_HOUR
    per_day: Ladder = _PER_DAY


@dataclass(frozen=True, slots=True)
class NewChatSettings:
    """Most chats started in any 86,400 s, and the share of WhatsApp's own quota that is used where it
    reports one."""

    per_day: Ladder = _NEW_CHATS_PER_DAY
    quota_share: float = 0.5


@dataclass(frozen=True, slots=True)
class ContactSettings:
    """What one contact may get. A conversation lasts so long after the contact wrote last."""

    gap_s: float = 2.0
    campaign_gap_s: float = DAY_S
    conversation_s: float = DAY_S
    unanswered_to_new_chat: int = 1
    unanswered_to_known_chat: int = 3


@dataclass(frozen=True, slots=True)
class NumberCheckSettings:
    """Questions whether a number is on WhatsApp, in any 3,600 s, and how long an answer is good."""

    per_hour: int = 20
    cached_s: float = 30 * DAY_S


@dataclass(frozen=True, slots=True)
class TypingSettings:
    """How long typing is shown before a text."""

    per_character_s: float = 0.06
    shortest_s: float = 1.2
    longest_s: float = 8.0
    jitter: float = 0.2


@dataclass(frozen=True, slots=True)
class ReconnectSettings:
    """After a reconnect the rate grows from start_share to the whole within ramp_s."""

    start_share: float = 0.1
    ramp_s: float = 600.0


@dataclass(frozen=True, slots=True)
class QuietHourSettings:
    """When campaigns may reach a recipient, in the recipient's own time. Weekdays as in date.weekday():
    Monday is 0."""

    opens: time = time(9, 0)
    closes: time = time(19, 0)
    weekdays: frozenset[int] = frozenset({0, 1, 2, 3, 4, 5})


@dataclass(frozen=True, slots=True)
class WarmUpSettings:
    """A day is passed after day_s in good health; idle_restart_s without a message starts the warm-up
    again."""

    day_s: float = DAY_S
    idle_restart_s: float = 3 * DAY_S


@dataclass(frozen=True, slots=True)
class ReactionSettings:
    """Reactions to what WhatsApp and recipients say; shares are fractions, the rest seconds or counts."""

    slow_factor: float = 0.5
    rate_limit_burst_s: float = 60.0
    rate_limit_slow_s: float = HOUR_S
    rate_limit_memory_s: float = DAY_S
    rate_limit_pause_s: float = 6 * HOUR_S
    lock_margin_s: float = 10.0
    lock_without_end_s: float = DAY_S
    refused_contacts_to_stop: int = 3
    refused_memory_s: float = DAY_S
    refused_stop_s: float = DAY_S
    outcomes_window: int = 50
    failed_share_slow: float = 0.02
    failed_share_pause: float = 0.05
    delivery_age_s: float = 6 * HOUR_S
    delivery_least: int = 50
    delivered_share_slow: float = 0.70
    delivered_share_pause: float = 0.50
    opt_out_least: int = 50
    opt_out_share_stop: float = 0.02
    ban_margin_s: float = DAY_S


@dataclass(frozen=True, slots=True)
class HealthSettings:
    """The risk figure, 0 to 100: points, half-life, and where each level begins."""

    half_life_s: float = DAY_S
    logged_out: float = 60.0
    forbidden: float = 40.0
    reach_out_refused: float = 25.0
    disconnects: float = 30.0
    disconnects_in_an_hour: int = 3
    failures: float = 20.0
    failures_in_an_hour: int = 5
    caution_from: float = 15.0
    throttled_from: float = 40.0
    stopped_from: float = 80.0
    caution_factor: float = 0.5


@dataclass(frozen=True, slots=True)
class PolicySettings:
    """All figures of the policy.

    `enforced` is False only against a simulator (see `lifted`): then guard rails (suppression, opt-in,
    breaker, what waits for a person) and the gaps between campaign messages hold, and no cap, warm-up,
    quiet hour, ramp or reaction.
    """

    version: str = POLICY_VERSION
    enforced: bool = True
    pacing: PacingSettings = field(default_factory=PacingSettings)
    limits: LimitSettings = field(default_factory=LimitSettings)
    new_chats: NewChatSettings = field(default_factory=NewChatSettings)
    contact: ContactSettings = field(default_factory=ContactSettings)
    number_checks: NumberCheckSettings = field(default_factory=NumberCheckSettings)
    typing: TypingSettings = field(default_factory=TypingSettings)
    reconnect: ReconnectSettings = field(default_factory=ReconnectSettings)
    quiet_hours: QuietHourSettings = field(default_factory=QuietHourSettings)
    warm_up: WarmUpSettings = field(default_factory=WarmUpSettings)
    reactions: ReactionSettings = field(default_factory=ReactionSettings)
    health: HealthSettings = field(default_factory=HealthSettings)


DEFAULTS = PolicySettings()


def lifted(settings: PolicySettings) -> PolicySettings:
    """The settings for a simulator, without caps. An entry point refuses to use them against WhatsApp's own
    address."""
    return replace(settings, enforced=False)
