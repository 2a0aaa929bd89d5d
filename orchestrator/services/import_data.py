"""An import as it stands in events: the same names as in the API's JSON."""

from orchestrator.domain.content.codec import rfc3339
from orchestrator.domain.events import EventType, NewEvent
from orchestrator.domain.imports import ExportWish, Import

_TIMES = ("created_at", "started_at", "updated_at", "ended_at")


def import_data(value: Import) -> dict[str, object]:
    """Give the JSON form of an import."""
    counts = value.counts
    data: dict[str, object] = {
        "id": value.id,
        "session_id": value.session_id,
        "kind": value.kind.value,
        "state": value.state.value,
        "days": value.wish.days,
        "groups": value.wish.groups,
        "media": value.wish.media,
        "counts": {
            "total": counts.total,
            "read": counts.read,
            "added": counts.added,
            "known": counts.known,
            "skipped": counts.skipped,
        },
        "percent": value.percent,
    }
    if value.export is not None:
        data["export"] = _export_data(value.export)
    if value.chat_jid:
        data["chat"] = value.chat_jid
    if value.error_code:
        data["error"] = {"code": value.error_code, "detail": value.error_detail}
    for name in _TIMES:
        moment = getattr(value, name)
        if moment is not None:
            data[name] = rfc3339(moment)
    return data


def _export_data(wish: ExportWish) -> dict[str, str]:
    data = {
        "media_id": wish.media_id,
        "chat": wish.chat_jid,
        "own_name": wish.own_name,
        "time_zone": wish.time_zone,
    }
    return data | ({"date_order": wish.date_order.value} if wish.date_order else {})


def import_event(type_: EventType, value: Import) -> NewEvent:
    """Make the event that tells of an import."""
    return NewEvent(type_, value.session_id, import_data(value))
