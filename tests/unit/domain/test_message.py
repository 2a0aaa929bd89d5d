"""How receipts move a message on."""

from datetime import UTC, datetime
from itertools import permutations

import pytest

from orchestrator.domain.inbound import ReceiptKind
from orchestrator.domain.jid import ContactId
from orchestrator.domain.message import Direction, Lane, Message, MessageStatus, MessageTimes, advances
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


@pytest.mark.parametrize(
    ("chat", "direction", "participant"),
    [
        ("120363000000000001@g.us", Direction.INBOUND, "911@lid"),
        ("120363000000000001@g.us", Direction.OUTBOUND, ""),
        ("5511911111111@s.whatsapp.net", Direction.INBOUND, ""),
    ],
)
def test_only_who_wrote_in_a_group_is_a_participant(
    chat: str, direction: Direction, participant: str
) -> None:
    contact = ContactId("5511911111111@s.whatsapp.net", "911@lid")
    message = Message(
        "id",
        "wa",
        "company",
        "session",
        chat,
        contact,
        direction,
        "text",
        "Hello",
        MessageStatus.SENT,
        Lane.REPLY,
        1,
        MessageTimes(datetime(2026, 1, 5, tzinfo=UTC)),
    )
    assert message.participant == participant
