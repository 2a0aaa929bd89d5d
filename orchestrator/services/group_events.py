"""The events of groups: what customers' systems are told."""

from orchestrator.domain.content.codec import rfc3339
from orchestrator.domain.events import NewEvent
from orchestrator.domain.group import Participant, SessionGroup
from orchestrator.domain.group.changes import Gone, GroupChange, GroupNews, Read
from orchestrator.domain.jid import ContactId

_WHO_MAY = {
    "only_admins_send": "who_may_send",
    "only_admins_edit": "who_may_edit",
    "only_admins_add": "who_may_add",
}


def group_event(news: GroupNews, told: GroupChange, stored: SessionGroup) -> NewEvent:
    """Make the event that tells of news.

    `source` says how Ponte knows: WHATSAPP told, it was found in a READING, or it was done over the API.
    """
    data: dict[str, object] = {
        "group": {"id": stored.jid, "subject": stored.known.group.settings.subject or ""},
        "role": stored.role.value,
        "source": _source(told),
        "at": rfc3339(told.at),
    }
    if told.author.jid:
        data["author"] = _contact(told.author)
    if news.participants:
        data["participants"] = [_participant(one) for one in news.participants]
    if news.changes:
        data["changes"] = dict(_setting(name, *both) for name, both in news.changes.items())
    return NewEvent(news.type, stored.session_id, data | dict(news.detail), stored.jid)


def _setting(name: str, before: object, after: object) -> tuple[str, dict[str, object]]:
    """A setting by the name and with the values that the API has for it."""
    if name not in _WHO_MAY:
        return name, {"before": before, "after": after}
    return _WHO_MAY[name], {"before": _who(before), "after": _who(after)}


def _who(only_admins: object) -> str | None:
    return None if only_admins is None else "ADMINS" if only_admins else "EVERYBODY"


def _source(told: GroupChange) -> str:
    if told.notification_id:
        return "WHATSAPP"
    return "READING" if isinstance(told.change, Read | Gone) else "API"


def _participant(participant: Participant) -> dict[str, object]:
    return {"contact": _contact(participant.contact), "role": participant.role.value}


def _contact(contact: ContactId) -> dict[str, object]:
    return {"phone_number": contact.phone_number, "jid": contact.pn_jid, "lid": contact.lid_jid}
