"""Claiming under the sending policy: each due message is decided on, in lane order, and goes, waits or is held."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.jid import is_group, is_shared
from orchestrator.domain.message import Lane, MessageStatus, WaitingFor
from orchestrator.domain.policy.after import after_send
from orchestrator.domain.policy.conversation import is_in_conversation
from orchestrator.domain.policy.decide import decide
from orchestrator.domain.policy.decisions import Delay, Hold, Reason, ReasonCode, Send
from orchestrator.domain.policy.snapshot import Candidate, Snapshot
from orchestrator.domain.policy.typing_time import typing_time
from orchestrator.services.context import Context
from orchestrator.services.policy_snapshot import Surroundings, read_surroundings
from orchestrator.store import messages as message_store
from orchestrator.store import outbox, policy_delays
from orchestrator.store import policy as policy_store
from orchestrator.store.chat_policy import ChatFacts
from orchestrator.store.database import Transaction
from orchestrator.store.messages import StoredMessage
from orchestrator.store.policy import SendKind, SentAt
from orchestrator.store.policy_delays import Waiting, lane_rank

LOOK_AGAIN = timedelta(minutes=15)
"""A held message is asked about again after so long, should whatever frees it fail to ring."""

_IN_FLIGHT = WaitingFor(ReasonCode.CAMPAIGN_GAP.value, "the campaign message before it is under way")
_IN_FLIGHT_LOOK_S = 0.2
"""Of the machine's time: a large file is on its way for many seconds, and its answer rings for nobody."""

_MOST_READ = 20
"""So many of a contact's last messages are read before an answer; older ones count as read with them."""

_SESSION_WIDE = frozenset(
    {
        ReasonCode.BREAKER_OPEN,
        ReasonCode.STOPPED,
        ReasonCode.PAUSED,
        ReasonCode.HEALTH_STOPPED,
        ReasonCode.HEALTH_THROTTLED,
        ReasonCode.MINUTE_CAP,
        ReasonCode.HOUR_CAP,
        ReasonCode.DAY_CAP,
        ReasonCode.CAMPAIGN_GAP,
        ReasonCode.LONG_PAUSE,
    }
)
"""What keeps one campaign message of a session from leaving keeps all of them."""

_WINDOWS = {
    ReasonCode.MINUTE_CAP: timedelta(minutes=1),
    ReasonCode.HOUR_CAP: timedelta(hours=1),
    ReasonCode.DAY_CAP: timedelta(days=1),
    ReasonCode.NEW_CHAT_CAP: timedelta(days=1),
}


@dataclass(frozen=True, slots=True)
class Leaving:
    """A message that is let go: it leaves at `at`, after `typing_s` seconds of typing. Before an answer the messages
    `unread` (WhatsApp's ids, in a group by who wrote them, else under the empty name) are shown as read."""

    candidate: Candidate
    at: datetime
    typing_s: float
    unread: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PolicyClaim:
    """What the policy lets go, how each leaves by message id, and the snapshot after it.

    `more` says that another look may find something at once: what was looked at and waits now stood before it.
    """

    messages: Sequence[StoredMessage]
    leaving: Mapping[str, Leaving]
    snapshot: Snapshot
    more: bool


