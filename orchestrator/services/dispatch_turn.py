"""One turn of dispatch, a single transaction: record what was answered, take what is due, or give the lease up."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from orchestrator.domain.breaker import Breaker, BreakerState, after_verdicts, allowance
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.events import EventType, NewEvent
from orchestrator.domain.jid import is_group
from orchestrator.domain.message import Message, MessageError, MessageStatus
from orchestrator.domain.retry import Failed, Outcome, RetryAt, Sent, Verdict, after_send
from orchestrator.domain.session import SessionState
from orchestrator.services.contacts import ContactBook, Sighting
from orchestrator.services.context import Context
from orchestrator.services.message_changes import apply_sent
from orchestrator.services.message_data import message_event
from orchestrator.services.policy_claim import Leaving
from orchestrator.services.policy_turn import PolicyTurns
from orchestrator.services.ports import SendAnswer
from orchestrator.store import dispatch_leases, message_receipts, outbox
from orchestrator.store import events as event_store
from orchestrator.store import messages as message_store
from orchestrator.store.database import Transaction
from orchestrator.store.dispatch_leases import SendingSession
from orchestrator.store.messages import StoredMessage

LEASE = timedelta(seconds=8)
"""A holder that is not heard of for so long is dead; maintenance looks every 2 s, so another sends within 10 s."""

CLAIM = timedelta(seconds=90)
"""Longer than a gateway takes to answer: it waits 30 s for WhatsApp's ack."""

_WAITING = (MessageStatus.QUEUED, MessageStatus.SENDING)


@dataclass(frozen=True, slots=True)
class TurnWork:
    """What a turn is to do. `first` takes the lease, later turns renew it.

    `answers` are to be recorded; `in_flight` counts the messages under way besides them, in the chats `busy_chats`,
    and `campaign_in_flight` says that one of them is a campaign's; at most `most` are claimed (0 claims nothing, and
    does not look).
    """

    first: bool
    answers: Sequence[tuple[StoredMessage, SendAnswer]]
    in_flight: int
    busy_chats: Collection[str]
    most: int
    campaign_in_flight: bool = False


@dataclass(frozen=True, slots=True)
class TurnResult:
    """What came of a turn. `held` False: the lease is another's, or the session is not connected.

    `claimed` are to be sent; `more` says that another claim may find something at once. After the last turn, which
    `released` the lease, and where the sending policy keeps messages waiting, `next_due` says when there will be
    something to do. `leaving` says how what is claimed under the policy leaves, by message id.
    """

    held: bool = True
    claimed: Sequence[StoredMessage] = ()
    more: bool = False
    released: bool = False
    next_due: datetime | None = None
    leaving: Mapping[str, Leaving] = field(default_factory=dict)


