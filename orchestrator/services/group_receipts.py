"""What members of groups do with messages: noted one by one, and for the whole message once it is so for all."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.content.codec import rfc3339
from orchestrator.domain.events import EventType, NewEvent
from orchestrator.domain.group.receipts import MemberReceipt, ReceiptCounts
from orchestrator.domain.inbound import ReceiptKind
from orchestrator.domain.jid import ContactId, person_named
from orchestrator.domain.message import Message, MessageStatus
from orchestrator.services.contacts import ContactBook
from orchestrator.services.message_data import contact_data
from orchestrator.store import message_receipts
from orchestrator.store.database import Transaction
from orchestrator.store.message_receipts import StoredReceipt


@dataclass(frozen=True, slots=True)
class MemberTold:
    """A receipt of one member for one message."""

    message: Message
    participant_jid: str
    kind: ReceiptKind
    at: datetime


@dataclass(frozen=True, slots=True)
class Reached:
    """A message has come this far with all members who are awaited."""

    message: Message
    status: MessageStatus
    at: datetime


class GroupReceipts:
    """Notes members' receipts in the transaction that records them; the messages are locked."""

    def __init__(self, book: ContactBook) -> None:
        self._book = book

    async def note(
        self, tx: Transaction, scope: CompanyScope, told: Sequence[MemberTold]
    ) -> tuple[list[NewEvent], list[Reached]]:
        """Write what is new; gives the events that tell of it, and how far the messages have come."""
        given = [person_named(one.participant_jid) for one in told]
        contacts = await self._book.complete(tx, scope, given)
        message_ids = {one.message.id for one in told}
        members = _Members(await message_receipts.find(tx, scope, message_ids, contacts))
        news: dict[tuple[str, ReceiptKind], list[tuple[MemberTold, ContactId]]] = {}
        for one, contact in zip(told, contacts, strict=True):
            if members.take(one, contact):
                news.setdefault((one.message.id, one.kind), []).append((one, contact))
        await message_receipts.save(tx, scope, members.changed)
        counts = await message_receipts.count(tx, scope, {message_id for message_id, _ in news})
        events = [_event(together, counts[message_id]) for (message_id, _), together in news.items()]
        return events, _reached(news, counts)


class _Members:
    """What members have done, as it changes."""

    def __init__(self, stored: Sequence[StoredReceipt]) -> None:
        self._known: dict[tuple[str, str], StoredReceipt] = {}
        self._changed: dict[tuple[str, str], StoredReceipt] = {}
        for one in stored:
            self._keep(one)

    @property
    def changed(self) -> list[StoredReceipt]:
        return list(self._changed.values())

    def take(self, told: MemberTold, contact: ContactId) -> bool:
        """Take in a receipt; False where it says nothing new."""
        before = self._find(told.message.id, contact)
        after = replace(before, receipt=before.receipt.after(told.kind, told.at))
        if after.receipt == before.receipt:
            return False
        self._keep(after)
        self._changed[after.message_id, after.name] = after
        return True

    def _find(self, message_id: str, contact: ContactId) -> StoredReceipt:
        for name in (contact.lid_jid, contact.pn_jid):
            if name and (found := self._known.get((message_id, name))):
                return found
        return StoredReceipt(
            message_id, contact.lid_jid or contact.pn_jid, MemberReceipt(contact, awaited=False)
        )

    def _keep(self, stored: StoredReceipt) -> None:
        contact = stored.receipt.contact
        for name in {stored.name, contact.lid_jid, contact.pn_jid} - {""}:
            self._known[stored.message_id, name] = stored


def _reached(
    news: dict[tuple[str, ReceiptKind], list[tuple[MemberTold, ContactId]]], counts: dict[str, ReceiptCounts]
) -> list[Reached]:
    last: dict[str, MemberTold] = {}
    for together in news.values():
        for one, _ in together:
            known = last.get(one.message.id)
            last[one.message.id] = one if known is None or one.at > known.at else known
    return [
        Reached(one.message, status, one.at)
        for message_id, one in last.items()
        if (status := counts[message_id].status) is not None
    ]


def _event(together: Sequence[tuple[MemberTold, ContactId]], counts: ReceiptCounts) -> NewEvent:
    """Members who did the same with a message at about the same time are told of together."""
    first = together[0][0]
    message = first.message
    data: dict[str, object] = {
        "message_id": message.id,
        "wa_message_id": message.wa_message_id,
        "session_id": message.session_id,
        "chat": message.chat_jid,
        "status": first.kind.value,
        "receipts": [{"contact": contact_data(contact), "at": rfc3339(one.at)} for one, contact in together],
        "awaited": counts.awaited,
        "delivered": counts.delivered,
        "read": counts.read,
        "played": counts.played,
    }
    return NewEvent(EventType.MESSAGE_RECEIPT, message.session_id, data, message.chat_jid)
