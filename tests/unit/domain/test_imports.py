"""The order of imported messages, and what batches add up to."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from orchestrator.domain.imports import Counts, ImportedMessage, sequence_of
from orchestrator.domain.jid import ContactId
from orchestrator.domain.message import MessageStatus

ANA = ContactId("5511911111111@s.whatsapp.net")
MESSAGE = ImportedMessage(
    wa_message_id="A",
    chat_jid=ANA.jid,
    contact=ANA,
    from_me=False,
    is_group=False,
    push_name="Ana",
    sent_at=datetime(2026, 1, 5, 12, tzinfo=UTC),
    status=MessageStatus.RECEIVED,
    kind="text",
    text="Hello",
)


def test_an_imported_message_stands_before_everything_that_was_received_here() -> None:
    far_ahead = replace(MESSAGE, sent_at=datetime(9999, 1, 1, tzinfo=UTC), place=1 << 40)
    assert sequence_of(MESSAGE) < sequence_of(far_ahead) < 0


def test_imported_messages_stand_in_the_order_in_which_they_were_sent() -> None:
    later = replace(MESSAGE, sent_at=MESSAGE.sent_at + timedelta(seconds=1))
    same_second = replace(MESSAGE, place=1)
    assert sequence_of(MESSAGE) < sequence_of(same_second) < sequence_of(later)


def test_a_message_gets_the_same_place_in_every_import() -> None:
    assert sequence_of(MESSAGE) == sequence_of(replace(MESSAGE, text="Another import of it"))


def test_counts_add_up_batch_by_batch() -> None:
    counts = Counts(total=10).plus(added=3, known=1).plus(skipped=2)
    assert counts == Counts(total=10, read=6, added=3, known=1, skipped=2)
