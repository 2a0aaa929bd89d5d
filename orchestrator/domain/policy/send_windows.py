"""When a session sent: what sliding windows are counted on."""

from bisect import bisect_right, insort
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

_KEPT = 6_000
"""Twice the highest cap (3,000 a day), so that a clock that jumped does not make it forget."""


class SentTimes:
    """Moments in ascending order. Mutable, so that noting one of thousands costs a push."""

    __slots__ = ("_times",)

    def __init__(self, times: Iterable[datetime] = ()) -> None:
        """Take moments in any order."""
        self._times = sorted(times)

    def __len__(self) -> int:
        return len(self._times)

    def note(self, at: datetime) -> None:
        """Add a moment; one earlier than others (the clock went back) finds its place among them."""
        times = self._times
        if not times or at >= times[-1]:
            times.append(at)
        else:
            insort(times, at)
        if len(times) > 2 * _KEPT:
            del times[:-_KEPT]

    def used(self, length: timedelta, now: datetime) -> int:
        """How many lie after `now - length`, those later than now included."""
        return len(self._times) - bisect_right(self._times, now - length)

    def oldest(self, length: timedelta, now: datetime) -> datetime | None:
        """The first one after `now - length`, None where there is none."""
        index = bisect_right(self._times, now - length)
        return self._times[index] if index < len(self._times) else None

    def full_until(self, cap: int, length: timedelta, now: datetime) -> datetime | None:
        """None where one more keeps every window of this length within `cap` (1 or more), else when it
        will.

        Exact: the window slides with each message. Moments later than now count too, so a clock that went
        back opens nothing.
        """
        if len(self._times) < cap:
            return None
        free_at = self._times[-cap] + length
        return free_at if free_at > now else None

    def turn_after(self, place: int, cap: int, length: timedelta) -> timedelta:
        """How much later than the next message the one with `place` others before it fits at the earliest.

        The moments of a full window free their places one by one, again a window later; nothing where it
        is not full.
        """
        if len(self._times) < cap:
            return timedelta()
        laps, slot = divmod(place, cap)
        return self._times[slot - cap] - self._times[-cap] + laps * length


@dataclass(slots=True)
class SendWindows:
    """A session's sent times by what they count for. Owned by the caller, changed in place by `after_send`,
    not shared between threads.

    Rebuilt from what was sent: every sent time later than 24 h ago, also those that a wrong clock put into
    the future. `others` are all messages outside conversations, `new_chats` those of them that began a
    chat, `number_checks` questions to WhatsApp.
    """

    conversations: SentTimes = field(default_factory=SentTimes)
    others: SentTimes = field(default_factory=SentTimes)
    new_chats: SentTimes = field(default_factory=SentTimes)
    number_checks: SentTimes = field(default_factory=SentTimes)
