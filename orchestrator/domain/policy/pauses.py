"""Pauses that reactions set, contacts that WhatsApp refused, and what health leaves."""

import math
from datetime import datetime, timedelta

from orchestrator.domain.breaker import BreakerState
from orchestrator.domain.message import Lane
from orchestrator.domain.policy.conversation import is_in_conversation
from orchestrator.domain.policy.decisions import Reason, ReasonCode
from orchestrator.domain.policy.health import HealthLevel, figure_at, level_of
from orchestrator.domain.policy.reaction_state import Pause, Scope
from orchestrator.domain.policy.snapshot import Candidate, Snapshot


def breaker_objection(snapshot: Snapshot, candidate: Candidate, now: datetime) -> Reason | None:
    """The session's breaker is open."""
    breaker = snapshot.breaker
    if breaker.state is not BreakerState.OPEN or (breaker.until is not None and breaker.until <= now):
        return None
    what = "the breaker is open" if breaker.until else "the breaker is open until a person starts the session"
    return Reason(ReasonCode.BREAKER_OPEN, what, breaker.until)


def pause_objection(snapshot: Snapshot, candidate: Candidate, now: datetime) -> Reason | None:
    """A pause is in force; of several the one that lasts longest."""
    in_force = [
        pause
        for pause in snapshot.reactions.pauses
        if (pause.until is None or now < pause.until) and _concerns(pause, snapshot, candidate, now)
    ]
    if not in_force:
        return None
    for pause in in_force:
        if pause.until is None:
            return Reason(ReasonCode.STOPPED, f"{_described(pause)}, until a person resumes")
    longest = max(in_force, key=lambda pause: pause.until or now)
    code = ReasonCode.NEW_CHATS_PAUSED if longest.scope is Scope.NEW_CHATS else ReasonCode.PAUSED
    return Reason(code, _described(longest), longest.until)


def contact_objection(snapshot: Snapshot, candidate: Candidate, now: datetime) -> Reason | None:
    """WhatsApp refused a message to this known contact, which has not written since."""
    for held in snapshot.reactions.held_contacts:
        if held.key == candidate.contact_key:
            if candidate.last_inbound_at is not None and candidate.last_inbound_at > held.at:
                return None
            return Reason(ReasonCode.CONTACT_HELD, "WhatsApp refused this contact (463), until it writes")
    return None


def health_objection(snapshot: Snapshot, candidate: Candidate, now: datetime) -> Reason | None:
    """The risk figure allows replies only, or nothing."""
    settings = snapshot.settings.health
    figure = figure_at(snapshot.health, now, settings)
    level = level_of(figure, settings)
    if level is HealthLevel.STOPPED:
        return Reason(ReasonCode.HEALTH_STOPPED, f"risk figure {figure:.0f} of 100, until a person resumes")
    if level is not HealthLevel.THROTTLED or is_in_conversation(candidate, now, snapshot.settings.contact):
        return None
    wait_s = settings.half_life_s * math.log2(figure / settings.throttled_from) + 1.0
    at = max(now, snapshot.health.at or now)
    what = f"risk figure {figure:.0f} of 100, replies only"
    return Reason(ReasonCode.HEALTH_THROTTLED, what, at + timedelta(seconds=wait_s))


def _concerns(pause: Pause, snapshot: Snapshot, candidate: Candidate, now: datetime) -> bool:
    if pause.scope is Scope.ALL:
        return True
    if pause.scope is Scope.CAMPAIGNS:
        return candidate.lane is Lane.CAMPAIGN
    return candidate.is_new_chat and not is_in_conversation(candidate, now, snapshot.settings.contact)


def _described(pause: Pause) -> str:
    named = pause.cause.value.lower().replace("_", " ")
    scope = {Scope.ALL: "all messages", Scope.CAMPAIGNS: "campaigns", Scope.NEW_CHATS: "new chats"}[
        pause.scope
    ]
    return f"{scope} paused: {pause.detail or named}"
