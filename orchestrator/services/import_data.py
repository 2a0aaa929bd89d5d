"""An import as it stands in events: the same names as in the API's JSON."""

from orchestrator.domain.content.codec import rfc3339
from orchestrator.domain.events import EventType, NewEvent
from orchestrator.domain.imports import Import

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
    if value.error_code:
        data["error"] = {"code": value.error_code, "detail": value.error_detail}
    for name in _TIMES:
        moment = getattr(value, name)
        if moment is not None:
            data[name] = rfc3339(moment)
    return data


def import_event(type_: EventType, value: Import) -> NewEvent:
    """Make the event that tells of an import."""
    return NewEvent(type_, value.session_id, import_data(value))
