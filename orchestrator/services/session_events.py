"""The events of a session's life: what customers' systems are told."""

from datetime import datetime, timedelta

from orchestrator.domain.close_history import LOOP_WINDOW_S
from orchestrator.domain.closing import AfterClose, Closed
from orchestrator.domain.events import EventType, NewEvent
from orchestrator.domain.jid import ContactId
from orchestrator.domain.session import QrCode, SessionState


def state_changed(session_id: str, before: SessionState, after: SessionState) -> NewEvent:
    """The observed state is another one."""
    return NewEvent(EventType.SESSION_STATE, session_id, {"state": str(after), "previous_state": str(before)})


def qr_shown(session_id: str, qr: QrCode) -> NewEvent:
    """There is a new QR to scan; it replaces the one before."""
    return NewEvent(EventType.SESSION_QR, session_id, {"qr": qr.data, "expires_at": _rfc3339(qr.expires_at)})


def connected(session_id: str, me: ContactId, push_name: str) -> NewEvent:
    """The session can send and receive."""
    return NewEvent(
        EventType.SESSION_CONNECTED,
        session_id,
        {"phone_number": me.phone_number, "jid": me.pn_jid, "lid": me.lid_jid, "push_name": push_name},
    )


def closed(session_id: str, closed: Closed, after: AfterClose, now: datetime) -> NewEvent:
    """The connection ended."""
    return NewEvent(
        EventType.SESSION_CLOSED,
        session_id,
        {
            "code": closed.code,
            "reason": closed.reason,
            "permanent": after.permanent,
            "advice": after.advice,
            "reconnect_at": _later(now, after.reconnect_in_s),
            "start_not_before": _later(now, after.rest_s or None),
        },
    )


def reconnect_loop(session_id: str, closed: Closed, after: AfterClose) -> NewEvent:
    """The connection is lost again and again, though it comes back each time."""
    return NewEvent(
        EventType.SESSION_RECONNECT_LOOP,
        session_id,
        {
            "reconnects": len(after.history.drops),
            "window_s": LOOP_WINDOW_S,
            "code": closed.code,
            "reason": closed.reason,
            "advice": after.advice,
        },
    )


def _later(now: datetime, seconds: float | None) -> str | None:
    return None if seconds is None else _rfc3339(now + timedelta(seconds=seconds))


def _rfc3339(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
