"""What the sending policy remembers of a session between two turns, as it is stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from pydantic import TypeAdapter

from orchestrator.domain.campaign.last_words import Said
from orchestrator.domain.policy.health import Health, HealthLevel, figure_at, level_of, well_from
from orchestrator.domain.policy.pacing_state import Pacing
from orchestrator.domain.policy.reaction_state import Reactions
from orchestrator.domain.policy.reactions import Standing
from orchestrator.domain.policy.settings import PolicySettings
from orchestrator.domain.policy.snapshot import NewChatQuota
from orchestrator.domain.policy.warm_up import WarmUp, begin, settle


@dataclass(frozen=True, slots=True)
class PolicyState:
    """One session's memory. `counted_at` is when deliveries were counted last; `last_words` is what
    it may have said last, by campaign."""

    warm_up: WarmUp
    pacing: Pacing = field(default_factory=Pacing)
    reactions: Reactions = field(default_factory=Reactions)
    health: Health = field(default_factory=Health)
    new_chat_quota: NewChatQuota | None = None
    reconnected_at: datetime | None = None
    counted_at: datetime | None = None
    last_words: Mapping[str, tuple[Said, ...]] = field(default_factory=dict)

    @property
    def standing(self) -> Standing:
        """What signals change."""
        return Standing(self.reactions, self.health)

    def with_standing(self, standing: Standing) -> "PolicyState":
        """The state with what signals changed."""
        if standing.reactions is self.reactions and standing.health is self.health:
            return self
        return replace(self, reactions=standing.reactions, health=standing.health)

    def level(self, now: datetime, settings: PolicySettings) -> HealthLevel:
        """The level of health now."""
        return level_of(figure_at(self.health, now, settings.health), settings.health)

    def settled(self, now: datetime, settings: PolicySettings) -> "PolicyState":
        """The state with its warm-up brought up to date."""
        warm_up = settle(self.warm_up, now, settings.warm_up, well_from(self.health, settings.health))
        return self if warm_up == self.warm_up else replace(self, warm_up=warm_up)


_ADAPTER: TypeAdapter[PolicyState] = TypeAdapter(PolicyState)


def dump_state(state: PolicyState) -> str:
    """Write a state as JSON, without what is as at the beginning."""
    return _ADAPTER.dump_json(state, exclude_defaults=True).decode()


def load_state(stored: str, session_since: datetime) -> PolicyState:
    """Read a state; nothing stored is a session that was linked at `session_since`."""
    return _ADAPTER.validate_json(stored) if stored else PolicyState(begin(session_since))
