"""The sending policy within a turn of dispatch: what answers mean for it, and what it lets go."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from orchestrator.domain import errors
from orchestrator.domain.breaker import Breaker
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.message import Lane
from orchestrator.domain.policy.reactions import react
from orchestrator.domain.policy.settings import PolicySettings
from orchestrator.domain.policy.signals import (
    DeliveriesCounted,
    OutcomesCounted,
    RateLimited,
    ReachOutRefused,
    SendFailed,
    Signal,
)
from orchestrator.domain.retry import Failed, Outcome, RetryAt, Sent, Verdict
from orchestrator.services.context import Context, SendingLimits
from orchestrator.services.policy_claim import PolicyClaim, claim
from orchestrator.services.policy_health import note_standing
from orchestrator.services.policy_settings import base_settings, load_overrides, settings_with
from orchestrator.services.policy_snapshot import make_snapshot, read_windows
from orchestrator.services.policy_state import PolicyState, dump_state, load_state
from orchestrator.services.ports import SendAnswer
from orchestrator.store import chat_policy, policy_outcomes
from orchestrator.store import policy as policy_store
from orchestrator.store.chat_policy import Exchanged
from orchestrator.store.database import Transaction
from orchestrator.store.messages import StoredMessage

_COUNT_DELIVERIES_EVERY = timedelta(minutes=10)
"""Deliveries of messages that are hours old need no counting after each answer."""


@dataclass(frozen=True, slots=True)
class _Loaded:
    stored: str
    state: PolicyState
    settings: PolicySettings


class PolicyTurns:
    """The policy of one session, for the holder of its dispatch lease."""

    def __init__(self, context: Context, scope: CompanyScope, session_id: str) -> None:
        self._context = context
        self._scope = scope
        self._session_id = session_id

    @property
    def decides(self) -> bool:
        """Whether limits are enforced. Where they are lifted only campaigns are decided on."""
        return self._context.sending_limits is SendingLimits.ENFORCED

    def concerns(self, chats: Sequence[Sequence[StoredMessage]]) -> bool:
        """Tell whether the policy is to be asked about these chats."""
        return self.decides or any(stored.message.lane is Lane.CAMPAIGN for chat in chats for stored in chat)

    async def claim(
        self,
        tx: Transaction,
        chats: Sequence[Sequence[StoredMessage]],
        breaker: Breaker,
        now: datetime,
        until: datetime,
        room: int,
    ) -> PolicyClaim:
        """Let go what the policy allows of due chats, and keep what it remembers of that."""
        loaded = await self._load(tx, now)
        windows = await read_windows(tx, self._scope, self._session_id, now)
        snapshot = make_snapshot(loaded.state, loaded.settings, windows, breaker)
        done = await claim(
            tx, self._context, self._scope, self._session_id, chats, snapshot, now, until, room
        )
        after = replace(
            loaded.state,
            warm_up=done.snapshot.warm_up,
            pacing=done.snapshot.pacing,
            new_chat_quota=done.snapshot.new_chat_quota,
        )
        await self._save(tx, loaded, after, now)
        return done

    async def record(
        self,
        tx: Transaction,
        answers: Sequence[tuple[StoredMessage, SendAnswer]],
        verdicts: Sequence[Verdict],
        now: datetime,
    ) -> None:
        """React to what came of sends."""
        judged = [
            (stored, answer, verdict) for (stored, answer), verdict in zip(answers, verdicts, strict=True)
        ]
        if not self.decides and all(stored.message.lane is not Lane.CAMPAIGN for stored, _, _ in judged):
            return
        not_sent = [stored.message.id for stored, _, verdict in judged if _did_not_leave(verdict)]
        await policy_store.undo_sends(tx, self._scope, not_sent)
        exchanged = [
            _exchanged(stored, now) for stored, answer, verdict in judged if _may_have_left(answer, verdict)
        ]
        facts = await self._facts_of_refused(tx, judged)
        await chat_policy.note(tx, self._scope, exchanged)
        if not self.decides:
            return
        loaded = await self._load(tx, now)
        signals = [signal for one in judged for signal in _signals_of(one, facts)]
        signals += await self._shares(tx, loaded, verdicts, now)
        counted = any(isinstance(signal, DeliveriesCounted) for signal in signals)
        after = replace(loaded.state, counted_at=now) if counted else loaded.state
        standing = react(after.standing, signals, now, loaded.settings)
        after = after.with_standing(standing)
        await note_standing(
            tx, self._context, self._scope, self._session_id, (loaded.state, after), now, loaded.settings
        )
        await self._save(tx, loaded, after, now)

    async def _facts_of_refused(
        self, tx: Transaction, judged: Sequence[tuple[StoredMessage, SendAnswer, Verdict]]
    ) -> dict[str, chat_policy.ChatFacts]:
        refused = {stored.message.chat_jid for stored, _, verdict in judged if _is_refusal(verdict)}
        return await chat_policy.find(tx, self._scope, self._session_id, refused) if refused else {}

    async def _shares(
        self, tx: Transaction, loaded: _Loaded, verdicts: Sequence[Verdict], now: datetime
    ) -> list[Signal]:
        """The shares that are due to be counted: of failures after one, or while one slows the session."""
        figures, state = loaded.settings.reactions, loaded.state
        signals: list[Signal] = []
        since = state.reactions.outcomes_since
        slowed = any(slowdown.until is None for slowdown in state.reactions.slowdowns)
        if slowed or any(isinstance(verdict, Failed) for verdict in verdicts):
            finished, failed = await policy_outcomes.count_finished(
                tx, self._scope, self._session_id, since, figures.outcomes_window
            )
            signals.append(OutcomesCounted(finished, failed))
        if state.counted_at is None or now - state.counted_at >= _COUNT_DELIVERIES_EVERY:
            old = now - timedelta(seconds=figures.delivery_age_s)
            sent, delivered = await policy_outcomes.count_delivered(
                tx, self._scope, self._session_id, since, old
            )
            signals.append(DeliveriesCounted(sent, delivered))
        return signals

    async def _load(self, tx: Transaction, now: datetime) -> _Loaded:
        return await load_policy(tx, self._context, self._scope, self._session_id, now)

    async def _save(self, tx: Transaction, loaded: _Loaded, after: PolicyState, now: datetime) -> None:
        stored = dump_state(after)
        if stored != loaded.stored:
            await policy_store.save_state(tx, self._scope, self._session_id, stored, now)


async def load_policy(
    tx: Transaction, context: Context, scope: CompanyScope, session_id: str, now: datetime
) -> _Loaded:
    """Read a session's policy, its warm-up brought up to date. Raises LookupError where there is no such session."""
    record = await policy_store.read(tx, scope, session_id)
    if record is None:
        raise LookupError(f"no session {session_id}")
    settings = settings_with(base_settings(context), load_overrides(record.overrides), now)
    state = load_state(record.state, record.session_since).settled(now, settings)
    return _Loaded(record.state, state, settings)


