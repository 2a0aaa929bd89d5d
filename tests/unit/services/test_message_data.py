"""Events carry messages in the names of the API."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from google.protobuf import json_format
from hypothesis import given, settings

from orchestrator._generated.ponte.v1 import message_pb2
from orchestrator.api.http.json_writer import to_value
from orchestrator.api.rpc import encode
from orchestrator.domain.content import Content, Poll
from orchestrator.domain.content.codec import rfc3339
from orchestrator.domain.content.marks import Marks, MessageReaction, Vote
from orchestrator.domain.events import EventType
from orchestrator.domain.jid import ContactId
from orchestrator.domain.message import (
    Direction,
    Lane,
    Message,
    MessageError,
    MessageStatus,
    MessageTimes,
)
from orchestrator.services.message_data import message_data, message_event
from tests.support.contents import contents

AT = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def _message(**more: object) -> Message:
    fields: dict[str, object] = {
        "id": "01",
        "wa_message_id": "3EB0",
        "company_id": "c",
        "session_id": "s",
        "chat_jid": "5511987654321@s.whatsapp.net",
        "contact": ContactId("5511987654321@s.whatsapp.net", "777@lid"),
        "direction": Direction.OUTBOUND,
        "kind": "text",
        "text": "Hello",
        "status": MessageStatus.QUEUED,
        "lane": Lane.TRANSACTIONAL,
        "attempts": 0,
        "times": MessageTimes(AT),
    }
    return Message(**{**fields, **more})  # type: ignore[arg-type]  # the fields of Message


POLL = Poll("Which day?", ("Monday", "Friday"))
MARKS = Marks(
    edited_at=AT,
    pinned_until=AT,
    reactions=(MessageReaction("👍", sender="777@lid", at=AT),),
    votes=(Vote("777@lid", ("Friday",)),),
)
MAY_BE_SHORTER = {"content", "reactions", "poll_results"}
"""What has its default is left out of them in events."""
TIMES = MessageTimes(AT, sent_at=AT + timedelta(milliseconds=5), failed_at=AT + timedelta(microseconds=7))


@pytest.mark.parametrize(
    "message",
    [
        _message(),
        _message(status=MessageStatus.FAILED, error=MessageError("NETWORK", "gone"), attempts=4, times=TIMES),
        _message(
            direction=Direction.INBOUND, push_name="Ana", offline=True, contact=ContactId(lid_jid="7@lid")
        ),
        _message(kind="unknown", text=""),
        _message(kind="poll", text="", content=Content(POLL), marks=MARKS),
        _message(kind="poll", text="", content=Content(POLL)),
    ],
)
def test_a_message_reads_the_same_in_events_as_over_rest(message: Message) -> None:
    data = message_data(message)

    assert json_format.ParseDict(data, message_pb2.Message()) == encode.message(message)
    rest = to_value(encode.message(message))
    assert {name: rest[name] for name in data if name not in MAY_BE_SHORTER} == {
        name: value for name, value in data.items() if name not in MAY_BE_SHORTER
    }


@given(contents())
@settings(max_examples=100, deadline=None)
def test_any_content_reads_the_same_in_events_as_over_grpc(content: Content) -> None:
    message = _message(kind=content.kind, text="", content=content)

    data = json.loads(json.dumps(message_data(message)))

    over_grpc = message_pb2.Message.FromString(encode.message(message).SerializeToString())
    assert json_format.ParseDict(data, message_pb2.Message()) == over_grpc


def test_an_event_names_its_session_and_chat() -> None:
    event = message_event(EventType.MESSAGE_SENT, _message())
    assert (event.type, event.session_id, event.chat_jid) == (
        "message.sent",
        "s",
        "5511987654321@s.whatsapp.net",
    )


def test_times_of_any_zone_are_written_in_utc() -> None:
    assert rfc3339(datetime(2026, 1, 5, 9, 0, tzinfo=timezone(timedelta(hours=-3)))) == "2026-01-05T12:00:00Z"
