"""A message as it stands in events: the same names as in the API's JSON, so that a webhook needs no second read."""

from datetime import UTC, datetime

from orchestrator.domain.events import EventType, NewEvent
from orchestrator.domain.message import Message, MessageTimes

_TIMES = tuple(MessageTimes.__dataclass_fields__)


def message_data(message: Message) -> dict[str, object]:
    """Give the JSON form of a message; as in the API, what is not set is left out."""
    contact = message.contact
    data: dict[str, object] = {
        "id": message.id,
        "wa_message_id": message.wa_message_id,
        "session_id": message.session_id,
        "chat": message.chat_jid,
        "contact": {
            name: value
            for name, value in (
                ("phone_number", contact.phone_number),
                ("jid", contact.pn_jid),
                ("lid", contact.lid_jid),
            )
            if value
        },
        "direction": message.direction.value,
        "type": message.kind,
        "status": message.status.value,
        "lane": message.lane.value,
    }
    if message.text:
        data["text"] = {"body": message.text}
    if message.error:
        data["error"] = {"code": message.error.code, "detail": message.error.detail}
    if message.attempts:
        data["attempts"] = message.attempts
    for name in _TIMES:
        moment = getattr(message.times, name)
        if moment is not None:
            data[name] = rfc3339(moment)
    if message.offline:
        data["offline"] = True
    if message.push_name:
        data["push_name"] = message.push_name
    return data


def message_event(event_type: EventType, message: Message) -> NewEvent:
    """Make the event that tells of a message."""
    return NewEvent(event_type, message.session_id, message_data(message), message.chat_jid)


def rfc3339(moment: datetime) -> str:
    """Write a time as protobuf's JSON does: UTC with a `Z`."""
    return moment.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"
