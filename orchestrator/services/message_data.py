"""A message as it stands in events: the same names as in the API's JSON, so that a webhook needs no second read."""

from orchestrator.domain.content import Poll, to_values
from orchestrator.domain.content.codec import record_to_values, rfc3339
from orchestrator.domain.content.marks import NO_MARKS, poll_results
from orchestrator.domain.events import EventType, NewEvent
from orchestrator.domain.jid import ContactId
from orchestrator.domain.message import Message, MessageTimes

_TIMES = tuple(MessageTimes.__dataclass_fields__)


def message_data(message: Message) -> dict[str, object]:
    """Give the JSON form of a message, field by field that of the API; in `content`, and in what became of the message
    later, fields that have their default are left out."""
    data: dict[str, object] = {
        "id": message.id,
        "wa_message_id": message.wa_message_id,
        "session_id": message.session_id,
        "chat": message.chat_jid,
        "contact": contact_data(message.contact),
        "direction": message.direction.value,
        "type": message.kind,
        "status": message.status.value,
        "lane": message.lane.value,
        "attempts": message.attempts,
        "offline": message.offline,
        "push_name": message.push_name,
        "imported": message.imported,
    }
    if message.text:
        data["text"] = {"body": message.text}
    if message.whole_content:
        data["content"] = to_values(message.whole_content)
    if message.error:
        data["error"] = {"code": message.error.code, "detail": message.error.detail}
    if message.waiting_for:
        data["waiting_for"] = {"code": message.waiting_for.code, "detail": message.waiting_for.detail}
    for name in _TIMES:
        moment = getattr(message.times, name)
        if moment is not None:
            data[name] = rfc3339(moment)
    if message.marks == NO_MARKS and message.kind != Poll.kind:
        return data
    return data | _marks_data(message)


def contact_data(contact: ContactId) -> dict[str, object]:
    """The names of somebody."""
    return {"phone_number": contact.phone_number, "jid": contact.pn_jid, "lid": contact.lid_jid}


def _marks_data(message: Message) -> dict[str, object]:
    marks = record_to_values(message.marks)
    marks.pop("votes", None)
    if message.content is not None and isinstance(message.content.body, Poll):
        results = poll_results(message.content.body.options, message.marks.votes)
        marks["poll_results"] = [record_to_values(result) for result in results]
    return marks


def message_event(event_type: EventType, message: Message) -> NewEvent:
    """Make the event that tells of a message."""
    return NewEvent(event_type, message.session_id, message_data(message), message.chat_jid)
