"""Receipts: what is known of a message after it was sent. They come late, doubled and out of order."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import OUTCOME_UNKNOWN
from orchestrator.domain.events import EventType, NewEvent
from orchestrator.domain.inbound import Receipt, ReceiptKind
from orchestrator.domain.jid import is_group, is_shared
from orchestrator.domain.message import Direction, Message, MessageError, MessageStatus, advances
from orchestrator.domain.retry import Outcome, RetryAt, SendReport, Sent, after_send
from orchestrator.services.batching import TransactionBatcher
from orchestrator.services.contacts import ContactBook
from orchestrator.services.context import Context
from orchestrator.services.group_receipts import GroupReceipts, MemberTold, Reached
from orchestrator.services.message_data import message_event
from orchestrator.services.tempo import Tempo
from orchestrator.store import events as event_store
from orchestrator.store import message_receipts, outbox
from orchestrator.store import messages as message_store
from orchestrator.store.database import Transaction
from orchestrator.store.messages import StoredMessage

_EVENTS = {
    MessageStatus.SENT: EventType.MESSAGE_SENT,
    MessageStatus.DELIVERED: EventType.MESSAGE_DELIVERED,
    MessageStatus.READ: EventType.MESSAGE_READ,
    MessageStatus.PLAYED: EventType.MESSAGE_PLAYED,
}
_WAITING = (MessageStatus.QUEUED, MessageStatus.SENDING)


@dataclass(frozen=True, slots=True)
class _Arrival:
    session_id: str
    receipt: Receipt


class ReceiptService:
    """Records receipts of outbound messages."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._groups = GroupReceipts(ContactBook(context))
        self._batcher = TransactionBatcher(context.database, self._write)

    async def record(self, scope: CompanyScope, session_id: str, receipt: Receipt) -> None:
        """Move the receipt's messages on; never back. Ids that are not known are ignored.

        In a group a message is delivered, read or played once it is so for all; each member's own is kept.

        A message that still waited to be sent (again) has evidently arrived and is not sent. A late error decides the
        fate of a message of which it was not known whether it had left.
        """
        await self._batcher.add(scope, _Arrival(session_id, receipt))

    async def _write(self, tx: Transaction, scope: CompanyScope, arrivals: Sequence[_Arrival]) -> list[None]:
        await message_store.lock_company(tx, scope)
        batch = _Batch(self._context.clock(), self._context.tempo)
        for session_id in dict.fromkeys(arrival.session_id for arrival in arrivals):
            receipts = [arrival.receipt for arrival in arrivals if arrival.session_id == session_id]
            wa_ids = {wa_id for receipt in receipts for wa_id in receipt.wa_message_ids}
            for stored in await message_store.lock_by_whatsapp_ids(tx, scope, session_id, list(wa_ids)):
                batch.add(stored)
            for receipt in receipts:
                batch.apply(session_id, receipt)
        await message_receipts.expect(tx, scope, batch.sent_to_groups)
        if batch.told:
            news, reached = await self._groups.note(tx, scope, batch.told)
            batch.events += news
            for one in reached:
                batch.reach(one)
        await message_store.save(tx, scope, list(batch.changed.values()))
        for stored in batch.left_outbox:
            await outbox.free_chat(tx, stored, self._context.clock())
        for stored in batch.held:
            await outbox.hold_chat(tx, stored)
        if batch.events:
            await event_store.append(tx, scope, batch.events, self._context.clock(), self._context.rng)

            async def ring() -> None:
                for freed in {stored.message.session_id for stored in batch.left_outbox}:
                    await self._context.bells.messages_due(scope, freed)
                await self._context.bells.events_recorded(scope)

            tx.after_commit(ring)
        return [None] * len(arrivals)