@dataclass(slots=True)
class _Pass:
    """One pass over due chats, in memory."""

    context: Context
    surroundings: Surroundings
    snapshot: Snapshot
    now: datetime
    room: int
    going: list[StoredMessage] = field(default_factory=list)
    left: dict[str, Leaving] = field(default_factory=dict)
    waiting: list[Waiting] = field(default_factory=list)
    campaigns: tuple[datetime, WaitingFor] | None = None
    behind: dict[ReasonCode, int] = field(default_factory=dict)
    held_chats: list[StoredMessage] = field(default_factory=list)

    def look_at(self, chat: Sequence[StoredMessage]) -> None:
        """Decide on the messages of one chat, in order. One that waits is overtaken by higher lanes only."""
        open_lanes, blocker = len(Lane), None
        facts = self.surroundings.chat_of(chat[0])
        for stored in chat:
            message, rank = stored.message, lane_rank(stored.message.lane)
            if open_lanes == 0 or message.status is not MessageStatus.QUEUED or stored.due_at is None:
                return
            if stored.due_at > self.now:
                if message.waiting_for is None or message.attempts:
                    self.held_chats.append(stored)
                    return
                if rank < open_lanes:
                    open_lanes, blocker = rank, stored
            elif rank >= open_lanes:
                self._wait_behind(blocker)
                blocker = None
            elif len(self.going) >= self.room:
                return
            elif (left_at := self._let_go(stored, facts)) is not None:
                facts = _after(facts, message.lane, left_at)
            else:
                # What was tried before may have left: nothing of its chat overtakes it.
                open_lanes, blocker = 0 if message.attempts else rank, None

    def _wait_behind(self, blocker: StoredMessage | None) -> None:
        """What came later waits with the message before it in its chat."""
        if blocker is not None and blocker.due_at is not None and blocker.message.waiting_for is not None:
            words, lane = blocker.message.waiting_for, blocker.message.lane
            self.waiting.append(Waiting(blocker, blocker.due_at, words, lane))

    def _let_go(self, stored: StoredMessage, facts: ChatFacts) -> datetime | None:
        """Ask about one message: when it leaves, after its typing, or None where it waits."""
        message = stored.message
        if message.lane is Lane.CAMPAIGN and self.campaigns is not None:
            return None
        typing_s = self._typing_s(stored)
        leaves_at = self.now + timedelta(seconds=typing_s)
        candidate = self.surroundings.candidate(stored, facts)
        decision = decide(self.snapshot, candidate, leaves_at, self.context.rng)
        match decision:
            case Send():
                self.going.append(stored)
                self.left[message.id] = Leaving(candidate, leaves_at, typing_s)
                self.snapshot = after_send(self.snapshot, candidate, leaves_at, self.context.rng)
                return leaves_at
            case Delay(until, reasons):
                self._delay(stored, until - timedelta(seconds=typing_s), reasons)
            case Hold():
                self._delay(stored, self.now + LOOK_AGAIN, decision.reasons)
        return None

    def _typing_s(self, stored: StoredMessage) -> float:
        """The same each time it is asked about: what waits for its turn is asked about this much before."""
        settings = self.snapshot.settings
        message = stored.message
        if not settings.enforced or message.kind != "text" or not _is_conversation(message.chat_jid):
            return 0.0
        # Not a secret: that it is the same after a restart is what counts.
        return typing_time(len(message.text), settings.typing, Random(message.id))  # noqa: S311

    def _delay(self, stored: StoredMessage, until: datetime, reasons: Sequence[Reason]) -> None:
        words = WaitingFor(reasons[0].code.value, reasons[0].words)
        wide = [reason for reason in reasons if reason.code in _SESSION_WIDE]
        if stored.message.lane is Lane.CAMPAIGN and wide:
            ends = [reason.until or self.now + LOOK_AGAIN for reason in wide]
            binding = max(wide, key=lambda reason: reason.until or self.now + LOOK_AGAIN)
            self.campaigns = max(ends), WaitingFor(binding.code.value, binding.words)
        lanes = Lane.REPLY if stored.message.attempts else stored.message.lane
        self.waiting.append(Waiting(stored, until + self._place(reasons[0]), words, lanes))

    def _place(self, reason: Reason) -> timedelta:
        """How much later than the first one that waits for a cap this one's turn comes: to ask before is in vain.

        Spread over a minute or an hour; after a day's cap as yesterday's places become free, or the night would take
        those of its hours.
        """
        window = _WINDOWS.get(reason.code)
        if window is None or not reason.most:
            return timedelta()
        place = self.behind.get(reason.code, 0)
        self.behind[reason.code] = place + 1
        if reason.code is ReasonCode.NEW_CHAT_CAP:
            return self.snapshot.windows.new_chats.turn_after(place, reason.most, window)
        if reason.code is ReasonCode.DAY_CAP:
            return self.snapshot.windows.others.turn_after(place, reason.most, window)
        return window * place / reason.most


