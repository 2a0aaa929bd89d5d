"""What goes over a session's stream, as plain values: how it is opened, what it reports, what it answers."""

from dataclasses import dataclass, field
from datetime import datetime

from orchestrator.domain.auth_state import AuthKey
from orchestrator.domain.call import CallUpdate
from orchestrator.domain.closing import Closed
from orchestrator.domain.group.changes import GroupChange
from orchestrator.domain.imports import RawHistoryMessage
from orchestrator.domain.inbound import InboundMessage, Receipt
from orchestrator.domain.jid import ContactId
from orchestrator.domain.policy.signals import CappingChanged, RateLimited, ReachOutLocked, ReachOutUnlocked
from orchestrator.domain.presence import ShownPresence
from orchestrator.domain.retry import SendReport
from orchestrator.domain.session import QrCode


@dataclass(frozen=True, slots=True)
class Opening:
    """How a stream is opened. `credentials_json` is None for a number that is not linked; times are milliseconds, and
    0 is the bridge's default."""

    session_id: str
    company_id: str
    fence: int
    credentials_json: str | None
    whatsapp_url: str
    browser_name: str
    connect_timeout_ms: int
    ack_timeout_ms: int
    keep_alive_ms: int = 0
    silence_timeout_ms: int = 0
    qr_lifetime_ms: int = 0
    qr_codes: int = 0
    holder: str = ""
    history: bool = False
    """Messages from before are wanted."""


@dataclass(frozen=True, slots=True)
class Linked:
    """A phone has linked the number; WhatsApp then closes with code 515."""

    me: ContactId
    platform: str


@dataclass(frozen=True, slots=True)
class Opened:
    """The connection is usable."""

    me: ContactId
    push_name: str


@dataclass(frozen=True, slots=True)
class AuthWrite:
    """Credentials (where they changed) and keys to store as one; Baileys goes on when they are durable."""

    request_id: int
    credentials_json: str | None
    keys: tuple[AuthKey, ...]


@dataclass(frozen=True, slots=True)
class AuthRead:
    """Keys of one type that Baileys wants."""

    request_id: int
    type: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InboundArrived:
    """A message came in; WhatsApp gets its receipt after the answer. Company and session are what the bridge claims."""

    request_id: int
    company_id: str
    session_id: str
    message: InboundMessage


@dataclass(frozen=True, slots=True)
class HistoryArrived:
    """Messages from before, as the phone told them; WhatsApp gets the receipt after the answers to all of them.

    `is_last`: the phone sends nothing more. `on_demand`: it was asked for them.
    """

    request_id: int
    company_id: str
    session_id: str
    messages: tuple[RawHistoryMessage, ...]
    is_last: bool
    on_demand: bool = False


@dataclass(frozen=True, slots=True)
class ReceiptArrived:
    """A receipt came in; `request_id` 0 wants no answer. Company and session are what the bridge claims."""

    company_id: str
    session_id: str
    receipt: Receipt
    request_id: int = 0


@dataclass(frozen=True, slots=True)
class CallTold:
    """A step of a call; WhatsApp gets its ack after the answer. Company and session are what the bridge claims."""

    request_id: int
    company_id: str
    session_id: str
    update: CallUpdate


@dataclass(frozen=True, slots=True)
class PresenceTold:
    """What a contact shows; nobody waits for an answer. Company and session are what the bridge claims."""

    company_id: str
    session_id: str
    shown: ShownPresence


@dataclass(frozen=True, slots=True)
class MessageWanted:
    """A recipient could not decrypt a message: Baileys wants what was sent."""

    request_id: int
    wa_message_id: str


@dataclass(frozen=True, slots=True)
class GroupArrived:
    """A group is another than before, or was read; `request_id` 0 wants no answer."""

    request_id: int
    company_id: str
    session_id: str
    change: GroupChange


@dataclass(frozen=True, slots=True)
class ContactsMapped:
    """Both names of some contacts became known."""

    contacts: tuple[ContactId, ...]


@dataclass(frozen=True, slots=True)
class StandingTold:
    """WhatsApp said how it sees the number, or that it asks too much."""

    signals: tuple[ReachOutLocked | ReachOutUnlocked | CappingChanged | RateLimited, ...]


BridgeEvent = (
    QrCode
    | Linked
    | Opened
    | AuthWrite
    | AuthRead
    | InboundArrived
    | HistoryArrived
    | ReceiptArrived
    | CallTold
    | PresenceTold
    | GroupArrived
    | MessageWanted
    | ContactsMapped
    | StandingTold
    | Closed
)
"""What a stream reports by itself; `Closed` is always the last."""


@dataclass(frozen=True, slots=True)
class SendResult:
    """The result of one message. `message_proto` is what was sent; `contact` both names of the chat, where known."""

    report: SendReport
    acknowledged_at: datetime | None = None
    contact: ContactId = field(default_factory=ContactId)
    message_proto: bytes = b""


@dataclass(frozen=True, slots=True)
class CheckedNumber:
    """Whether a number has a WhatsApp account, and its names there."""

    phone_number: str
    on_whatsapp: bool
    contact: ContactId


@dataclass(frozen=True, slots=True)
class HeldSession:
    """A session that a stream holds open; `connected` says that its socket is open and logged in."""

    session_id: str
    company_id: str
    fence: int
    connected: bool


@dataclass(frozen=True, slots=True)
class BridgeStatus:
    """What a bridge process is and holds."""

    baileys_version: str
    node_version: str
    resident_bytes: int
    session_ids: tuple[str, ...]
    sessions: tuple[HeldSession, ...] = ()
