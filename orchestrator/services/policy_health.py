"""A session's health as it changes: noted in the event log, with what moved it."""

from datetime import datetime

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.content.codec import rfc3339
from orchestrator.domain.events import EventType, NewEvent
from orchestrator.domain.policy.health import figure_at
from orchestrator.domain.policy.reaction_state import Pause, Slowdown
from orchestrator.domain.policy.settings import PolicySettings
from orchestrator.services.context import Context
from orchestrator.services.policy_state import PolicyState
from orchestrator.store import events as event_store
from orchestrator.store.database import Transaction


async def note_standing(
    tx: Transaction,
    context: Context,
    scope: CompanyScope,
    session_id: str,
    change: tuple[PolicyState, PolicyState],
    now: datetime,
    settings: PolicySettings,
) -> None:
    """Record `health.changed` where the risk figure moved, or a slowdown or pause began or ended."""
    before, after = change
    moved = after.health.events[-1:] != before.health.events[-1:]
    reacted = (before.reactions.pauses, before.reactions.slowdowns) != (
        after.reactions.pauses,
        after.reactions.slowdowns,
    )
    if not (moved or reacted):
        return
    event = NewEvent(EventType.HEALTH_CHANGED, session_id, health_data(before, after, now, settings))
    await event_store.append(tx, scope, [event], now, context.rng)
    tx.after_commit(lambda: context.bells.events_recorded(scope))


def health_data(
    before: PolicyState, after: PolicyState, now: datetime, settings: PolicySettings
) -> dict[str, object]:
    """The event's data: the score and level, the causes that are new, and everything that is in force."""
    known = set(before.health.events)
    causes: list[str] = [event.cause.value for event in after.health.events if event not in known]
    old_pauses, old_slowdowns = set(before.reactions.pauses), set(before.reactions.slowdowns)
    causes += [pause.cause.value for pause in after.reactions.pauses if pause not in old_pauses]
    causes += [one.cause.value for one in after.reactions.slowdowns if one not in old_slowdowns]
    return {
        "score": round(figure_at(after.health, now, settings.health), 1),
        "level": after.level(now, settings).value,
        "previous_level": before.level(now, settings).value,
        "causes": list(dict.fromkeys(causes)),
        "pauses": [pause_data(pause) for pause in after.reactions.pauses],
        "slowdowns": [slowdown_data(one) for one in after.reactions.slowdowns],
    }


def pause_data(pause: Pause) -> dict[str, object]:
    """A pause; without `until` it waits for a person."""
    data: dict[str, object] = {
        "cause": pause.cause.value,
        "scope": pause.scope.value,
        "detail": pause.detail,
    }
    return data | ({"until": rfc3339(pause.until)} if pause.until else {})


def slowdown_data(slowdown: Slowdown) -> dict[str, object]:
    """A slowdown; without `until` it holds until its share is better."""
    data: dict[str, object] = {
        "cause": slowdown.cause.value,
        "scope": slowdown.scope.value,
        "factor": slowdown.factor,
    }
    return data | ({"until": rfc3339(slowdown.until)} if slowdown.until else {})
