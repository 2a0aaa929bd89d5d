"""Receipts of the members of a group: what each has done with a message, and what that makes of the message itself."""

from dataclasses import dataclass, replace
from datetime import datetime

from orchestrator.domain.inbound import ReceiptKind
from orchestrator.domain.jid import ContactId
from orchestrator.domain.message import MessageStatus


@dataclass(frozen=True, slots=True)
class MemberReceipt:
    """What one member has done with a message; None for what it has not.

    `awaited`: it was in the group when the message was sent. Others may get it later, for instance by a retry.
    """

    contact: ContactId
    awaited: bool = True
    delivered_at: datetime | None = None
    read_at: datetime | None = None
    played_at: datetime | None = None

    def after(self, kind: ReceiptKind, at: datetime) -> "MemberReceipt":
        """Take in a receipt; the first of a kind counts. What is read was delivered, what is played was read."""
        after = replace(self, delivered_at=self.delivered_at or at)
        if kind in (ReceiptKind.READ, ReceiptKind.PLAYED):
            after = replace(after, read_at=after.read_at or at)
        if kind is ReceiptKind.PLAYED:
            after = replace(after, played_at=after.played_at or at)
        return after


@dataclass(frozen=True, slots=True)
class ReceiptCounts:
    """How many members a message was sent to, and how many of them have it, have read it, have played it."""

    awaited: int = 0
    delivered: int = 0
    read: int = 0
    played: int = 0

    @property
    def status(self) -> MessageStatus | None:
        """What WhatsApp's ticks show: a message is delivered, read or played once it is so for all of them.

        None while it is not, and where nobody knows who was in the group.
        """
        if not self.awaited:
            return None
        steps = (
            (self.played, MessageStatus.PLAYED),
            (self.read, MessageStatus.READ),
            (self.delivered, MessageStatus.DELIVERED),
        )
        return next((status for done, status in steps if done >= self.awaited), None)
