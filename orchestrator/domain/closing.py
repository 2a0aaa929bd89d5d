"""What follows the end of a connection to WhatsApp: the state after it, when to connect again, what to tell people."""

import math
from dataclasses import dataclass, replace
from random import Random

from orchestrator.domain.session import (
    PermanentClosure,
    SessionState,
    Signal,
    classify_close,
    next_reconnect,
)

STABLE_CONNECTION_S = 60.0
"""A connection that lasted this long ends the count of failures in a row."""

RESTARTS_AT_ONCE = 3
"""So many restarts (515) in a row are followed at once; more are treated as a failing network."""

_GAVE_UP = (
    "WhatsApp closed the connection {count} times in a row for an unknown reason; start the session again."
)
_RECONNECTS = "Nothing; the session connects again by itself."
_RESTART_CODE = 515


@dataclass(frozen=True, slots=True)
class Closed:
    """How a connection ended, the twin of `ponte.bridge.v1.Closed`.

    `code` is Baileys' DisconnectReason, a stream error's or an HTTP upgrade's code, 0 where there is none.
    `reason` is a lower_snake word. `intentional` means that Ponte asked for it. `expires_in_s` is how long a
    temporary ban lasts.
    """

    code: int
    reason: str
    detail: str = ""
    intentional: bool = False
    expires_in_s: int = 0


@dataclass(frozen=True, slots=True)
class AfterClose:
    """What follows. `signal` None leaves the state; `reconnect_in_s` None leaves the session down until a person acts.

    `failures` is the new count of connections in a row that failed.
    """

    signal: Signal | None
    reconnect_in_s: float | None
    failures: int
    advice: str

    @property
    def permanent(self) -> bool:
        """True when a person has to do something."""
        return self.reconnect_in_s is None


def after_close(
    closed: Closed, state: SessionState, failures: int, connected_for_s: float, rng: Random
) -> AfterClose:
    """Decide what follows a connection that ended in `state`, after `failures` failed ones in a row before it.

    `connected_for_s` is how long it was open; 0 where it never was.
    """
    closure = classify_close(closed.code, state)
    if isinstance(closure, PermanentClosure):
        return AfterClose(closure.signal, None, 0, _ban_advice(closure.advice, closed.expires_in_s))
    before = 0 if connected_for_s >= STABLE_CONNECTION_S else failures
    if closed.code == _RESTART_CODE and before >= RESTARTS_AT_ONCE:
        closure = replace(closure, base_s=1.0)
    delay = next_reconnect(closure, before, rng)
    if delay is None:
        return AfterClose(Signal.REFUSED, None, 0, _GAVE_UP.format(count=before + 1))
    restarts_while_connecting = closed.code == _RESTART_CODE and state is SessionState.CONNECTING
    signal = None if restarts_while_connecting else Signal.CONNECTION_LOST
    return AfterClose(signal, delay, before + 1, _RECONNECTS)


def _ban_advice(advice: str, expires_in_s: int) -> str:
    if expires_in_s <= 0:
        return advice
    hours = math.ceil(expires_in_s / 3600)
    return f"{advice} The ban ends in about {hours} h; wait a day longer."
