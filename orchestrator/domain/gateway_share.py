"""How sessions are shared among gateways: each the same, as far as each has room."""

from collections.abc import Sequence

_SLACK = 10
"""A gateway may hold a tenth of its share more before it hands over: each session moved has to connect again."""


def fair_share(sessions: int, own_room: int, other_rooms: Sequence[int]) -> int:
    """Give how many of `sessions` a gateway with room for `own_room` should hold beside others with theirs.

    Where the sessions do not divide, each gateway may hold one more; what the others have no room for is added.
    """
    left, gateways = sessions, len(other_rooms) + 1
    for room in sorted(other_rooms):
        if room >= min(own_room, _level(left, gateways)):
            break
        left -= room
        gateways -= 1
    return min(own_room, _level(left, gateways))


def surplus(held: int, share: int) -> int:
    """Give how many of the sessions it holds a gateway should hand over to the others; 0 while it is near its share."""
    return held - share if held > share + share // _SLACK else 0


def _level(sessions: int, gateways: int) -> int:
    return -(-sessions // gateways)
