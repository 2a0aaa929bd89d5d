"""How much of a campaign lies in the outbox at a time, and which number writes to whom."""

PORTION = 40
"""Campaign messages of a session that wait for their turn within the hour: a pause or a cancel takes few back."""

MOST_WAITING = 200
"""Campaign messages of a session in its outbox, with those that wait for a day cap or a recipient's morning."""

REFILL_BELOW = 20
"""The next portion is laid in when fewer wait."""


def room(soon: int, waiting: int) -> int:
    """Give how many messages to lay in for a session that has `waiting` campaign messages, `soon` due within the hour.

    Recipients whose night it is do not keep those whose day it is waiting, up to a bound.
    """
    return min(PORTION - soon, max(0, MOST_WAITING - waiting)) if soon < REFILL_BELOW else 0


def share_of(slot: int, sessions: int, recipients: int) -> int:
    """Give how many recipients belong to the session in `slot` (from 0).

    The recipient at position p (from 1) is that of slot (p - 1) mod sessions, for good: no number takes over what
    another cannot send.
    """
    return len(range(slot, recipients, sessions))
