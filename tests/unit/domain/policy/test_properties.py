"""What holds whatever happens: no cap is exceeded in any window, no delay ends in the past, unreadable means held."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import cast

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.domain.breaker import Breaker, BreakerState
from orchestrator.domain.message import Lane
from orchestrator.domain.policy.after import after_send
from orchestrator.domain.policy.conversation import is_in_conversation
from orchestrator.domain.policy.decide import decide
from orchestrator.domain.policy.decisions import Delay, Hold, Send
from orchestrator.domain.policy.health import Health, figure_at, well_from
from orchestrator.domain.policy.ladder import Ladder
from orchestrator.domain.policy.pacing_state import Gap, Pacing
from orchestrator.domain.policy.reaction_state import (
    Cause,
    Pause,
    Reactions,
    RefusedContact,
    Scope,
    Slowdown,
)
from orchestrator.domain.policy.reactions import Standing, react
from orchestrator.domain.policy.send_windows import SendWindows, SentTimes
from orchestrator.domain.policy.settings import (
    DEFAULTS,
    LimitSettings,
    NewChatSettings,
    PolicySettings,
    QuietHourSettings,
)
from orchestrator.domain.policy.signals import (
    CappingChanged,
    CappingLevel,
    Disconnected,
    OutcomesCounted,
    RateLimited,
    ReachOutRefused,
    SendFailed,
    Signal,
)
from orchestrator.domain.policy.snapshot import Candidate, NewChatQuota, Snapshot
from orchestrator.domain.policy.warm_up import WarmUp, settle
from tests.support.policy_snapshots import NOON, later

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NARROW = replace(
    DEFAULTS,
    limits=LimitSettings(3, 2, Ladder(((1, 3), (2, 4))), Ladder(((1, 4), (2, 6)))),
    new_chats=NewChatSettings(Ladder(((1, 1), (2, 2)))),
    quiet_hours=QuietHourSettings(weekdays=frozenset(range(7))),
)
"""Caps so low that short sequences reach them."""


@dataclass
class Sender:
    """Asks before each message, as dispatch does, and writes down what left."""

    settings: PolicySettings
    now: datetime = NOON
    rng: Random = field(default_factory=lambda: Random(1))
    conversations: list[datetime] = field(default_factory=list)
    others: list[datetime] = field(default_factory=list)
    new_chats: list[datetime] = field(default_factory=list)
    campaigns: list[datetime] = field(default_factory=list)
    standing: Standing = field(default_factory=Standing)
    day: int = 30
    exceeded: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.snapshot = Snapshot(WarmUp(self.day, NOON, NOON), settings=self.settings)

    def offer(self, candidate: Candidate) -> None:
        self.settle()
        decision = decide(self.snapshot, candidate, self.now, self.rng)
        if not isinstance(decision, Send):
            return
        self.compare(candidate)
        if is_in_conversation(candidate, self.now, self.settings.contact):
            self.conversations.append(self.now)
        else:
            self.others.append(self.now)
        if candidate.is_new_chat:
            self.new_chats.append(self.now)
        if candidate.lane is Lane.CAMPAIGN:
            self.campaigns.append(self.now)
        self.snapshot = after_send(self.snapshot, candidate, self.now, self.rng)

    def settle(self) -> None:
        """Bring the warm-up up to date, as reading the policy does."""
        well = well_from(self.snapshot.health, self.settings.health)
        warm_up = settle(self.snapshot.warm_up, self.now, self.settings.warm_up, well)
        self.snapshot = replace(self.snapshot, warm_up=warm_up)

    def compare(self, candidate: Candidate) -> None:
        """Write down each cap that this message exceeds as it holds at this moment."""
        if is_in_conversation(candidate, self.now, self.settings.contact):
            minute = self.settings.limits.conversation_per_minute
            self._expect("conversations of a minute", self.conversations, MINUTE, minute)
            return
        for what, times, length, most in self._caps_of_now():
            if times is not self.new_chats or candidate.is_new_chat:
                self._expect(what, times, length, most)

    def _caps_of_now(self) -> list[tuple[str, list[datetime], timedelta, int]]:
        day, share = self.snapshot.warm_up.day, self._slowest(Scope.ALL)
        if figure_at(self.snapshot.health, self.now, self.settings.health) >= 15:
            share = min(share, 0.5)
        ramp = 1.0
        if self.snapshot.reconnected_at is not None:
            minutes = (self.now - self.snapshot.reconnected_at) / MINUTE
            ramp = min(1.0, 0.1 + 0.9 * max(0.0, minutes) / 10)
        limits = self.settings.limits
        hour, of_day = _step(limits.per_hour, day), _step(limits.per_day, day)
        chats = _step(self.settings.new_chats.per_day, day)
        return [
            ("minute", self.others, MINUTE, _part(limits.other_per_minute, share * ramp)),
            ("hour", self.others, HOUR, _part(hour, share)),
            ("day", self.others, DAY, of_day),
            ("new chats", self.new_chats, DAY, _part(chats, self._slowest(Scope.NEW_CHATS))),
        ]

    def _slowest(self, scope: Scope) -> float:
        in_force = [
            one.factor
            for one in self.snapshot.reactions.slowdowns
            if one.scope is scope and (one.until is None or one.until > self.now)
        ]
        return min(in_force, default=1.0)

    def _expect(self, what: str, times: list[datetime], length: timedelta, most: int) -> None:
        used = 1 + sum(at > self.now - length for at in times)
        if used > most:
            self.exceeded.append(f"{what}: {used} of {most} at {self.now}")

    def hear(self, signal: Signal) -> None:
        self.standing = react(self.standing, [signal], self.now, self.settings)
        self.snapshot = replace(self.snapshot, reactions=self.standing.reactions, health=self.standing.health)

    def restart(self) -> None:
        """Read everything anew from what was sent; the pacing was stored with it."""
        since = self.now - DAY
        self.snapshot = replace(
            self.snapshot,
            windows=SendWindows(
                conversations=SentTimes(at for at in self.conversations if at > since),
                others=SentTimes(at for at in self.others if at > since),
                new_chats=SentTimes(at for at in self.new_chats if at > since),
            ),
            reconnected_at=self.now,
        )

    def move_clock(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        if seconds < 0:
            self.restart()


def _step(ladder: Ladder, day: int) -> int:
    """The cap of the last step that was reached."""
    return [cap for first, cap in ladder.steps if first <= day][-1]


def _part(cap: int, share: float) -> int:
    return max(1, int(cap * share + 1e-9))


def most_in_any(length: timedelta, times: Sequence[datetime]) -> int:
    return max((sum(end - length < at <= end for at in times) for end in times), default=0)


LANES = st.sampled_from([Lane.REPLY, Lane.TRANSACTIONAL, Lane.CAMPAIGN])
MESSAGES = st.builds(
    lambda lane, new, wrote: Candidate(
        lane,
        "contact",
        suppressed=False,
        opted_in=True,
        is_new_chat=new and lane is not Lane.REPLY,
        last_inbound_at=wrote if lane is Lane.REPLY else None,
        time_zones=(UTC,),
        campaign_size=200,
    ),
    LANES,
    st.booleans(),
    st.just(later(36_000)),
)
STEPS = st.one_of(
    MESSAGES,
    MESSAGES,
    st.sampled_from([1.0, 3.0, 10.0, 59.0, 61.0, 300.0, 1_800.0, 3_601.0, 40_000.0]),
    st.sampled_from([-1.0, -30.0, -3_600.0, -90_000.0, 200_000.0]),
    st.sampled_from([RateLimited(), Disconnected(), SendFailed()]),
    st.none(),  # a restart
)


def run(sender: Sender, steps: Sequence[object]) -> None:
    for step in steps:
        match step:
            case Candidate():
                sender.offer(step)
            case Burst():
                for _ in range(step.count):
                    sender.move_clock(step.every_s)
                    sender.offer(step.message)
            case None:
                sender.restart()
            case float():
                sender.move_clock(step)
            case _:
                sender.hear(cast(Signal, step))


@settings(max_examples=150)
@given(st.lists(STEPS, min_size=20, max_size=90))
def test_no_sequence_exceeds_a_cap_in_any_window(steps: list[object]) -> None:
    sender = Sender(NARROW)
    run(sender, steps)

    limits = NARROW.limits
    assert most_in_any(MINUTE, sender.conversations) <= limits.conversation_per_minute
    assert most_in_any(MINUTE, sender.others) <= limits.other_per_minute
    assert most_in_any(HOUR, sender.others) <= limits.per_hour.mature
    assert most_in_any(DAY, sender.others) <= limits.per_day.mature
    assert most_in_any(DAY, sender.new_chats) <= NARROW.new_chats.per_day.mature


@dataclass(frozen=True)
class Burst:
    """Messages alike, so many seconds apart."""

    message: Candidate
    count: int
    every_s: float


BURSTS = st.builds(
    Burst, MESSAGES, st.integers(1, 8), st.sampled_from([1.0, 20.0, 61.0, 700.0, 1_801.0, 3_601.0, 9_000.0])
)
GROWING = replace(
    NARROW,
    limits=LimitSettings(3, 4, Ladder(((1, 2), (2, 3), (3, 6))), Ladder(((1, 3), (2, 5), (3, 9)))),
    new_chats=NewChatSettings(Ladder(((1, 1), (2, 2), (3, 4)))),
)
"""Each day of the warm-up has caps of its own."""

TROUBLE = st.sampled_from(
    [
        RateLimited(),
        Disconnected(),
        SendFailed(),
        ReachOutRefused("known", is_new_chat=False),
        CappingChanged(CappingLevel.FIRST_WARNING),
        CappingChanged(CappingLevel.NONE),
        OutcomesCounted(50, 2),
        OutcomesCounted(50, 0),
    ]
)


@settings(max_examples=200)
@given(st.integers(1, 4), st.lists(BURSTS | BURSTS | BURSTS | STEPS | TROUBLE, min_size=10, max_size=40))
def test_each_message_keeps_the_caps_that_hold_as_it_leaves(day: int, steps: list[object]) -> None:
    sender = Sender(GROWING, day=day)
    run(sender, steps)
    assert sender.exceeded == []


@settings(max_examples=150)
@given(st.lists(STEPS, min_size=20, max_size=90))
def test_campaign_messages_never_follow_each_other_faster_than_the_shortest_gap(steps: list[object]) -> None:
    wide = replace(NARROW, limits=LimitSettings(99, 99, Ladder(((1, 99),)), Ladder(((1, 99),))))
    sender = Sender(replace(wide, new_chats=NewChatSettings(Ladder(((1, 99),)))))
    run(sender, steps)
    for earlier, following in zip(sender.campaigns, sender.campaigns[1:], strict=False):
        assert (following - earlier).total_seconds() >= 2.0


MOMENTS = st.floats(-200_000, 200_000).map(later)
MAYBE = st.none() | MOMENTS
SHARES = st.sampled_from([0.1, 0.5, 1.0])
SNAPSHOTS = st.builds(
    Snapshot,
    warm_up=st.builds(WarmUp, st.integers(1, 40), MOMENTS, MOMENTS, st.booleans()),
    windows=st.builds(
        lambda *lists: SendWindows(*(SentTimes(times) for times in lists)),
        *(st.lists(MOMENTS, max_size=20) for _ in range(3)),
    ),
    settings=st.just(NARROW),
    pacing=st.builds(Pacing, MAYBE, MAYBE, st.sampled_from(Gap), st.none() | st.integers(0, 5)),
    reactions=st.builds(
        Reactions,
        slowdowns=st.tuples(
            st.builds(Slowdown, st.sampled_from(Cause), SHARES, st.sampled_from(Scope), MAYBE)
        ),
        pauses=st.just(())
        | st.tuples(st.builds(Pause, st.sampled_from(Cause), st.sampled_from(Scope), MAYBE)),
        held_contacts=st.just(()) | st.tuples(st.builds(RefusedContact, st.just("contact"), MOMENTS)),
    ),
    health=st.builds(Health, st.floats(0, 100), MAYBE),
    breaker=st.builds(Breaker, st.sampled_from(BreakerState), until=MAYBE),
    new_chat_quota=st.none() | st.builds(NewChatQuota, st.integers(0, 5), st.integers(0, 5), MAYBE),
    reconnected_at=MAYBE,
    company_time_zone=st.none() | st.just(UTC),
)
CANDIDATES = st.builds(
    Candidate,
    lane=LANES,
    contact_key=st.just("contact"),
    suppressed=st.none() | st.booleans(),
    opted_in=st.none() | st.booleans(),
    is_new_chat=st.booleans(),
    known_chat=st.booleans(),
    last_inbound_at=MAYBE,
    last_sent_at=MAYBE,
    last_campaign_at=MAYBE,
    unanswered_campaigns=st.integers(0, 4),
    time_zones=st.just(()) | st.just((UTC,)),
    text_length=st.integers(0, 300),
    campaign_size=st.integers(0, 300),
)


@settings(max_examples=200)
@given(SNAPSHOTS, CANDIDATES, MOMENTS)
def test_a_delay_ends_later_than_now_and_every_answer_has_its_reasons(
    snapshot: Snapshot, candidate: Candidate, now: datetime
) -> None:
    decision = decide(snapshot, candidate, now, Random(1))
    match decision:
        case Delay(until, reasons):
            assert until > now
            ends = [reason.until for reason in reasons if reason.until is not None]
            assert len(ends) == len(reasons)
            assert until == max(ends) == ends[0]
            assert min(ends) > now
        case Hold(reasons):
            assert reasons
            assert all(reason.until is None and reason.words for reason in reasons)
        case Send(typing_s):
            assert typing_s == 0.0 or 1.2 <= typing_s <= 8.0


@settings(max_examples=100)
@given(SNAPSHOTS, CANDIDATES, MOMENTS)
def test_who_waits_as_told_gets_there(snapshot: Snapshot, candidate: Candidate, now: datetime) -> None:
    """Nobody is put off for ever: some day it is sent, or held for what a person can see."""
    for _ in range(60):
        decision = decide(snapshot, candidate, now, Random(1))
        if not isinstance(decision, Delay):
            return
        now = decision.until
    raise AssertionError(f"still delayed: {decision}")


@given(SNAPSHOTS, CANDIDATES, MOMENTS)
def test_what_cannot_be_read_is_never_sent(snapshot: Snapshot, candidate: Candidate, now: datetime) -> None:
    unreadable = replace(candidate, suppressed=None)
    assert isinstance(decide(snapshot, unreadable, now, Random(1)), Hold)
    campaign = replace(candidate, lane=Lane.CAMPAIGN, opted_in=None)
    assert isinstance(decide(snapshot, campaign, now, Random(1)), Hold)
    assert isinstance(decide(None, candidate, now, Random(1)), Hold)
    assert isinstance(decide(snapshot, candidate, now.replace(tzinfo=None), Random(1)), Hold)


@given(SNAPSHOTS, CANDIDATES, MOMENTS)
def test_deciding_changes_nothing(snapshot: Snapshot, candidate: Candidate, now: datetime) -> None:
    first = decide(snapshot, candidate, now, Random(1))
    assert decide(snapshot, candidate, now, Random(1)) == first


@given(SNAPSHOTS, CANDIDATES, MOMENTS)
def test_the_next_campaign_message_is_never_drawn_into_the_past(
    snapshot: Snapshot, candidate: Candidate, now: datetime
) -> None:
    following = after_send(snapshot, replace(candidate, lane=Lane.CAMPAIGN), now, Random(1)).pacing
    assert following.next_campaign_at is not None
    assert following.next_campaign_at >= now + timedelta(seconds=2)
    assert following.last_campaign_at == now
