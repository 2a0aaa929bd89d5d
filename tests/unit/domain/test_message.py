"""How receipts move a message on."""

from itertools import permutations

import pytest

from orchestrator.domain.inbound import ReceiptKind
from orchestrator.domain.message import MessageStatus, advances
from orchestrator.domain.message_filter import MessageFilter

IN_ORDER = [
    MessageStatus.QUEUED,
    MessageStatus.SENDING,
    MessageStatus.SENT,
    MessageStatus.DELIVERED,
    MessageStatus.READ,
    MessageStatus.PLAYED,
]
ENDS = [MessageStatus.FAILED, MessageStatus.CANCELLED, MessageStatus.RECEIVED]


@pytest.mark.parametrize("current", IN_ORDER)
@pytest.mark.parametrize("proposed", IN_ORDER)
def test_a_receipt_never_moves_a_message_back(current: MessageStatus, proposed: MessageStatus) -> None:
    assert advances(current, proposed) == (IN_ORDER.index(proposed) > IN_ORDER.index(current))


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("other", list(MessageStatus))
def test_what_has_failed_was_cancelled_or_came_in_stays_as_it_is(
    end: MessageStatus, other: MessageStatus
) -> None:
    assert not advances(end, other)
    assert not advances(other, end)


@pytest.mark.parametrize("order", list(permutations(IN_ORDER[2:])))
def test_receipts_lead_to_the_same_status_in_whatever_order_they_come(
    order: tuple[MessageStatus, ...],
) -> None:
    status = MessageStatus.SENDING
    for proposed in order:
        status = proposed if advances(status, proposed) else status

    assert status is MessageStatus.PLAYED


def test_each_receipt_proves_a_status_but_an_error_none() -> None:
    assert {kind: kind.status for kind in ReceiptKind} == {
        ReceiptKind.SERVER_ACK: MessageStatus.SENT,
        ReceiptKind.DELIVERED: MessageStatus.DELIVERED,
        ReceiptKind.READ: MessageStatus.READ,
        ReceiptKind.PLAYED: MessageStatus.PLAYED,
        ReceiptKind.ERROR: None,
    }


def test_a_filter_shows_everything_unless_told_otherwise() -> None:
    assert MessageFilter() == MessageFilter("", "", None, None, None, None)
