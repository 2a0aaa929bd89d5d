"""What a gateway reports about messages: one that came in, and receipts for those that went out."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from orchestrator.domain.content import Content
from orchestrator.domain.jid import ContactId
from orchestrator.domain.message import MessageStatus


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """A decrypted message, the twin of `ponte.bridge.v1.InboundMessage` (its company was checked before).

    `chat_jid` is the chat's jid as WhatsApp named it, without device. `from_me` means that the company's own
    phone, or another device of it, wrote the message. `offline` means that it waited at WhatsApp while the
    session was not connected. `message_proto` is the unpadded protobuf `Message`. `kind` is the
    content's; `text` is what a person would read of it, or empty; `content` is None for a plain text.
    """

    wa_message_id: str
    chat_jid: str
    chat: ContactId
    sender: ContactId
    from_me: bool
    is_group: bool
    push_name: str
    sent_at: datetime
    offline: bool
    message_proto: bytes
    kind: str
    text: str
    content: Content | None = None


class ReceiptKind(StrEnum):
    """What a receipt says of its messages; SERVER_ACK and ERROR are acks that came after the send was answered."""

    DELIVERED = "DELIVERED"
    READ = "READ"
    PLAYED = "PLAYED"
    SERVER_ACK = "SERVER_ACK"
    ERROR = "ERROR"

    @property
    def status(self) -> MessageStatus | None:
        """The status that it proves, or None for an error."""
        return _PROVES.get(self)


_PROVES = {
    ReceiptKind.SERVER_ACK: MessageStatus.SENT,
    ReceiptKind.DELIVERED: MessageStatus.DELIVERED,
    ReceiptKind.READ: MessageStatus.READ,
    ReceiptKind.PLAYED: MessageStatus.PLAYED,
}


@dataclass(frozen=True, slots=True)
class Receipt:
    """One receipt for one or many messages of a chat, the twin of `ponte.bridge.v1.Receipt`.

    `code` is WhatsApp's error code where `kind` is ERROR, 0 otherwise.
    """

    wa_message_ids: tuple[str, ...]
    chat_jid: str
    participant_jid: str
    kind: ReceiptKind
    at: datetime
    code: int = 0
