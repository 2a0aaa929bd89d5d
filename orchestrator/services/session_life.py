"""One step in a session's life: transition, columns and events in one transaction, for customers and gateways alike."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from orchestrator.domain.breaker import Breaker
from orchestrator.domain.close_history import CloseHistory
from orchestrator.domain.closing import AfterClose, Closed
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.events import NewEvent
from orchestrator.domain.ids import make_id
from orchestrator.domain.imports import HistoryWish
from orchestrator.domain.session import SessionState, Signal, transition
from orchestrator.services import session_events
from orchestrator.services.context import Context
from orchestrator.store import auth_state, events, messages, sessions
from orchestrator.store.database import Transaction
from orchestrator.store.sessions import SessionRecord

NO_QR: dict[str, object] = {"qr_data": "", "qr_expires_at": None}
NO_LINK: dict[str, object] = {"pn_jid": "", "lid_jid": "", "push_name": "", "connected_at": None}
NO_FAILURES: dict[str, object] = {"reconnect_failures": 0, "reconnect_at": None}

_UNLINKED = frozenset({SessionState.NEW, SessionState.LOGGED_OUT})


@dataclass(slots=True)
class Step:
    """What one step does: the columns it sets and the events it records, after that of the transition."""

    changes: dict[str, object] = field(default_factory=dict)
    events: list[NewEvent] = field(default_factory=list)


async def lock_session(tx: Transaction, scope: CompanyScope, session_id: str) -> SessionRecord | None:
    """The session, locked until the transaction ends; None where it is unknown, deleted or another company's."""
    await messages.lock_company(tx, scope)
    return await sessions.lock_record(tx, scope, session_id)


async def take_step(
    tx: Transaction,
    context: Context,
    scope: CompanyScope,
    record: SessionRecord,
    signal: Signal | None,
    step: Step,
) -> SessionState:
    """Apply a signal and a step to a locked session and give its state after it; an impossible signal leaves the state.

    A session that loses its link loses its credentials too; they are kept sealed in the archive.
    """
    session = record.session
    after = session.state if signal is None else transition(session.state, signal) or session.state
    new_events: list[NewEvent] = []
    changes = dict(step.changes)
    if after is not session.state:
        changes["state"] = str(after)
        new_events.append(session_events.state_changed(session.id, session.state, after))
        if session.state is SessionState.PAIRING:
            changes |= NO_QR
        if after in _UNLINKED:
            changes |= NO_LINK | NO_FAILURES
            await _forget_link(tx, context, scope, record, signal)
    new_events.extend(step.events)
    await sessions.change(tx, scope, session.id, changes)
    await record_events(tx, context, scope, new_events)
    return after


async def record_events(
    tx: Transaction, context: Context, scope: CompanyScope, new_events: Sequence[NewEvent]
) -> None:
    """Record events and ring for them once they are durable."""
    if new_events:
        await events.append(tx, scope, new_events, context.clock(), context.rng)
        tx.after_commit(lambda: context.bells.events_recorded(scope))


def close_columns(context: Context, closed: Closed, after: AfterClose) -> dict[str, object]:
    """The columns that say why a connection ended last."""
    now = context.clock()
    return {
        "close_code": closed.code,
        "close_reason": closed.reason[:60],
        "close_permanent": after.permanent,
        "close_advice": after.advice[:300],
        "closed_at": now,
        "start_not_before": now + timedelta(seconds=after.rest_s) if after.rest_s else None,
    }


def breaker_columns(breaker: Breaker) -> dict[str, object]:
    """The columns of a session's breaker."""
    return {
        "breaker_state": str(breaker.state),
        "breaker_failures": breaker.failures,
        "breaker_pauses": breaker.pauses,
        "breaker_until": breaker.until,
        "breaker_stale_devices": breaker.stale_devices,
    }


def history_columns(history: CloseHistory) -> dict[str, object]:
    """The columns of what was lost lately."""
    return {"network_closes": history.network, "drops": history.drops, "looping": history.looping}


def wish_columns(wish: HistoryWish) -> dict[str, object]:
    """The columns of what is wanted of the phone's history."""
    return {"history_days": wish.days, "history_groups": wish.groups, "history_media": wish.media}


async def _forget_link(
    tx: Transaction, context: Context, scope: CompanyScope, record: SessionRecord, signal: Signal | None
) -> None:
    session = record.session
    now = context.clock()
    if session.is_linked:
        why: dict[str, object] = {
            "signal": str(signal),
            "state": str(session.state),
            "jid": session.me.pn_jid,
        }
        await auth_state.archive_credentials(tx, scope, session.id, make_id(now, context.rng), why, now)
    await auth_state.clear(tx, scope, session.id)
