"""How often a session's connection was lost lately: what makes its breaker careful, and what shows that it flaps."""

from dataclasses import dataclass
from datetime import datetime, timedelta

Times = tuple[datetime, ...]
"""Moments, oldest first."""

NETWORK_WINDOW_S = 3600.0
NETWORK_CLOSES_TO_PROBE = 5
"""So many network closes within the window make the breaker half-open (sending policy)."""

LOOP_WINDOW_S = 600.0
DROPS_OF_A_LOOP = 5
"""A session that was connected and lost its connection so often within the window flaps."""


@dataclass(frozen=True, slots=True)
class CloseHistory:
    """`network` are closes for a reason of the network, `drops` losses of a usable connection, `looping` says that the
    session flaps and that this was told."""

    network: Times = ()
    drops: Times = ()
    looping: bool = False

    @property
    def demands_probe(self) -> bool:
        """True while the network fails so often that messages go one by one first."""
        return len(self.network) >= NETWORK_CLOSES_TO_PROBE


def within(times: Times, now: datetime, window_s: float) -> Times:
    """Those that are not older than the window."""
    return tuple(time for time in times if now - time < timedelta(seconds=window_s))


def note(times: Times, now: datetime, window_s: float, most: int) -> Times:
    """Add a moment and forget what is older than the window; keeps the newest `most`."""
    return (*within(times, now, window_s), now)[-most:]


def after_network_close(history: CloseHistory, now: datetime) -> CloseHistory:
    """The network closed a connection, or did not let one be made."""
    network = note(history.network, now, NETWORK_WINDOW_S, NETWORK_CLOSES_TO_PROBE)
    return CloseHistory(network, history.drops, history.looping)


def after_drop(history: CloseHistory, now: datetime) -> CloseHistory:
    """A usable connection was lost; an episode of flapping ends when there were fewer in the window."""
    drops = note(history.drops, now, LOOP_WINDOW_S, DROPS_OF_A_LOOP)
    return CloseHistory(history.network, drops, len(drops) >= DROPS_OF_A_LOOP)