class DispatchTurns:
    """The turns of one holder of one session's dispatch lease."""

    def __init__(
        self, context: Context, book: ContactBook, scope: CompanyScope, session_id: str, owner: str
    ) -> None:
        self._context = context
        self._book = book
        self._scope = scope
        self._session_id = session_id
        self._owner = owner
        self._policy = PolicyTurns(context, scope, session_id)

    async def take_first(self, work: TurnWork, send: Callable[[TurnResult], None]) -> TurnResult:
        """Do the turn that takes the lease. `send` gets the result while the claim is being committed.

        Until the commit ends nobody else can claim or cancel these messages; if it fails they are sent again with the
        same ids. That saves an idle system's first message the wait for the disk. What the sending policy let go leaves
        after the commit only: a cap must not be forgotten with it.
        """
        async with self._context.database.transaction(self._scope) as tx:
            result = await self._in_transaction(tx, work)
            if result.claimed and not result.leaving:
                send(result)
        if result.leaving and result.claimed:
            send(result)
        return result

    async def take(self, work: TurnWork) -> TurnResult:
        """Do one of the turns that follow."""

        async def piece(tx: Transaction) -> TurnResult:
            return await self._in_transaction(tx, work)

        return await self._context.database.shared_transaction(self._scope, piece)

    async def abandon(self) -> None:
        """Let the lease expire at once; what is claimed is the next holder's."""

        async def piece(tx: Transaction) -> None:
            now = self._context.clock()
            await dispatch_leases.abandon(tx, self._scope, self._session_id, self._owner, now)

        await self._context.database.shared_transaction(self._scope, piece)

    async def _in_transaction(self, tx: Transaction, work: TurnWork) -> TurnResult:
        now = self._context.clock()
        session = await self._hold(tx, work, now)
        if session is None and not work.answers:
            return TurnResult(held=False)
        verdicts = [self._judge(stored, answer, now) for stored, answer in work.answers]
        if session is not None and work.answers:
            session = await self._update_breaker(tx, session, verdicts, now)
        if work.answers:
            await _Recorder(self._context, self._book, self._scope, now).record(
                tx, work.answers, verdicts, owns=session is not None
            )
        if session is not None and work.answers:
            await self._policy.record(tx, work.answers, verdicts, now)
        if session is None:
            return TurnResult(held=False)
        return await self._claim_or_release(tx, session, work, now)

    async def _hold(self, tx: Transaction, work: TurnWork, now: datetime) -> SendingSession | None:
        """Take or renew the lease. This locks the session's row before messages are looked for: a message that is not
        seen then is committed after, and its ring finds the lease either free or held by someone who looks again."""
        until = now + LEASE * self._context.tempo.speed
        if work.first:
            return await dispatch_leases.acquire(tx, self._scope, self._session_id, self._owner, now, until)
        return await dispatch_leases.renew(tx, self._scope, self._session_id, self._owner, until)

    def _judge(self, stored: StoredMessage, answer: SendAnswer, now: datetime) -> Verdict:
        return after_send(answer.report, stored.message.attempts + 1, now)

    async def _update_breaker(
        self, tx: Transaction, session: SendingSession, verdicts: Sequence[Verdict], now: datetime
    ) -> SendingSession:
        return await self._with_breaker(tx, session, after_verdicts(session.breaker, verdicts, now))

    async def _with_breaker(
        self, tx: Transaction, session: SendingSession, breaker: Breaker
    ) -> SendingSession:
        if breaker == session.breaker:
            return session
        await dispatch_leases.store_breaker(tx, self._scope, self._session_id, self._owner, breaker)
        return replace(session, breaker=breaker)

    async def _claim_or_release(
        self, tx: Transaction, session: SendingSession, work: TurnWork, now: datetime
    ) -> TurnResult:
        breaker, allowed = allowance(session.breaker, now, work.most)
        if breaker.state is BreakerState.HALF_OPEN and work.in_flight:
            allowed = 0
        if session.state is SessionState.CONNECTED and allowed > 0:
            session = await self._with_breaker(tx, session, breaker)
            claimed = await self._claim(tx, session, work, now, allowed)
            if claimed is not None:
                return claimed
        if work.in_flight:
            return TurnResult(next_due=await self._next_asked(tx, now))
        await dispatch_leases.release(tx, self._scope, self._session_id, self._owner)
        return TurnResult(released=True, next_due=await self._next_due(tx, session, now))

    async def _claim(
        self, tx: Transaction, session: SendingSession, work: TurnWork, now: datetime, allowed: int
    ) -> TurnResult | None:
        """Take at most `allowed` messages; None where there is nothing to take, now or at once."""
        until = now + CLAIM * self._context.tempo.speed
        chats = await outbox.due_chats(tx, self._scope, self._session_id, now, allowed, work.busy_chats)
        if not self._policy.concerns(chats):
            claim = await outbox.claim_chats(tx, chats, now, until, allowed)
            if not (claim.messages or claim.held_chats):
                return None
            return TurnResult(claimed=claim.messages, more=claim.held_chats > 0)
        decided = await self._policy.claim(
            tx, chats, session.breaker, now, until, allowed, campaign_in_flight=work.campaign_in_flight
        )
        if not (decided.messages or decided.more):
            return None
        return TurnResult(
            claimed=decided.messages,
            more=decided.more,
            leaving=decided.leaving,
            next_due=await self._next_asked(tx, now),
        )

    async def _next_asked(self, tx: Transaction, now: datetime) -> datetime | None:
        """When the policy is to be asked again while messages are under way; the run's end looks for itself."""
        if not self._policy.decides:
            return None
        return await outbox.next_due(tx, self._scope, self._session_id, now)

    async def _next_due(self, tx: Transaction, session: SendingSession, now: datetime) -> datetime | None:
        if session.state is not SessionState.CONNECTED or session.breaker.waits_for_person:
            return None
        if session.breaker.until is not None and session.breaker.until > now:
            return session.breaker.until
        return await outbox.next_due(tx, self._scope, self._session_id, now)


