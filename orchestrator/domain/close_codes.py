"""The table of closed connections: what each code means, when to connect again, and what the breaker does."""

from dataclasses import dataclass
from enum import StrEnum
from random import Random

from orchestrator.domain.session import SessionState, Signal


class BreakerEffect(StrEnum):
    """What a closed connection does to the session's breaker."""

    NONE = "NONE"
    COUNT = "COUNT"
    """Several an hour make it half-open."""

    HALF_OPEN = "HALF_OPEN"
    OPEN = "OPEN"
    """Until a person resumes."""


@dataclass(frozen=True, slots=True)
class PermanentClosure:
    """The session stays down until a person does something; `signal` says which state follows."""

    signal: Signal
    advice: str
    breaker: BreakerEffect = BreakerEffect.OPEN


@dataclass(frozen=True, slots=True)
class PassingClosure:
    """The session connects again by itself.

    The delay is `base_s` doubled per failure in a row, at most `cap_s`, with full jitter. `base_s` 0 means at once,
    `max_tries` 0 for ever.
    """

    base_s: float
    cap_s: float = 300.0
    max_tries: int = 0
    breaker: BreakerEffect = BreakerEffect.NONE


Closure = PermanentClosure | PassingClosure

RESTART_CODE = 515

_NETWORK = PassingClosure(base_s=1.0, breaker=BreakerEffect.COUNT)
_OURS = PassingClosure(base_s=1.0)
_SERVER = PassingClosure(base_s=5.0)
_UNKNOWN = PassingClosure(base_s=1.0, max_tries=5, breaker=BreakerEffect.HALF_OPEN)
_RESTART = PassingClosure(base_s=0.0)
_RATE_LIMIT = PassingClosure(base_s=60.0, cap_s=3600.0, breaker=BreakerEffect.HALF_OPEN)
_BAD_REQUEST = PermanentClosure(
    Signal.REFUSED, "WhatsApp refused the connection as a bad request; start the session again or report it."
)
_LOCKED = PermanentClosure(Signal.BANNED, "WhatsApp locked or banned the number; check it on the phone.")

_CLOSURES: dict[int, Closure] = {
    401: PermanentClosure(Signal.LOGGED_OUT, "The number was unlinked on the phone; pair it again."),
    402: PermanentClosure(
        Signal.BANNED, "WhatsApp banned the number for a time; a person starts it again later."
    ),
    403: _LOCKED,
    405: PermanentClosure(Signal.REFUSED, "WhatsApp refuses this client version; update Ponte."),
    406: _LOCKED,
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
    RESTART_CODE: _RESTART,
    1001: _NETWORK,
    1006: _NETWORK,
}

_OWN_REASONS = frozenset({"bridge_lost", "auth_store_failed", "inbound_store_failed", "ended"})
"""Closed by Ponte's own parts, whatever WhatsApp does."""

_PAIRING_EXPIRED = PermanentClosure(
    Signal.PAIRING_ENDED, "The QR was not scanned in time; ask for a new one.", BreakerEffect.NONE
)
_LINK_LOST_WHILE_PAIRING = PermanentClosure(
    Signal.PAIRING_ENDED, "The connection was lost while pairing; ask for a new QR.", BreakerEffect.NONE
)


def classify_close(code: int, reason: str, state: SessionState) -> Closure:
    """Say what a closed connection means: the close-code table of the sending policy.

    `code` is Baileys' DisconnectReason, a stream error's or an HTTP upgrade's code, 0 where there is none; `reason`
    the bridge's word for it.
    """
    if state is SessionState.PAIRING and reason == "qr_expired":
        return _PAIRING_EXPIRED
    closure = _linked_closure(code, reason)
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


def _linked_closure(code: int, reason: str) -> Closure:
    if reason in _OWN_REASONS:
        return _OURS
    if reason == "upgrade_refused":
        # An HTTP status of whatever stands before WhatsApp: 401 from a proxy does not unlink the number.
        return _RATE_LIMIT if code == 429 else _SERVER
    if code == 0:
        return _NETWORK if reason == "connect_timeout" else _OURS
    return _CLOSURES.get(code, _UNKNOWN)
