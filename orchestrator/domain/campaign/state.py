"""The life of a campaign: its states, and what moves it from one to the next."""

from enum import StrEnum

from orchestrator.domain.errors import CAMPAIGN_STATE, PonteError


class CampaignState(StrEnum):
    """Where a campaign stands."""

    DRAFT = "DRAFT"
    """It can be changed; nothing is sent."""
    SCHEDULED = "SCHEDULED"
    """Started, and its time has not come."""
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    """A person paused it."""
    STOPPED = "STOPPED"
    """Ponte stopped it, for a reason that is told; a person may resume it."""
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"


class Action(StrEnum):
    """What can happen to a campaign."""

    START = "START"
    COME_DUE = "COME_DUE"
    PAUSE = "PAUSE"
    RESUME = "RESUME"
    STOP = "STOP"
    CANCEL = "CANCEL"
    COMPLETE = "COMPLETE"


_S = CampaignState
TRANSITIONS: dict[Action, dict[CampaignState, CampaignState]] = {
    Action.START: {_S.DRAFT: _S.SCHEDULED},
    Action.COME_DUE: {_S.SCHEDULED: _S.RUNNING},
    Action.PAUSE: {_S.SCHEDULED: _S.PAUSED, _S.RUNNING: _S.PAUSED},
    # Through SCHEDULED: one that was paused before its time goes on waiting for it.
    Action.RESUME: {_S.PAUSED: _S.SCHEDULED, _S.STOPPED: _S.SCHEDULED},
    Action.STOP: {_S.SCHEDULED: _S.STOPPED, _S.RUNNING: _S.STOPPED, _S.PAUSED: _S.STOPPED},
    Action.CANCEL: {
        _S.DRAFT: _S.CANCELLED,
        _S.SCHEDULED: _S.CANCELLED,
        _S.RUNNING: _S.CANCELLED,
        _S.PAUSED: _S.CANCELLED,
        _S.STOPPED: _S.CANCELLED,
    },
    Action.COMPLETE: {_S.RUNNING: _S.COMPLETED},
}

ENDED = frozenset({_S.COMPLETED, _S.CANCELLED})
"""States that a campaign does not leave."""


def transition(state: CampaignState, action: Action) -> CampaignState:
    """Give the state that follows. Raises PonteError(CAMPAIGN_STATE) where the action does not fit the state."""
    following = TRANSITIONS[action].get(state)
    if following is None:
        raise PonteError(CAMPAIGN_STATE, f"The campaign is {state.value}; {_advice(action)}")
    return following


def _advice(action: Action) -> str:
    fitting = " or ".join(state.value for state in TRANSITIONS[action])
    return f"{action.value.lower().replace('_', ' ')} needs one that is {fitting}."
