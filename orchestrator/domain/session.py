"""The life of a session: its states, what changes them, and what is known of it."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from orchestrator.domain.jid import ContactId


class SessionState(StrEnum):
    """The observed state of a session."""

    NEW = "NEW"
    PAIRING = "PAIRING"
    CONNECTING = "CONNECTING"
    CONNECTED = "CONNECTED"
    RECONNECTING = "RECONNECTING"
    LOGGED_OUT = "LOGGED_OUT"
    REPLACED = "REPLACED"
    BANNED = "BANNED"
    STOPPED = "STOPPED"


class DesiredState(StrEnum):
    """What the company wants; a gateway works to make the observed state follow."""

    RUN = "RUN"
    STOP = "STOP"


class Signal(StrEnum):
    """What can happen to a session."""

    PAIR_REQUESTED = "PAIR_REQUESTED"
    START_REQUESTED = "START_REQUESTED"
    STOP_REQUESTED = "STOP_REQUESTED"
    PAIRING_ENDED = "PAIRING_ENDED"
    LINKED = "LINKED"
    OPENED = "OPENED"
    CONNECTION_LOST = "CONNECTION_LOST"
    LOGGED_OUT = "LOGGED_OUT"
    REPLACED = "REPLACED"
    BANNED = "BANNED"
    REFUSED = "REFUSED"
    IMPORTED = "IMPORTED"


_S = SessionState
TRANSITIONS: dict[Signal, dict[SessionState, SessionState]] = {
    Signal.PAIR_REQUESTED: {_S.NEW: _S.PAIRING, _S.LOGGED_OUT: _S.PAIRING, _S.PAIRING: _S.PAIRING},
    Signal.START_REQUESTED: {
        _S.STOPPED: _S.CONNECTING,
        _S.REPLACED: _S.CONNECTING,
        _S.BANNED: _S.CONNECTING,
        _S.CONNECTING: _S.CONNECTING,
        _S.CONNECTED: _S.CONNECTED,
        _S.RECONNECTING: _S.RECONNECTING,
    },
    Signal.STOP_REQUESTED: {
        _S.NEW: _S.NEW,
        _S.LOGGED_OUT: _S.LOGGED_OUT,
        _S.PAIRING: _S.NEW,
        _S.CONNECTING: _S.STOPPED,
        _S.CONNECTED: _S.STOPPED,
        _S.RECONNECTING: _S.STOPPED,
        _S.REPLACED: _S.STOPPED,
        _S.BANNED: _S.STOPPED,
        _S.STOPPED: _S.STOPPED,
    },
    Signal.PAIRING_ENDED: {_S.PAIRING: _S.NEW},
    Signal.LINKED: {_S.PAIRING: _S.CONNECTING},
    Signal.OPENED: {
        _S.CONNECTING: _S.CONNECTED,
        _S.RECONNECTING: _S.CONNECTED,
        _S.CONNECTED: _S.CONNECTED,
        _S.PAIRING: _S.CONNECTED,
    },
    Signal.CONNECTION_LOST: {
        _S.CONNECTING: _S.RECONNECTING,
        _S.CONNECTED: _S.RECONNECTING,
        _S.RECONNECTING: _S.RECONNECTING,
        _S.PAIRING: _S.PAIRING,
    },
    Signal.LOGGED_OUT: {
        _S.CONNECTING: _S.LOGGED_OUT,
        _S.CONNECTED: _S.LOGGED_OUT,
        _S.RECONNECTING: _S.LOGGED_OUT,
        _S.PAIRING: _S.NEW,
        _S.STOPPED: _S.LOGGED_OUT,
        _S.REPLACED: _S.LOGGED_OUT,
        _S.BANNED: _S.LOGGED_OUT,
    },
    Signal.REPLACED: {
        _S.CONNECTING: _S.REPLACED,
        _S.CONNECTED: _S.REPLACED,
        _S.RECONNECTING: _S.REPLACED,
        _S.PAIRING: _S.NEW,
    },
    Signal.BANNED: {
        _S.CONNECTING: _S.BANNED,
        _S.CONNECTED: _S.BANNED,
        _S.RECONNECTING: _S.BANNED,
        _S.PAIRING: _S.NEW,
    },
    Signal.REFUSED: {
        _S.CONNECTING: _S.STOPPED,
        _S.CONNECTED: _S.STOPPED,
        _S.RECONNECTING: _S.STOPPED,
        _S.PAIRING: _S.NEW,
    },
    Signal.IMPORTED: {_S.NEW: _S.STOPPED},
}
"""Signal -> state before -> state after; what is not listed is not possible and changes nothing."""


def transition(state: SessionState, signal: Signal) -> SessionState | None:
    """Give the state after `signal`, or None where the signal makes no sense in this state."""
    return TRANSITIONS[signal].get(state)


LINKED_STATES = frozenset({_S.CONNECTING, _S.CONNECTED, _S.RECONNECTING, _S.STOPPED, _S.REPLACED, _S.BANNED})
"""States in which a number is linked, so that messages may be queued."""

RUNNABLE_STATES = frozenset({_S.PAIRING, _S.CONNECTING, _S.CONNECTED, _S.RECONNECTING})
"""States in which a gateway holds a stream, as long as the desired state is RUN."""


@dataclass(frozen=True, slots=True)
class LastClose:
    """Why a session's connection ended last. `start_not_before` is set by a temporary ban."""

    code: int
    reason: str
    permanent: bool
    at: datetime
    advice: str = ""
    start_not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """One linked WhatsApp account of a company. `reconnect_at` is set while it waits to connect again by itself,
    `held_until` is the end of its gateway's lease."""

    id: str
    company_id: str
    name: str
    state: SessionState
    desired_state: DesiredState
    me: ContactId
    push_name: str
    last_close: LastClose | None
    created_at: datetime
    connected_at: datetime | None
    reconnect_at: datetime | None = None
    held_until: datetime | None = field(default=None, compare=False)

    def seen_at(self, now: datetime) -> "Session":
        """As it is to be shown: one that no gateway holds, because it was killed, is not connected any more."""
        if self.state is SessionState.CONNECTED and (self.held_until is None or self.held_until <= now):
            return replace(self, state=SessionState.RECONNECTING)
        return self

    @property
    def is_linked(self) -> bool:
        """True when a number is linked, connected or not."""
        return self.state in LINKED_STATES


@dataclass(frozen=True, slots=True)
class QrCode:
    """A QR on show for pairing: the text to draw, and when WhatsApp stops taking it."""

    data: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Lease:
    """Who may hold a session's stream. `fence` grows with every new owner; `address` is the owner's Gateway service."""

    session_id: str
    company_id: str
    owner: str
    address: str
    fence: int
    until: datetime
