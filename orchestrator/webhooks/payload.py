"""The body of a delivery: the event as REST gives it."""

import json
from datetime import UTC, datetime

from orchestrator.domain.events import Event


def event_json(event: Event) -> str:
    """Write an event as JSON with proto field names and times as RFC 3339 in UTC."""
    return json.dumps(
        {
            "id": event.id,
            "sequence": event.sequence,
            "company_id": event.company_id,
            "session_id": event.session_id,
            "type": str(event.type),
            "at": format_time(event.at),
            "data": event.data,
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )


def format_time(moment: datetime) -> str:
    """RFC 3339 with as many fraction digits as are needed: none, three or six."""
    if moment.microsecond == 0:
        precision = "seconds"
    else:
        precision = "milliseconds" if moment.microsecond % 1000 == 0 else "microseconds"
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=precision) + "Z"
