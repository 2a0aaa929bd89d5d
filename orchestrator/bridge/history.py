"""Messages from before on the bridge's contract: kept as they came, and read when it is their turn."""

from datetime import UTC, datetime
from typing import Final

from google.protobuf.message import DecodeError

from orchestrator._generated.ponte.bridge.v1 import bridge_pb2
from orchestrator._generated.ponte.bridge.v1 import history_pb2 as pb
from orchestrator.bridge.contents import received_content
from orchestrator.bridge.messages import HistoryArrived
from orchestrator.domain.imports import ImportedMessage, OlderThan, RawHistoryMessage
from orchestrator.domain.jid import ContactId
from orchestrator.domain.message import MessageStatus

_LONGEST_JID: Final = 100
_LONGEST_ID: Final = 80
"""What a stored message's id may have: a longer one would fail its whole batch on PostgreSQL."""

_MOST_PLACE: Final = (1 << 63) - 1

_STATUSES = {
    2: MessageStatus.SENT,
    3: MessageStatus.DELIVERED,
    4: MessageStatus.READ,
    5: MessageStatus.PLAYED,
}


def decode_chunk(chunk: pb.HistoryChunk) -> HistoryArrived:
    """Read a chunk; what has no name that can be stored is left out."""
    messages = tuple(_raw(message) for message in chunk.messages if _is_named(message))
    return HistoryArrived(
        chunk.request_id, chunk.company_id, chunk.session_id, messages, chunk.is_last, chunk.on_demand
    )


def encode_request(request_id: int, older_than: OlderThan) -> bridge_pb2.SessionCommand:
    """Ask a phone for what came before a message."""
    asked = pb.RequestHistory(
        request_id=request_id,
        chat_jid=older_than.chat_jid,
        wa_message_id=older_than.wa_message_id,
        from_me=older_than.from_me,
        sent_at_ms=round(older_than.sent_at.timestamp() * 1000),
        count=older_than.count,
    )
    return bridge_pb2.SessionCommand(request_history=asked)


def read_history_message(raw: bytes) -> ImportedMessage | None:
    """Read a message that was kept; None for one that never left the phone, has no time, or cannot be read."""
    try:
        message = pb.HistoryMessage.FromString(raw)
        sent_at = datetime.fromtimestamp(message.sent_at_ms / 1000, UTC)
    except (DecodeError, ValueError, OverflowError, OSError):
        return None
    status = _STATUSES.get(message.wa_status) if message.from_me else MessageStatus.RECEIVED
    if status is None or message.sent_at_ms <= 0:
        return None
    return ImportedMessage(
        wa_message_id=message.wa_message_id,
        chat_jid=message.chat_jid,
        contact=ContactId(message.contact_pn_jid, message.contact_lid_jid),
        from_me=message.from_me,
        is_group=message.is_group,
        push_name=message.push_name,
        sent_at=sent_at,
        status=status,
        kind=message.kind,
        text=message.text,
        place=message.place,
        content=received_content(message),
        message_proto=message.message_proto,
    )


def _raw(message: pb.HistoryMessage) -> RawHistoryMessage:
    return RawHistoryMessage(
        message.wa_message_id,
        message.chat_jid,
        message.sent_at_ms,
        min(message.place, _MOST_PLACE),
        message.SerializeToString(),
    )


def _is_named(message: pb.HistoryMessage) -> bool:
    names = (message.chat_jid, message.contact_pn_jid, message.contact_lid_jid)
    return (
        bool(message.wa_message_id and message.chat_jid)
        and len(message.wa_message_id) <= _LONGEST_ID
        and all(len(name) <= _LONGEST_JID for name in names)
        and not any("\0" in name for name in (message.wa_message_id, *names))
    )