class _Recorder:
    """Writes the results of sends with their events."""

    def __init__(self, context: Context, book: ContactBook, scope: CompanyScope, now: datetime) -> None:
        self._context = context
        self._book = book
        self._scope = scope
        self._now = now

    async def record(
        self,
        tx: Transaction,
        answers: Sequence[tuple[StoredMessage, SendAnswer]],
        verdicts: Sequence[Verdict],
        owns: bool,
    ) -> None:
        """Write what the verdicts say. Without the lease (`owns` False) only what is certain counts: it was sent."""
        await message_store.lock_company(tx, self._scope)
        current = await self._current(tx, [stored for stored, _ in answers])
        contacts = await self._book.learn(
            tx, self._scope, [Sighting(answer.contact) for _, answer in answers]
        )
        changed: list[StoredMessage] = []
        events: list[NewEvent] = []
        sent: list[Message] = []
        waiting_for: list[StoredMessage] = []
        for (stored, answer), verdict, contact in zip(answers, verdicts, contacts, strict=True):
            row = current.get(stored.message.id)
            if row is None or not (owns or isinstance(verdict, Sent)):
                continue
            if contact.jid:
                row = replace(row, message=replace(row.message, contact=contact))
            after = self._after(row, answer, verdict)
            if after is None:
                continue
            changed.append(after)
            if isinstance(verdict, Sent):
                sent.append(after.message)
            if row.message.status in _WAITING:
                events += _events_of(after.message)
            if isinstance(verdict, RetryAt) and verdict.at > self._now:
                waiting_for.append(after)
        await message_store.save(tx, self._scope, changed)
        to_groups = [message for message in sent if is_group(message.chat_jid)]
        await message_receipts.expect(tx, self._scope, to_groups)
        events += await apply_sent(tx, self._scope, sent)
        for head in waiting_for:
            await outbox.hold_chat(tx, head)
        if events:
            await event_store.append(tx, self._scope, events, self._now, self._context.rng)
            tx.after_commit(self._ring)

    async def _current(self, tx: Transaction, claimed: Sequence[StoredMessage]) -> dict[str, StoredMessage]:
        """What the messages are now: as they were claimed, or read anew where a receipt has moved them on since."""
        current = {stored.message.id: stored for stored in claimed}
        statuses = await message_store.lock_statuses(tx, self._scope, list(current))
        moved = [key for key in current if statuses.get(key) is not MessageStatus.SENDING]
        if not moved:
            return current
        found = await message_store.get_many(tx, self._scope, moved)
        return {key: stored for key, stored in (current | found).items() if key in statuses}

    async def _ring(self) -> None:
        await self._context.bells.events_recorded(self._scope)

    def _after(self, row: StoredMessage, answer: SendAnswer, verdict: Verdict) -> StoredMessage | None:
        """The row after the verdict, or None where a receipt or another holder has been there before."""
        if isinstance(verdict, Sent):
            return self._sent(row, answer)
        if row.message.status is not MessageStatus.SENDING:
            return None
        return (
            self._retried(row, answer, verdict)
            if isinstance(verdict, RetryAt)
            else self._failed(row, answer, verdict)
        )

    def _sent(self, row: StoredMessage, answer: SendAnswer) -> StoredMessage:
        message = replace(row.message, attempts=row.message.attempts + 1, error=None)
        if message.status in _WAITING:
            at = answer.acknowledged_at
            times = replace(message.times, sent_at=self._context.tempo.at(at) if at else self._now)
            message = replace(message, status=MessageStatus.SENT, times=times)
        return replace(row, message=message, due_at=None, proto=answer.message_proto or None)

    def _retried(self, row: StoredMessage, answer: SendAnswer, verdict: RetryAt) -> StoredMessage:
        message = replace(row.message, status=MessageStatus.QUEUED)
        if verdict.counts:
            message = replace(
                message, attempts=message.attempts + 1, error=MessageError(verdict.code.name, _detail(answer))
            )
        return replace(row, message=message, due_at=verdict.at)

    def _failed(self, row: StoredMessage, answer: SendAnswer, verdict: Failed) -> StoredMessage:
        message = replace(
            row.message,
            status=MessageStatus.FAILED,
            attempts=row.message.attempts + 1,
            error=MessageError(verdict.code.name, _detail(answer) or verdict.code.sentence),
            times=replace(row.message.times, failed_at=self._now),
        )
        return replace(row, message=message, due_at=None)


def _events_of(message: Message) -> list[NewEvent]:
    if message.status is MessageStatus.SENT:
        return [message_event(EventType.MESSAGE_SENT, message)]
    if message.status is MessageStatus.FAILED:
        return [message_event(EventType.MESSAGE_FAILED, message)]
    return []


def _detail(answer: SendAnswer) -> str:
    report = answer.report
    if report.outcome is Outcome.REJECTED and report.wa_code:
        return f"{report.wa_code} {report.detail or report.reason}".strip()
    return report.detail or report.reason
