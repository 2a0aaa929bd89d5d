"""A campaign, and what became of each of its recipients."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from orchestrator.domain.campaign.reasons import PassedOver, StopCause
from orchestrator.domain.campaign.results import Tally
from orchestrator.domain.campaign.state import CampaignState
from orchestrator.domain.campaign.variants import Variant
from orchestrator.domain.campaign.wording import Language


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The variants ask a question; `text` is the message that follows a yes, and only a yes.

    `yes_words`, where there are any, take the place of the known ones; an answer counts for `wait_hours`.
    """

    text: str
    yes_words: tuple[str, ...] = ()
    wait_hours: int = 72


@dataclass(frozen=True, slots=True)
class Campaign:
    """What is sent to whom. `session_ids` in the order of their slots; `time_zone` and `language` for the words of
    recipients whose own zone is not known; `recipients` is how many the list had at the start, 0 before.

    `passed_over` counts recipients that get no message, by reason.
    """

    id: str
    company_id: str
    name: str
    list_id: str
    session_ids: tuple[str, ...]
    variants: tuple[Variant, ...]
    created_at: datetime
    state: CampaignState = CampaignState.DRAFT
    time_zone: str = "UTC"
    language: Language = Language.ENGLISH
    start_at: datetime | None = None
    end_at: datetime | None = None
    confirmation: Confirmation | None = None
    recipients: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    stop_cause: StopCause | None = None
    stop_detail: str = ""
    tallies: tuple[Tally, ...] = ()
    """One for each variant, in their order."""
    passed_over: Mapping[PassedOver, int] = field(default_factory=dict)

    @property
    def tally(self) -> Tally:
        """The sum over the variants."""
        return sum(self.tallies, Tally())

    @property
    def done(self) -> int:
        """Recipients that nothing more is to be sent to: sent, failed, cancelled or passed over."""
        tally = self.tally
        return tally.sent + tally.failed + tally.cancelled + sum(self.passed_over.values())


class RecipientStatus(StrEnum):
    """What became of a recipient. One that was not reached yet has no record of its own."""

    PENDING = "PENDING"
    """Laid in and taken back by a pause: the first when the campaign goes on."""
    QUEUED = "QUEUED"
    SENT = "SENT"
    DELIVERED = "DELIVERED"
    READ = "READ"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    PASSED_OVER = "PASSED_OVER"


@dataclass(frozen=True, slots=True)
class CampaignRecipient:
    """One recipient of one campaign. `generation` counts how often its message was laid in."""

    campaign_id: str
    position: int
    session_id: str
    phone_number: str
    status: RecipientStatus
    updated_at: datetime
    variant: int | None = None
    message_id: str = ""
    follow_up_id: str = ""
    generation: int = 0
    reason: PassedOver | None = None
    replied: bool = False
    opted_out: bool = False


@dataclass(frozen=True, slots=True)
class CampaignSession:
    """A number's part in a campaign. `cursor` is the position up to which its recipients were laid in; `last_variant`
    the variant it used last."""

    session_id: str
    slot: int
    cursor: int = 0
    last_variant: int | None = None