async def claim(
    tx: Transaction,
    context: Context,
    scope: CompanyScope,
    session_id: str,
    chats: Sequence[Sequence[StoredMessage]],
    snapshot: Snapshot,
    now: datetime,
    until: datetime,
    room: int,
    *,
    campaign_in_flight: bool,
) -> PolicyClaim:
    """Decide on the due chats (as `outbox.due_chats` gives them), let at most `room` messages go and note them.

    While a campaign message is under way no other follows it: the gap begins with its answer. To be called by the
    holder of the dispatch lease, in the transaction that `snapshot` was read in.
    """
    surroundings = await read_surroundings(tx, scope, session_id, _all(chats), now)
    done = _Pass(context, surroundings, snapshot, now, room)
    if campaign_in_flight:
        done.campaigns = now + context.tempo.span(_IN_FLIGHT_LOOK_S), _IN_FLIGHT
    for chat in chats:
        done.look_at(chat)
    await policy_delays.delay(tx, session_id, done.waiting)
    if done.campaigns is not None:
        await policy_delays.delay_lane(tx, session_id, Lane.CAMPAIGN, *done.campaigns)
    for head in done.held_chats:
        await outbox.hold_chat(tx, head)
    going = await outbox.mark_claimed(tx, done.going, until)
    await _note(tx, scope, session_id, [done.left[stored.message.id] for stored in going], going, snapshot)
    if snapshot.settings.enforced:
        await _look_for_unread(tx, scope, going, done)
    more = bool(done.waiting or done.held_chats) and len(going) < room
    return PolicyClaim(going, done.left, done.snapshot, more)


def _is_conversation(chat_jid: str) -> bool:
    """Whoever is in it sees typing and read marks."""
    return is_group(chat_jid) or not is_shared(chat_jid)


async def _look_for_unread(
    tx: Transaction, scope: CompanyScope, going: Sequence[StoredMessage], done: _Pass
) -> None:
    """Who answers has read: what the contact wrote since the last message to it is read before an answer."""
    for stored in going:
        facts = done.surroundings.chat_of(stored)
        if stored.message.lane is not Lane.REPLY or not facts.is_unanswered:
            continue
        if not _is_conversation(stored.message.chat_jid):
            continue
        came = await message_store.inbound_since(tx, scope, stored.message, facts.last_sent_at, _MOST_READ)
        unread: dict[str, list[str]] = {}
        for message in came:
            unread.setdefault(message.participant, []).append(message.wa_message_id)
        done.left[stored.message.id] = replace(done.left[stored.message.id], unread=unread)


async def _note(
    tx: Transaction,
    scope: CompanyScope,
    session_id: str,
    leaving: Sequence[Leaving],
    going: Sequence[StoredMessage],
    snapshot: Snapshot,
) -> None:
    """Count what goes for the windows."""
    sends: list[SentAt] = []
    for stored, one in zip(going, leaving, strict=True):
        in_conversation = is_in_conversation(one.candidate, one.at, snapshot.settings.contact)
        kind = SendKind.CONVERSATION if in_conversation else SendKind.OTHER
        new_chat = one.candidate.is_new_chat and not in_conversation
        sends.append(SentAt(stored.message.id, one.at, kind, new_chat))
    await policy_store.note_sends(tx, scope, session_id, sends)


def _after(facts: ChatFacts, lane: Lane, now: datetime) -> ChatFacts:
    if lane is not Lane.CAMPAIGN:
        return replace(facts, last_sent_at=now)
    return replace(
        facts,
        last_sent_at=now,
        last_campaign_at=now,
        unanswered_campaigns=facts.unanswered_campaigns + 1,
    )


def _all(chats: Collection[Iterable[StoredMessage]]) -> list[StoredMessage]:
    return [stored for chat in chats for stored in chat]
