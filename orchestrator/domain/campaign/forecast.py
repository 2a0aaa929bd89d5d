"""Foretelling a campaign by running the sending policy itself over simulated time. Nothing is sent.

Recipients are alike within a group, so only counts are held: a million cost what a hundred do. Once a number has passed
its warm-up, weeks repeat themselves: after two that are alike, most of those that are left are skipped, and the next is
looked at anew (daylight saving time is not).
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from random import Random
from typing import Final

from orchestrator.domain.message import Lane
from orchestrator.domain.policy.after import after_send
from orchestrator.domain.policy.decide import decide
from orchestrator.domain.policy.decisions import Delay, Hold, Reason, ReasonCode, Send
from orchestrator.domain.policy.health import well_from
from orchestrator.domain.policy.snapshot import Candidate, Snapshot
from orchestrator.domain.policy.warm_up import day_at, settle

WEEK: Final = timedelta(days=7)

LONGEST: Final = timedelta(days=366 * 50)
"""What takes longer is told as such."""

_LIKE: Final = 0.02
"""Two weeks are alike whose messages differ by no more than this share."""

_LEAST_STEP: Final = timedelta(milliseconds=1)
_ALL_STEPS: Final = frozenset({ReasonCode.CAMPAIGN_GAP, ReasonCode.LONG_PAUSE})
"""The pace between messages, which is no cap."""


@dataclass(frozen=True, slots=True)
class Group:
    """Recipients that the policy treats alike: the zones that their numbers may lie in, and what they know of us."""

    zones: tuple[tzinfo, ...]
    is_new_chat: bool
    known_chat: bool


@dataclass(frozen=True, slots=True)
class Share:
    """A session's part: its snapshot as it is now, and its recipients by group."""

    session_id: str
    snapshot: Snapshot
    groups: Mapping[Group, int]


@dataclass(frozen=True, slots=True)
class Cap:
    """What held messages up above all else: for how long, and since when."""

    code: ReasonCode
    words: str
    seconds: float
    first_at: datetime


@dataclass(frozen=True, slots=True)
class Forecast:
    """The messages of each hour (by its beginning, UTC) as far as they were simulated, the caps that held them up, the
    longest first, and what is left over: `unreachable` now, `late` after the end."""

    starts_at: datetime | None
    ends_at: datetime | None
    curve: Mapping[datetime, int]
    caps: Sequence[Cap]
    simulated: int
    unreachable: int = 0
    late: int = 0