def _did_not_leave(verdict: Verdict) -> bool:
    return isinstance(verdict, RetryAt) and not verdict.counts


def _may_have_left(answer: SendAnswer, verdict: Verdict) -> bool:
    gave_up = isinstance(verdict, Failed) and answer.report.outcome is Outcome.AMBIGUOUS
    return isinstance(verdict, Sent) or gave_up


def _exchanged(stored: StoredMessage, now: datetime) -> Exchanged:
    message = stored.message
    return Exchanged(message.session_id, message.chat_jid, now, campaign=message.lane is Lane.CAMPAIGN)


def _is_refusal(verdict: Verdict) -> bool:
    return isinstance(verdict, Failed) and verdict.code is errors.REACHOUT_LOCKED


def _signals_of(
    judged: tuple[StoredMessage, SendAnswer, Verdict], facts: dict[str, chat_policy.ChatFacts]
) -> list[Signal]:
    stored, _, verdict = judged
    message = stored.message
    if isinstance(verdict, RetryAt) and verdict.code is errors.WHATSAPP_RATE_LIMITED:
        return [RateLimited()]
    if not isinstance(verdict, Failed):
        return []
    if not _is_refusal(verdict):
        return [SendFailed()]
    chat = facts.get(message.chat_jid, chat_policy.NO_FACTS)
    return [ReachOutRefused(message.contact.jid or message.chat_jid, is_new_chat=chat.is_new), SendFailed()]
