"""The event vocabulary: what happened, numbered without gaps per company."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class EventType(StrEnum):
    """Types of events, as they stand in webhooks, SSE and gRPC."""

    MESSAGE_QUEUED = "message.queued"
    MESSAGE_RECEIVED = "message.received"
    MESSAGE_SENT = "message.sent"
    MESSAGE_DELIVERED = "message.delivered"
    MESSAGE_READ = "message.read"
    MESSAGE_PLAYED = "message.played"
    MESSAGE_RECEIPT = "message.receipt"
    MESSAGE_MEDIA_STORED = "message.media_stored"
    MESSAGE_MEDIA_FAILED = "message.media_failed"
    MESSAGE_FAILED = "message.failed"
    MESSAGE_CANCELLED = "message.cancelled"
    MESSAGE_EDITED = "message.edited"
    MESSAGE_DELETED = "message.deleted"
    MESSAGE_REACTION = "message.reaction"
    MESSAGE_PINNED = "message.pinned"
    MESSAGE_POLL_VOTE = "message.poll_vote"
    SESSION_QR = "session.qr"
    SESSION_STATE = "session.state"
    SESSION_CONNECTED = "session.connected"
    SESSION_CLOSED = "session.closed"
    SESSION_RECONNECT_LOOP = "session.reconnect_loop"
    HEALTH_CHANGED = "health.changed"
    CALL_RECEIVED = "call.received"
    CALL_ACCEPTED = "call.accepted"
    CALL_ENDED = "call.ended"
    CONTACT_OPTED_OUT = "contact.opted_out"
    CONTACT_PRESENCE = "contact.presence"
    CAMPAIGN_SCHEDULED = "campaign.scheduled"
    CAMPAIGN_STARTED = "campaign.started"
    CAMPAIGN_PROGRESS = "campaign.progress"
    CAMPAIGN_PAUSED = "campaign.paused"
    CAMPAIGN_RESUMED = "campaign.resumed"
    CAMPAIGN_STOPPED = "campaign.stopped"
    CAMPAIGN_COMPLETED = "campaign.completed"
    CAMPAIGN_CANCELLED = "campaign.cancelled"
    GROUP_CREATED = "group.created"
    GROUP_JOINED = "group.joined"
    GROUP_LEFT = "group.left"
    GROUP_UPDATED = "group.updated"
    GROUP_PARTICIPANTS_ADDED = "group.participants_added"
    GROUP_PARTICIPANTS_REMOVED = "group.participants_removed"
    GROUP_PARTICIPANTS_PROMOTED = "group.participants_promoted"
    GROUP_PARTICIPANTS_DEMOTED = "group.participants_demoted"
    GROUP_JOIN_REQUEST = "group.join_request"
    IMPORT_STARTED = "import.started"
    IMPORT_PROGRESS = "import.progress"
    IMPORT_COMPLETED = "import.completed"
    IMPORT_FAILED = "import.failed"
    IMPORT_CANCELLED = "import.cancelled"
    WEBHOOK_TEST = "webhook.test"


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event about to be recorded; the store gives it its id and the company's next sequence number."""

    type: EventType
    session_id: str
    data: Mapping[str, object]
    chat_jid: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """A recorded event. `sequence` starts at 1 and has no gaps within a company; `data` is JSON-like."""

    id: str
    sequence: int
    company_id: str
    session_id: str
    type: str
    at: datetime
    data: Mapping[str, object]
    chat_jid: str = ""