@dataclass(slots=True)
class _Run:
    """One session's simulated time. `skipped` is added to what is told: simulated time itself has no holes."""

    share: Share
    size: int
    now: datetime
    end: datetime
    rng: Random
    snapshot: Snapshot
    left: Counter[Group]
    skipped: timedelta = timedelta()
    curve: Counter[datetime] = field(default_factory=Counter)
    caps: dict[ReasonCode, Cap] = field(default_factory=dict)
    simulated: int = 0
    unreachable: int = 0
    first: datetime | None = None
    last: datetime | None = None
    sent_this_week: Counter[Group] = field(default_factory=Counter)
    sent_last_week: Counter[Group] = field(default_factory=Counter)
    week_began: datetime | None = None
    held_before: dict[ReasonCode, float] = field(default_factory=dict)

    def run(self) -> None:
        """Go on until all are sent to, the end has come, or nothing more can be."""
        while self.left and self.told < self.end:
            self._settle()
            self._note_week()
            later: list[tuple[Delay, Group]] = []
            for group in self._by_need():
                decision = decide(self.snapshot, self._candidate(group), self.now, self.rng)
                if isinstance(decision, Send):
                    self._send(group)
                    break
                if isinstance(decision, Hold):
                    self.unreachable += self.left.pop(group)
                else:
                    later.append((decision, group))
            else:
                if later:
                    self._wait([delay for delay, _ in later])

    @property
    def told(self) -> datetime:
        """The time as it is told, with the weeks that were skipped."""
        return self.now + self.skipped

    def _by_need(self) -> list[Group]:
        """The groups with the most recipients first: a list is taken to be well mixed."""
        if len(self.left) == 1:
            return list(self.left)
        return sorted(self.left, key=lambda group: self.left[group], reverse=True)

    def _candidate(self, group: Group) -> Candidate:
        return Candidate(
            lane=Lane.CAMPAIGN,
            contact_key="",
            suppressed=False,
            opted_in=True,
            is_new_chat=group.is_new_chat,
            known_chat=group.known_chat,
            time_zones=group.zones,
            campaign_size=self.size,
        )

    def _send(self, group: Group) -> None:
        self.snapshot = after_send(self.snapshot, self._candidate(group), self.now, self.rng)
        told = self.told
        self.curve[told.replace(minute=0, second=0, microsecond=0)] += 1
        self.first = self.first or told
        self.last = told
        self.simulated += 1
        self.sent_this_week[group] += 1
        self.left[group] -= 1
        if not self.left[group]:
            del self.left[group]
            self.week_began = None
            self.sent_this_week = Counter()

    def _wait(self, delays: Sequence[Delay]) -> None:
        soonest = min(delays, key=lambda delay: delay.until)
        until = max(soonest.until, self.now + _LEAST_STEP)
        self._note_cap(soonest.reason, (until - self.now).total_seconds())
        self.now = until

    def _note_cap(self, reason: Reason, seconds: float) -> None:
        if reason.code in _ALL_STEPS:
            return
        known = self.caps.get(reason.code)
        if known is None:
            self.caps[reason.code] = Cap(reason.code, reason.what, seconds, self.told)
        else:
            self.caps[reason.code] = replace(known, seconds=known.seconds + seconds)

    def _settle(self) -> None:
        settings = self.snapshot.settings
        well = well_from(self.snapshot.health, settings.health)
        warm_up = settle(self.snapshot.warm_up, self.now, settings.warm_up, well)
        if warm_up is not self.snapshot.warm_up:
            self.snapshot = replace(self.snapshot, warm_up=warm_up)

    def _note_week(self) -> None:
        """After a whole week that was like the one before, skip most of those that fit."""
        if self.week_began is not None and self.now - self.week_began < WEEK:
            return
        if self.week_began is not None and self._is_mature() and self._is_steady():
            fitting = min(self.left[group] // sent for group, sent in self.sent_this_week.items())
            self._skip(fitting - math.ceil(fitting / 8))
        self.week_began = self.now
        self.sent_last_week, self.sent_this_week = self.sent_this_week, Counter()
        self.held_before = {code: cap.seconds for code, cap in self.caps.items()}

    def _is_steady(self) -> bool:
        this, last = self.sent_this_week.total(), self.sent_last_week.total()
        return this > 0 and abs(this - last) <= _LIKE * this

    def _is_mature(self) -> bool:
        began = self.week_began or self.now
        settings = self.snapshot.settings
        day = day_at(self.snapshot.warm_up, self.now, settings.warm_up)
        ladders = (settings.limits.per_hour, settings.limits.per_day, settings.new_chats.per_day)
        grown = day - (self.now - began).days
        return grown >= max(ladder.first_mature_day for ladder in ladders)

    def _skip(self, weeks: int) -> None:
        weeks = min(weeks, (self.end - self.told) // WEEK)
        for group, sent in self.sent_this_week.items():
            self.left[group] -= sent * weeks
        for code, cap in self.caps.items():
            in_the_week = cap.seconds - self.held_before.get(code, 0.0)
            self.caps[code] = replace(cap, seconds=cap.seconds + weeks * in_the_week)
        self.skipped += weeks * WEEK


def forecast(
    shares: Sequence[Share], size: int, start: datetime, end: datetime | None, rng: Random
) -> Forecast:
    """Foretell a campaign to `size` recipients that begins at `start`, each session with its share.

    `end` is when the campaign stops by its schedule. The snapshots' windows are used up: read them for this alone.
    """
    start = start.astimezone(UTC)
    bound = min(end, start + LONGEST) if end else start + LONGEST
    runs = [
        _Run(share, size, start, bound, rng, share.snapshot, Counter(dict(share.groups))) for share in shares
    ]
    for run in runs:
        run.left = +run.left
        run.run()
    return _together(runs)


def _together(runs: Sequence[_Run]) -> Forecast:
    curve: Counter[datetime] = Counter()
    caps: dict[ReasonCode, Cap] = {}
    for run in runs:
        curve.update(run.curve)
        for code, cap in run.caps.items():
            known = caps.get(code, replace(cap, seconds=0.0))
            caps[code] = replace(
                known, seconds=known.seconds + cap.seconds, first_at=min(known.first_at, cap.first_at)
            )
    return Forecast(
        starts_at=min((run.first for run in runs if run.first), default=None),
        ends_at=max((run.last for run in runs if run.last), default=None),
        curve=dict(sorted(curve.items())),
        caps=sorted(caps.values(), key=lambda cap: cap.seconds, reverse=True),
        simulated=sum(run.simulated for run in runs),
        unreachable=sum(run.unreachable for run in runs),
        late=sum(run.left.total() for run in runs),
    )
