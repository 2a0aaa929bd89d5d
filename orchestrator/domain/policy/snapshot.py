"""All that a decision needs: the facts of a session, and the message that wants to leave. Plain values, no
I/O."""

from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from orchestrator.domain.breaker import Breaker
from orchestrator.domain.message import Lane
from orchestrator.domain.policy.health import Health
from orchestrator.domain.policy.pacing_state import Pacing
from orchestrator.domain.policy.reaction_state import Reactions
from orchestrator.domain.policy.send_windows import SendWindows
from orchestrator.domain.policy.settings import DEFAULTS, PolicySettings
from orchestrator.domain.policy.warm_up import WarmUp


@dataclass(frozen=True, slots=True)
class NewChatQuota:
    """WhatsApp's own quota of new chats where it reports one: what was `left` when it did, how many were
    `used_since`, and when its cycle ends (None: not told)."""

    left: int
    used_since: int = 0
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is known of a session, read under its dispatch lease. Times are aware.

    `windows` is changed in place by `after_send`; everything else is replaced. `reconnected_at` is None
    where the connection is the first one; `company_time_zone` stands in for a recipient's zone that the
    number does not tell.
    """

    warm_up: WarmUp
    windows: SendWindows = field(default_factory=SendWindows)
    settings: PolicySettings = DEFAULTS
    pacing: Pacing = field(default_factory=Pacing)
    reactions: Reactions = field(default_factory=Reactions)
    health: Health = field(default_factory=Health)
    breaker: Breaker = field(default_factory=Breaker)
    new_chat_quota: NewChatQuota | None = None
    reconnected_at: datetime | None = None
    company_time_zone: tzinfo | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A message that wants to leave, and what is known of its contact.

    `suppressed` and `opted_in` are None where the lists could not be read: then it is held. `contact_key`
    names the contact as in `Reactions`; `is_new_chat` says that no message was ever exchanged, `known_chat`
    that the contact wrote at least once. `last_sent_at` and `last_campaign_at` are the last message and
    campaign message to this contact, `unanswered_campaigns` those in a row since it wrote last.
    `time_zones` are all that its number may lie in. `text_length` is in characters, 0 where nothing is
    typed. `campaign_size` is the number of recipients of its campaign.
    """

    lane: Lane
    contact_key: str
    suppressed: bool | None
    opted_in: bool | None = None
    is_new_chat: bool = False
    known_chat: bool = True
    last_inbound_at: datetime | None = None
    last_sent_at: datetime | None = None
    last_campaign_at: datetime | None = None
    unanswered_campaigns: int = 0
    time_zones: tuple[tzinfo, ...] = ()
    text_length: int = 0
    campaign_size: int = 0
    confirms_opt_out: bool = False
    """The one confirmation that follows an opt-out: it may go to a suppressed contact."""
