"""Imports of conversations: what is wanted, where one stands, and the messages that it brings."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from orchestrator.domain.content import Content
from orchestrator.domain.exported_chat.lines import DateOrder
from orchestrator.domain.jid import ContactId
from orchestrator.domain.message import MessageStatus


class ImportKind(StrEnum):
    """Where the messages come from."""

    PAIRING = "PAIRING"
    """The history that a phone sends once it was linked."""
    EXPORT = "EXPORT"
    """A chat that WhatsApp's app exported as a file."""
    ON_DEMAND = "ON_DEMAND"
    """Older messages of a chat that a phone was asked for."""


class ImportState(StrEnum):
    """Where an import stands."""

    WAITING = "WAITING"
    """The phone is still sending, and what it sends is kept until all of it is there; or a file waits its turn."""
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


ENDED: Final = frozenset({ImportState.COMPLETED, ImportState.FAILED, ImportState.CANCELLED})


@dataclass(frozen=True, slots=True)
class HistoryWish:
    """What of a history is wanted: messages of the last `days` (0: none), those of groups, and the files."""

    days: int = 0
    groups: bool = False
    media: bool = False


@dataclass(frozen=True, slots=True)
class ExportWish:
    """Which exported chat is to be imported: the file, the jid of its chat, by which name the person who exported it
    stands in it, its time zone (IANA), and in which order its dates are, None where the file has to tell."""

    media_id: str
    chat_jid: str
    own_name: str
    time_zone: str
    date_order: DateOrder | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """Messages: `total` in the source, 0 while it is not known; `read` so far, of which `added` are new here, `known`
    were here before, and `skipped` are none, or not wanted."""

    total: int = 0
    read: int = 0
    added: int = 0
    known: int = 0
    skipped: int = 0

    def plus(self, *, added: int = 0, known: int = 0, skipped: int = 0) -> "Counts":
        """Count what one batch brought."""
        return Counts(
            self.total,
            self.read + added + known + skipped,
            self.added + added,
            self.known + known,
            self.skipped + skipped,
        )

    @property
    def percent(self) -> int:
        """How much of the source is read; 100 is said of an import that has ended only."""
        return min(99, self.read * 100 // self.total) if self.total else 0


@dataclass(frozen=True, slots=True)
class Import:
    """One import; `percent` is 0 to 100. What was imported before an error or a cancellation stays.

    `wish` is what a phone was asked for, `export` which file is read, `chat_jid` of which chat older messages were
    asked for; each of its own kind of import.
    """

    id: str
    company_id: str
    session_id: str
    kind: ImportKind
    state: ImportState
    wish: HistoryWish
    created_at: datetime
    updated_at: datetime
    counts: Counts = field(default_factory=Counts)
    percent: int = 0
    error_code: str = ""
    error_detail: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    export: ExportWish | None = None
    chat_jid: str = ""


@dataclass(frozen=True, slots=True)
class ImportedMessage:
    """A message as its source tells it. `contact` is the other side of a chat, in a group who wrote; `place` orders
    those of one second; the rest is as in `InboundMessage`.

    `names_itself`: the push name is the contact's own word, and not that of somebody's address book.
    Inbound messages are RECEIVED; of the company's own `status` says how far they came.
    """

    wa_message_id: str
    chat_jid: str
    contact: ContactId
    from_me: bool
    is_group: bool
    push_name: str
    sent_at: datetime
    status: MessageStatus
    kind: str
    text: str
    place: int = 0
    content: Content | None = None
    message_proto: bytes | None = None
    names_itself: bool = True


@dataclass(frozen=True, slots=True)
class OlderThan:
    """What is asked of a phone: `count` messages that came before one, as WhatsApp names it."""

    chat_jid: str
    wa_message_id: str
    from_me: bool
    sent_at: datetime
    count: int = 0


@dataclass(frozen=True, slots=True)
class RawHistoryMessage:
    """A message as its phone told it, not read yet: `payload` is the bridge's.

    The rest is what it is kept and ordered by; `place` orders what was sent in one second.
    """

    wa_message_id: str
    chat_jid: str
    sent_at_ms: int
    place: int
    payload: bytes


_BEFORE_ALL_EVENTS: Final = 1 << 62
_PLACES: Final = 1 << 12
_SALT_BITS: Final = 16


def sequences_between(since: datetime, until: datetime) -> tuple[int, int]:
    """Give the first and the last place in the company's order of what was sent in the seconds from `since` to `until`,
    both included."""
    return _first_sequence(since), _first_sequence(until) + (_PLACES << _SALT_BITS) - 1


def sequence_of(message: ImportedMessage) -> int:
    """Give the place of an imported message in the company's order of messages: a negative number, so that it stands
    before everything that was ever received or sent here, and grows with the time at which it was sent.

    Two messages may be given one number; whoever stores them takes the next that is free.
    """
    digest = hashlib.sha256(f"{message.chat_jid}\0{message.wa_message_id}".encode()).digest()
    salt = int.from_bytes(digest[:2])
    place = min(message.place, _PLACES - 1)
    return _first_sequence(message.sent_at) + (place << _SALT_BITS | salt)


def _first_sequence(sent_at: datetime) -> int:
    second = min(max(int(sent_at.timestamp()), 0), (1 << 33) - 1)
    return -_BEFORE_ALL_EVENTS + (second * _PLACES << _SALT_BITS)
