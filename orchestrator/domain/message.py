"""The message model: one shape for REST, gRPC, events and storage."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from orchestrator.domain.content import Content, plain_text
from orchestrator.domain.content.marks import NO_MARKS, Marks
from orchestrator.domain.jid import ContactId, is_group


class Direction(StrEnum):
    """Seen from the company."""

    OUTBOUND = "OUTBOUND"
    INBOUND = "INBOUND"


class MessageStatus(StrEnum):
    """Where an outbound message stands; an inbound one is RECEIVED."""

    QUEUED = "QUEUED"
    SENDING = "SENDING"
    SENT = "SENT"
    DELIVERED = "DELIVERED"
    READ = "READ"
    PLAYED = "PLAYED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    RECEIVED = "RECEIVED"


class Lane(StrEnum):
    """Which queue of a session a message waits in; lanes are served in this order."""

    REPLY = "REPLY"
    TRANSACTIONAL = "TRANSACTIONAL"
    CAMPAIGN = "CAMPAIGN"


_RECEIPT_RANK = {
    MessageStatus.QUEUED: 0,
    MessageStatus.SENDING: 1,
    MessageStatus.SENT: 2,
    MessageStatus.DELIVERED: 3,
    MessageStatus.READ: 4,
    MessageStatus.PLAYED: 5,
}


def advances(current: MessageStatus, proposed: MessageStatus) -> bool:
    """Tell whether a receipt moves a message on.

    Receipts come late, doubled and out of order, and never move it back.
    """
    if current not in _RECEIPT_RANK or proposed not in _RECEIPT_RANK:
        return False
    return _RECEIPT_RANK[proposed] > _RECEIPT_RANK[current]


@dataclass(frozen=True, slots=True)
class MessageError:
    """Why a message failed or is being tried again; `code` is a name of the error tree."""

    code: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class WaitingFor:
    """What keeps a queued message from leaving: a `ReasonCode` of the sending policy, and its sentence."""

    code: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class MessageTimes:
    """When each step was reached, UTC; None while it was not."""

    created_at: datetime
    send_at: datetime | None = None
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    read_at: datetime | None = None
    failed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat, either direction. `chat_jid` names the chat; `contact` the other side of a 1:1 chat, in a
    group who wrote it (nobody where this number did).

    `text` is what a person would read. `content` is None for a plain text, which says no more than that.
    """

    id: str
    wa_message_id: str
    company_id: str
    session_id: str
    chat_jid: str
    contact: ContactId
    direction: Direction
    kind: str
    text: str
    status: MessageStatus
    lane: Lane
    attempts: int
    times: MessageTimes
    error: MessageError | None = None
    push_name: str = ""
    offline: bool = False
    metadata: dict[str, str] = field(default_factory=dict)
    campaign_id: str = ""
    recipient_id: str = ""
    waiting_for: WaitingFor | None = None
    content: Content | None = None
    marks: Marks = NO_MARKS
    imported: bool = False
    """It was not received or sent here, but taken over from the phone's history or an exported chat."""

    @property
    def participant(self) -> str:
        """By which name its group knows who wrote it; empty in a 1:1 chat, and for what this number wrote."""
        if not is_group(self.chat_jid) or self.direction is Direction.OUTBOUND:
            return ""
        return self.contact.lid_jid or self.contact.pn_jid

    @property
    def whole_content(self) -> Content | None:
        """What it says, of a plain text too; None once it was deleted, and for kinds stored by older versions."""
        if self.content is None and self.kind == "text" and self.text:
            return plain_text(self.text)
        return self.content
