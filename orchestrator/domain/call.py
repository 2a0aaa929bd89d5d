"""Calls to a number: voice or video, told step by step, and what becomes of one."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from orchestrator.domain.jid import ContactId


class CallStep(StrEnum):
    """What WhatsApp tells of a call."""

    OFFERED = "OFFERED"
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    TIMED_OUT = "TIMED_OUT"
    TERMINATED = "TERMINATED"


class CallState(StrEnum):
    """How a call stands. MISSED: it ended before anybody took it, whoever gave up; ENDED: it was taken, and is over."""

    RINGING = "RINGING"
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    MISSED = "MISSED"
    ENDED = "ENDED"


OPEN_STATES = frozenset({CallState.RINGING, CallState.ACCEPTED})
"""States after which something more can follow."""


@dataclass(frozen=True, slots=True)
class CallUpdate:
    """One step of a call, the twin of `ponte.bridge.v1.Call` (its company was checked before).

    `group_jid` is empty for a call from one person. `video` is known of an offer only. `offline` means that it waited
    at WhatsApp while the session was not connected.
    """

    wa_call_id: str
    caller: ContactId
    group_jid: str
    video: bool
    step: CallStep
    at: datetime
    offline: bool


@dataclass(frozen=True, slots=True)
class Call:
    """A call as it is known now; `ended_at` is None while it lasts."""

    id: str
    wa_call_id: str
    session_id: str
    caller: ContactId
    group_jid: str
    video: bool
    state: CallState
    offline: bool
    started_at: datetime
    ended_at: datetime | None = None


def advance(call: Call, step: CallStep, at: datetime) -> Call:
    """Give the call after a step. Steps come late and twice: what is over stays as it is, and so does an offer."""
    if call.state not in OPEN_STATES or step is CallStep.OFFERED:
        return call
    if step is CallStep.ACCEPTED:
        return replace(call, state=CallState.ACCEPTED)
    return replace(call, state=_over(call.state, step), ended_at=at)


def _over(state: CallState, step: CallStep) -> CallState:
    if state is CallState.ACCEPTED:
        return CallState.ENDED
    return CallState.REJECTED if step is CallStep.REJECTED else CallState.MISSED
