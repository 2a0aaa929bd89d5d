"""Which messages a list shows."""

from dataclasses import dataclass
from datetime import datetime

from orchestrator.domain.message import Direction, MessageStatus


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """What is empty or None does not restrict. `chat` is an E.164 number or a jid; times are exclusive bounds."""

    session_id: str = ""
    chat: str = ""
    status: MessageStatus | None = None
    direction: Direction | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    error_code: str = ""
    campaign_id: str = ""


@dataclass(frozen=True, slots=True)
class FailedFilter:
    """Which failed messages are meant; what is empty or None does not restrict, times are exclusive bounds."""

    error_code: str = ""
    session_id: str = ""
    campaign_id: str = ""
    failed_after: datetime | None = None
    failed_before: datetime | None = None

    @property
    def restricts(self) -> bool:
        """Whether it means some rather than all, as far as that goes: an upper bound alone lets all of the past in."""
        return bool(self.error_code or self.session_id or self.campaign_id or self.failed_after)
