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
