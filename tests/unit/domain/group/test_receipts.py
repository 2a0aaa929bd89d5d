"""What members do with a message, and what that makes of the message."""

from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.domain.group.receipts import MemberReceipt, ReceiptCounts
from orchestrator.domain.inbound import ReceiptKind
from orchestrator.domain.jid import ContactId
from orchestrator.domain.message import MessageStatus

AT = datetime(2026, 1, 5, 12, tzinfo=UTC)
LATER = AT + timedelta(minutes=1)
NOTHING = MemberReceipt(ContactId("5511911111111@s.whatsapp.net", "911@lid"))


@pytest.mark.parametrize(
    ("kind", "moments"),
    [
        (ReceiptKind.DELIVERED, (AT, None, None)),
        (ReceiptKind.READ, (AT, AT, None)),
        (ReceiptKind.PLAYED, (AT, AT, AT)),
    ],
)
def test_what_is_read_was_delivered_and_what_is_played_was_read(
    kind: ReceiptKind, moments: tuple[datetime | None, ...]
) -> None:
    after = NOTHING.after(kind, AT)
    assert (after.delivered_at, after.read_at, after.played_at) == moments


def test_the_first_receipt_of_a_kind_counts() -> None:
    read = NOTHING.after(ReceiptKind.READ, AT)
    assert read.after(ReceiptKind.READ, LATER) == read
    assert read.after(ReceiptKind.DELIVERED, LATER) == read
    assert read.after(ReceiptKind.PLAYED, LATER).read_at == AT


@pytest.mark.parametrize(
    ("counts", "status"),
    [
        (ReceiptCounts(), None),
        (ReceiptCounts(awaited=0, delivered=2), None),
        (ReceiptCounts(awaited=2, delivered=1), None),
        (ReceiptCounts(awaited=2, delivered=2, read=1), MessageStatus.DELIVERED),
        (ReceiptCounts(awaited=2, delivered=2, read=2, played=1), MessageStatus.READ),
        (ReceiptCounts(awaited=2, delivered=2, read=2, played=2), MessageStatus.PLAYED),
    ],
)
def test_a_message_is_as_far_as_all_members_are(counts: ReceiptCounts, status: MessageStatus | None) -> None:
    assert counts.status is status
