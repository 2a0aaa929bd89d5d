"""The life of a session: one state machine, what a closed connection means, and when to connect again."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from random import Random

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
class PermanentClosure:
    """The session stays down until a person does something; `signal` says which state follows."""

    signal: Signal
    advice: str


@dataclass(frozen=True, slots=True)
class PassingClosure:
    """The session connects again by itself.

    The delay is `base_s` doubled per failure in a row, at most `cap_s`, with full jitter. `base_s` 0 means at once,
    `max_tries` 0 for ever.
    """

    base_s: float
    cap_s: float = 300.0
    max_tries: int = 0


Closure = PermanentClosure | PassingClosure

_NETWORK = PassingClosure(base_s=1.0)
_SERVER = PassingClosure(base_s=5.0)
_UNKNOWN = PassingClosure(base_s=1.0, max_tries=5)
_RESTART = PassingClosure(base_s=0.0)
_RATE_LIMIT = PassingClosure(base_s=60.0, cap_s=3600.0)
_BAD_REQUEST = PermanentClosure(
    Signal.REFUSED, "WhatsApp refused the connection as a bad request; start the session again or report it."
)

_CLOSURES: dict[int, Closure] = {
    401: PermanentClosure(Signal.LOGGED_OUT, "The number was unlinked on the phone; pair it again."),
    402: PermanentClosure(
        Signal.BANNED, "WhatsApp banned the number for a time; a person starts it again later."
    ),
    403: PermanentClosure(Signal.BANNED, "WhatsApp locked or banned the number; check it on the phone."),
    405: PermanentClosure(Signal.REFUSED, "WhatsApp refuses this client version; update Ponte."),
    406: PermanentClosure(Signal.BANNED, "WhatsApp locked or banned the number; check it on the phone."),
    408: _NETWORK,
    409: _BAD_REQUEST,
    411: _BAD_REQUEST,
    413: _BAD_REQUEST,
    414: _BAD_REQUEST,
    415: _BAD_REQUEST,
    428: _NETWORK,
    429: _RATE_LIMIT,
    440: PermanentClosure(
        Signal.REPLACED,
        "The same linked device connected from elsewhere; stop the other one, then start the session.",
    ),
    500: _UNKNOWN,
    502: _SERVER,
    503: _SERVER,
    504: _SERVER,
    515: _RESTART,
    1001: _NETWORK,
    1006: _NETWORK,
}
_PAIRING_EXPIRED = PermanentClosure(
    Signal.PAIRING_ENDED, "The QR was not scanned in time; ask for a new one."
)
_LINK_LOST_WHILE_PAIRING = PermanentClosure(
    Signal.PAIRING_ENDED, "The connection was lost while pairing; ask for a new QR."
)


def classify_close(code: int, state: SessionState) -> Closure:
    """Say what a closed connection means: the close-code table of the sending policy.

    `code` is Baileys' DisconnectReason, a stream error's or an HTTP upgrade's code, 0 where there is none.
    """
    if state is SessionState.PAIRING and code == 408:
        return _PAIRING_EXPIRED
    closure = _CLOSURES.get(code, _NETWORK if code == 0 else _UNKNOWN)
    if state is SessionState.PAIRING and isinstance(closure, PassingClosure) and closure is not _RESTART:
        return _LINK_LOST_WHILE_PAIRING
    return closure


def next_reconnect(closure: PassingClosure, failures: int, rng: Random) -> float | None:
    """Seconds until the next connect after `failures` failed ones in a row (0 for the first), or None to give up."""
    if closure.max_tries and failures >= closure.max_tries:
        return None
    if closure.base_s == 0:
        return 0.0
    ceiling = min(closure.cap_s, closure.base_s * 2.0 ** min(failures, 32))
    return rng.uniform(0, ceiling)


@dataclass(frozen=True, slots=True)
class LastClose:
    """Why a session's connection ended last."""

    code: int
    reason: str
    permanent: bool
    at: datetime
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Session:
    """One linked WhatsApp account of a company."""

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
