"""What a person shows in WhatsApp: online or not, typing or recording."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from orchestrator.domain.jid import ContactId


class Presence(StrEnum):
    """What is shown. Who stops typing is AVAILABLE again."""

    AVAILABLE = "AVAILABLE"
    UNAVAILABLE = "UNAVAILABLE"
    TYPING = "TYPING"
    RECORDING = "RECORDING"


@dataclass(frozen=True, slots=True)
class ShownPresence:
    """What `contact` shows in a chat; `last_seen_at` is None where that is not shown."""

    chat_jid: str
    contact: ContactId
    presence: Presence
    last_seen_at: datetime | None = None
