"""The sending policy within a turn of dispatch: what answers mean for it, and what it lets go."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from orchestrator.domain import errors
from orchestrator.domain.breaker import Breaker
from orchestrator.domain.campaign.last_words import answered as answered_words
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.consent import NOT_ON_WHATSAPP_FOR, Suppression, SuppressionCause
from orchestrator.domain.ids import make_id
from orchestrator.domain.jid import is_shared
from orchestrator.domain.message import Lane
from orchestrator.domain.policy.pacing import counted_from_answer
from orchestrator.domain.policy.reactions import react
from orchestrator.domain.policy.signals import (
    DeliveriesCounted,
    OutcomesCounted,
    RateLimited,
    ReachOutRefused,
    SendFailed,
    Signal,
)
from orchestrator.domain.retry import Failed, Outcome, RetryAt, Sent, Verdict
from orchestrator.services.campaign_wording import CampaignWording
from orchestrator.services.context import Context, SendingLimits
from orchestrator.services.person_names import person_names
from orchestrator.services.policy_claim import PolicyClaim, claim
from orchestrator.services.policy_memory import PolicyMemory, load_policy, save_policy
from orchestrator.services.policy_snapshot import make_snapshot, read_windows
from orchestrator.services.policy_state import PolicyState
from orchestrator.services.ports import SendAnswer
from orchestrator.services.suppressing import PONTE, audit_entry, suppress
from orchestrator.store import audit, chat_policy, policy_outcomes
from orchestrator.store import policy as policy_store
from orchestrator.store.chat_policy import Exchanged
from orchestrator.store.database import Transaction
from orchestrator.store.messages import StoredMessage

__all__ = ["PolicyTurns", "load_policy"]

_COUNT_DELIVERIES_EVERY = timedelta(minutes=10)
"""Deliveries of messages that are hours old need no counting after each answer."""


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
        *,
        campaign_in_flight: bool,
    ) -> PolicyClaim:
        """Let go what the policy allows of due chats, and keep what it remembers of that."""
        loaded = await self._load(tx, now)
        windows = await read_windows(tx, self._scope, self._session_id, now)
        snapshot = make_snapshot(loaded.state, loaded.settings, windows, breaker)
        done = await claim(
            tx,
            self._context,
            self._scope,
            self._session_id,
            chats,
            snapshot,
            now,
            until,
            room,
            campaign_in_flight=campaign_in_flight,
        )
        words = CampaignWording(self._context, self._scope)
        messages, last_words = await words.at_sending(tx, done.messages, loaded.state.last_words, now)
        done = replace(done, messages=messages)
        after = replace(
            loaded.state,
            warm_up=done.snapshot.warm_up,
            pacing=done.snapshot.pacing,
            new_chat_quota=done.snapshot.new_chat_quota,
            last_words=last_words,
        )
        await self._save(tx, loaded, after, now)
        await self._audit_campaigns(tx, done, loaded.settings.version)
        return done

    async def _audit_campaigns(self, tx: Transaction, done: PolicyClaim, version: str) -> None:
        """Who was written to by which campaign, under which figures; the person by a hash."""
        sent = [stored for stored in done.messages if stored.message.lane is Lane.CAMPAIGN]
        if not sent:
            return
        names = await person_names(tx, self._context, self._scope)
        entries = [
            audit_entry(
                self._context,
                PONTE,
                "campaign.sent",
                names.of(stored.message.contact),
                {
                    "campaign_id": stored.message.campaign_id,
                    "recipient_id": stored.message.recipient_id,
                    "message_id": stored.message.id,
                    "session_id": self._session_id,
                    "policy_version": version,
                    "decision": "SEND",
                },
            )
            for stored in sent
        ]
        await audit.append(tx, self._scope, entries)

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
        not_sent = {stored.message.id for stored, _, verdict in judged if _did_not_leave(verdict)}
        await policy_store.undo_sends(tx, self._scope, not_sent)
        answered = {stored.message.id for stored, _, _ in judged} - not_sent
        await policy_store.settle_sends(tx, self._scope, answered, now)
        await self._suppress_absent(tx, judged, now)
        exchanged = [
            _exchanged(stored, now) for stored, answer, verdict in judged if _may_have_left(answer, verdict)
        ]
        facts = await self._facts_of_refused(tx, judged)
        await chat_policy.note(tx, self._scope, exchanged)
        paced = any(
            stored.message.lane is Lane.CAMPAIGN and stored.message.id in answered for stored, _, _ in judged
        )
        said = any(stored.message.lane is Lane.CAMPAIGN for stored, _, _ in judged)
        if not (self.decides or said):
            return
        loaded = await self._load(tx, now)
        after = loaded.state
        if paced:
            after = replace(after, pacing=counted_from_answer(after.pacing, now))
        if said:
            arrived = {stored.message.id for stored, _, verdict in judged if isinstance(verdict, Sent)}
            last_words = {
                id_: answered_words(words, arrived, not_sent) for id_, words in after.last_words.items()
            }
            after = replace(after, last_words=last_words)
        if self.decides:
            signals = [signal for one in judged for signal in _signals_of(one, facts)]
            signals += await self._shares(tx, loaded, verdicts, now)
            counted = any(isinstance(signal, DeliveriesCounted) for signal in signals)
            after = replace(after, counted_at=now) if counted else after
            after = after.with_standing(react(after.standing, signals, now, loaded.settings))
        await self._save(tx, loaded, after, now)

    async def _suppress_absent(
        self, tx: Transaction, judged: Sequence[tuple[StoredMessage, SendAnswer, Verdict]], now: datetime
    ) -> None:
        """A number without an account is not tried again for 30 days."""
        contacts = {
            stored.message.contact
            for stored, _, verdict in judged
            if isinstance(verdict, Failed) and verdict.code is errors.NOT_ON_WHATSAPP
        }
        entries = [
            Suppression(
                id=make_id(now, self._context.rng),
                contact=contact,
                cause=SuppressionCause.NOT_ON_WHATSAPP,
                created_at=now,
                detail="the number has no WhatsApp account",
                expires_at=now + NOT_ON_WHATSAPP_FOR,
            )
            for contact in sorted(contacts, key=lambda one: one.jid)
        ]
        if entries:
            await suppress(tx, self._context, self._scope, entries, PONTE)

    async def _facts_of_refused(
        self, tx: Transaction, judged: Sequence[tuple[StoredMessage, SendAnswer, Verdict]]
    ) -> dict[str, chat_policy.ChatFacts]:
        refused = {stored.message.chat_jid for stored, _, verdict in judged if _is_refusal(verdict)}
        return await chat_policy.find(tx, self._scope, self._session_id, refused) if refused else {}

    async def _shares(
        self, tx: Transaction, loaded: PolicyMemory, verdicts: Sequence[Verdict], now: datetime
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

    async def _load(self, tx: Transaction, now: datetime) -> PolicyMemory:
        return await load_policy(tx, self._context, self._scope, self._session_id, now)

    async def _save(self, tx: Transaction, memory: PolicyMemory, after: PolicyState, now: datetime) -> None:
        await save_policy(tx, self._context, self._scope, self._session_id, memory, after, now)


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
    is_new_chat = chat.is_new and not is_shared(message.chat_jid)
    return [ReachOutRefused(message.contact.jid or message.chat_jid, is_new_chat=is_new_chat), SendFailed()]
