"""Events carry messages in the names of the API."""

from datetime import UTC, datetime, timedelta, timezone

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
from orchestrator.services.message_data import message_data, message_event, rfc3339

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


def test_what_is_set_is_told_in_the_apis_names() -> None:
    assert message_data(_message()) == {
        "id": "01",
        "wa_message_id": "3EB0",
        "session_id": "s",
        "chat": "5511987654321@s.whatsapp.net",
        "contact": {
            "phone_number": "+5511987654321",
            "jid": "5511987654321@s.whatsapp.net",
            "lid": "777@lid",
        },
        "direction": "OUTBOUND",
        "type": "text",
        "text": {"body": "Hello"},
        "status": "QUEUED",
        "lane": "TRANSACTIONAL",
        "created_at": "2026-01-05T12:00:00Z",
    }


def test_errors_attempts_and_times_are_told_where_there_are_any() -> None:
    times = MessageTimes(AT, sent_at=AT, failed_at=AT + timedelta(milliseconds=1))
    failed = _message(
        status=MessageStatus.FAILED, error=MessageError("NETWORK", "gone"), attempts=4, times=times
    )
    data = message_data(failed)
    assert data["error"] == {"code": "NETWORK", "detail": "gone"}
    assert (data["attempts"], data["sent_at"]) == (4, "2026-01-05T12:00:00Z")
    assert data["failed_at"] == "2026-01-05T12:00:00.001000Z"


def test_an_inbound_message_tells_who_wrote_and_whether_it_waited() -> None:
    data = message_data(
        _message(push_name="Ana", offline=True, text="", contact=ContactId(lid_jid="777@lid"))
    )
    assert (data["push_name"], data["offline"], data["contact"]) == ("Ana", True, {"lid": "777@lid"})
    assert "text" not in data


def test_an_event_names_its_session_and_chat() -> None:
    event = message_event(EventType.MESSAGE_SENT, _message())
    assert (event.type, event.session_id, event.chat_jid) == (
        "message.sent",
        "s",
        "5511987654321@s.whatsapp.net",
    )


def test_times_of_any_zone_are_written_in_utc() -> None:
    assert rfc3339(datetime(2026, 1, 5, 9, 0, tzinfo=timezone(timedelta(hours=-3)))) == "2026-01-05T12:00:00Z"
