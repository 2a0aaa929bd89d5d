"""What follows the end of a connection to WhatsApp: the state after it, when to connect again, what to tell people."""

import math
from dataclasses import dataclass, field, replace
from datetime import datetime
from random import Random

from orchestrator.domain.close_codes import (
    RESTART_CODE,
    BreakerEffect,
    PassingClosure,
    PermanentClosure,
    classify_close,
    next_reconnect,
)
from orchestrator.domain.close_history import (
    DROPS_OF_A_LOOP,
    LOOP_WINDOW_S,
    CloseHistory,
    after_drop,
    after_network_close,
)
from orchestrator.domain.session import SessionState, Signal

STABLE_CONNECTION_S = 60.0
"""A connection that lasted this long ends the count of failures in a row."""

RESTARTS_AT_ONCE = 3
"""So many restarts (515) in a row are followed at once; more are treated as a failing network."""

BAN_REST_S = 24 * 3600
"""A number rests for so long after a temporary ban has ended (sending policy)."""

_LONGEST_BAN_S = 366 * 24 * 3600
_GAVE_UP = (
    "WhatsApp closed the connection {count} times in a row for an unknown reason; start the session again."
)
_RECONNECTS = "Nothing; the session connects again by itself."
_LOOPS = (
    f"The connection is lost again and again ({DROPS_OF_A_LOOP} times in {LOOP_WINDOW_S / 60:g} minutes, "
    "now {reason}); "
    "check this server's network, and that no other program uses the same linked device."
)
_BAN_CAUSES = {
    101: "too many messages to people who do not have the number among their contacts",
    102: "too many people blocked the number",
    103: "too many groups made, or people added to them",
    104: "the same message to too many people",
    106: "too many messages to a broadcast list",
}


@dataclass(frozen=True, slots=True)
class Closed:
    """How a connection ended, the twin of `ponte.bridge.v1.Closed`.

    `code` is Baileys' DisconnectReason, a stream error's or an HTTP upgrade's code, 0 where there is none.
    `reason` is a lower_snake word. `intentional` means that Ponte asked for it. `expires_in_s` is how long a
    temporary ban lasts, `ban_code` why there is one; 0 where there is none.
    """

    code: int
    reason: str
    detail: str = ""
    intentional: bool = False
    expires_in_s: int = 0
    ban_code: int = 0


@dataclass(frozen=True, slots=True)
class Connection:
    """The connection that ended: the session's state then, how often in a row one failed before, for how long it was
    usable (0 for never), and what was lost lately."""

    state: SessionState
    failures: int = 0
    connected_for_s: float = 0.0
    history: CloseHistory = field(default_factory=CloseHistory)


@dataclass(frozen=True, slots=True)
class AfterClose:
    """What follows. `signal` None leaves the state; `reconnect_in_s` None leaves the session down until a person acts.

    `failures` is the new count of connections in a row that failed. `rest_s` is how long a person may not start it.
    `begins_loop` says that the session flaps from now on.
    """

    signal: Signal | None
    reconnect_in_s: float | None
    failures: int
    advice: str
    breaker: BreakerEffect = BreakerEffect.NONE
    rest_s: float = 0.0
    history: CloseHistory = field(default_factory=CloseHistory)
    begins_loop: bool = False

    @property
    def permanent(self) -> bool:
        """True when a person has to do something."""
        return self.reconnect_in_s is None


def after_close(closed: Closed, connection: Connection, now: datetime, rng: Random) -> AfterClose:
    """Decide what follows a connection that ended."""
    closure = classify_close(closed.code, closed.reason, connection.state)
    if isinstance(closure, PermanentClosure):
        return _after_permanent(closed, closure, connection)
    before = 0 if connection.connected_for_s >= STABLE_CONNECTION_S else connection.failures
    if closed.code == RESTART_CODE and before >= RESTARTS_AT_ONCE:
        closure = replace(closure, base_s=1.0)
    delay = next_reconnect(closure, before, rng)
    if delay is None:
        gave_up = PermanentClosure(Signal.REFUSED, _GAVE_UP.format(count=before + 1))
        return _after_permanent(closed, gave_up, connection)
    history = _history(closed, closure, connection, now)
    restarts_while_connecting = closed.code == RESTART_CODE and connection.state is SessionState.CONNECTING
    return AfterClose(
        signal=None if restarts_while_connecting else Signal.CONNECTION_LOST,
        reconnect_in_s=delay,
        failures=before + 1,
        advice=_LOOPS.format(reason=closed.reason) if history.looping else _RECONNECTS,
        breaker=_effect(closure, history),
        history=history,
        begins_loop=history.looping and not connection.history.looping,
    )


def _after_permanent(closed: Closed, closure: PermanentClosure, connection: Connection) -> AfterClose:
    is_ban = closure.signal is Signal.BANNED and closed.expires_in_s > 0
    rest_s = min(closed.expires_in_s, _LONGEST_BAN_S) + BAN_REST_S if is_ban else 0
    advice = (
        _ban_advice(closure.advice, closed, rest_s) if closure.signal is Signal.BANNED else closure.advice
    )
    history = replace(connection.history, looping=False)
    return AfterClose(closure.signal, None, 0, advice, closure.breaker, rest_s, history)


def _history(closed: Closed, closure: PassingClosure, connection: Connection, now: datetime) -> CloseHistory:
    history = connection.history
    if closure.breaker is BreakerEffect.COUNT:
        history = after_network_close(history, now)
    if connection.state is SessionState.CONNECTED and not closed.intentional:
        history = after_drop(history, now)
    return history


def _effect(closure: PassingClosure, history: CloseHistory) -> BreakerEffect:
    if closure.breaker is not BreakerEffect.COUNT:
        return closure.breaker
    return BreakerEffect.HALF_OPEN if history.demands_probe else BreakerEffect.NONE


def _ban_advice(advice: str, closed: Closed, rest_s: float) -> str:
    if cause := _BAN_CAUSES.get(closed.ban_code):
        advice = f"{advice} The cause: {cause} ({closed.ban_code})."
    if rest_s > 0:
        hours = math.ceil((rest_s - BAN_REST_S) / 3600)
        advice = f"{advice} The ban ends in about {hours} h; it can be started a day after that."
    return advice
