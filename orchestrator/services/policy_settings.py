"""The figures that hold for a session: the defaults, what was changed for it, and nothing lifted but for simulators."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter

from orchestrator.domain.errors import PonteError
from orchestrator.domain.policy.figures import HARD_CEILINGS
from orchestrator.domain.policy.overrides import with_overrides
from orchestrator.domain.policy.settings import DEFAULTS, PolicySettings, lifted
from orchestrator.services.context import Context, SendingLimits

_LIFTED = lifted(DEFAULTS)

FigureValue = int | float | str | tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Override:
    """A figure that was changed for a session, by whom and why; `expires_at` None is until it is changed again."""

    path: str
    value: FigureValue
    actor: str
    reason: str = ""
    expires_at: datetime | None = None

    def holds(self, now: datetime) -> bool:
        """True until it expires."""
        return self.expires_at is None or now < self.expires_at


_ADAPTER: TypeAdapter[tuple[Override, ...]] = TypeAdapter(tuple[Override, ...])


def dump_overrides(overrides: Sequence[Override]) -> str:
    """Write overrides as JSON."""
    return _ADAPTER.dump_json(tuple(overrides)).decode()


def load_overrides(stored: str) -> tuple[Override, ...]:
    """Read overrides; nothing stored is none."""
    return _ADAPTER.validate_json(stored) if stored else ()


def base_settings(context: Context) -> PolicySettings:
    """The figures of a process before anything was changed for a session."""
    return _LIFTED if context.sending_limits is SendingLimits.LIFTED else DEFAULTS


def settings_with(base: PolicySettings, overrides: Sequence[Override], now: datetime) -> PolicySettings:
    """The figures with the overrides that hold. One that a newer version refuses counts no more: the default holds."""
    in_force = {override.path: override.value for override in overrides if override.holds(now)}
    if not in_force:
        return base
    try:
        return with_overrides(base, in_force, HARD_CEILINGS if base.enforced else {})
    except PonteError:
        return base