class _Batch:
    """Receipts applied in memory: what changed, and what is to be told."""

    def __init__(self, now: datetime, tempo: Tempo) -> None:
        self._now = now
        self._tempo = tempo
        self._current: dict[tuple[str, str], StoredMessage] = {}
        self.changed: dict[str, StoredMessage] = {}
        self.events: list[NewEvent] = []
        self.left_outbox: list[StoredMessage] = []
        self.held: list[StoredMessage] = []
        self.told: list[MemberTold] = []
        """What single members of groups have done."""
        self.sent_to_groups: list[Message] = []
        """Those that have evidently left."""

    def add(self, stored: StoredMessage) -> None:
        """Know an outbound message of a session."""
        if stored.message.direction is Direction.OUTBOUND:
            self._current[stored.message.session_id, stored.message.wa_message_id] = stored

    def apply(self, session_id: str, receipt: Receipt) -> None:
        """Apply one receipt to all the messages that it names."""
        for wa_id in receipt.wa_message_ids:
            stored = self._current.get((session_id, wa_id))
            if stored is None:
                continue
            at = self._tempo.at(receipt.at)
            if receipt.kind is ReceiptKind.ERROR:
                self._apply_error(stored, receipt)
            elif receipt.participant_jid and is_shared(stored.message.chat_jid):
                self._advance(stored, MessageStatus.SENT, at)
                self.told.append(MemberTold(stored.message, receipt.participant_jid, receipt.kind, at))
            elif receipt.kind.status is not None:
                self._advance(stored, receipt.kind.status, at)

    def reach(self, reached: Reached) -> None:
        """All members of its group have done so much with a message."""
        message = reached.message
        stored = self._current[message.session_id, message.wa_message_id]
        self._advance(stored, reached.status, reached.at)

    def _advance(self, stored: StoredMessage, proposed: MessageStatus, at: datetime) -> None:
        message = stored.message
        if not advances(message.status, proposed):
            return
        if message.status in _WAITING:
            self.left_outbox.append(stored)
            if is_group(message.chat_jid):
                self.sent_to_groups.append(message)
            message = replace(message, status=MessageStatus.SENT, error=None)
            message = replace(message, times=replace(message.times, sent_at=message.times.sent_at or at))
            self.events.append(message_event(EventType.MESSAGE_SENT, message))
        if message.status is not proposed:
            message = _with_times(replace(message, status=proposed), at)
            self.events.append(message_event(_EVENTS[proposed], message))
        self._change(replace(stored, message=message, due_at=None))

    def _apply_error(self, stored: StoredMessage, receipt: Receipt) -> None:
        message = stored.message
        uncertain = message.error is not None and message.error.code == OUTCOME_UNKNOWN.name
        if message.status is not MessageStatus.QUEUED or not uncertain:
            return
        report = SendReport(Outcome.REJECTED, wa_code=receipt.code)
        verdict = after_send(report, message.attempts, self._now)
        if isinstance(verdict, Sent):
            return
        error = MessageError(verdict.code.name, str(receipt.code))
        if isinstance(verdict, RetryAt):
            waiting = replace(stored, message=replace(message, error=error), due_at=verdict.at)
            self.held.append(waiting)
            self._change(waiting)
            return
        times = replace(message.times, failed_at=self._now)
        failed = replace(message, status=MessageStatus.FAILED, error=error, times=times)
        self.left_outbox.append(stored)
        self.events.append(message_event(EventType.MESSAGE_FAILED, failed))
        self._change(replace(stored, message=failed, due_at=None))

    def _change(self, stored: StoredMessage) -> None:
        self._current[stored.message.session_id, stored.message.wa_message_id] = stored
        self.changed[stored.message.id] = stored


def _with_times(message: Message, at: datetime) -> Message:
    """Note when a status was reached; what is read or played was delivered."""
    times = replace(message.times, delivered_at=message.times.delivered_at or at)
    if message.status is not MessageStatus.DELIVERED:
        times = replace(times, read_at=times.read_at or at)
    return replace(message, times=times)
