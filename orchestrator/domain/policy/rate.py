"""How fast a session may go just now, as a share of its caps: reactions, health, and the ramp after a
reconnect."""

from datetime import datetime

from orchestrator.domain.policy.health import HealthLevel, figure_at, level_of
from orchestrator.domain.policy.reaction_state import Scope
from orchestrator.domain.policy.snapshot import Snapshot


def slowdown_share(snapshot: Snapshot, scope: Scope, now: datetime) -> float:
    """The slowest of the slowdowns in force for this scope, 1.0 where there is none. They do not multiply:
    often several answer to one cause."""
    if not snapshot.reactions.slowdowns:
        return 1.0
    shares = [
        slowdown.factor
        for slowdown in snapshot.reactions.slowdowns
        if slowdown.scope is scope and (slowdown.until is None or now < slowdown.until)
    ]
    return min(shares, default=1.0)


def rate_share(snapshot: Snapshot, now: datetime) -> float:
    """What reactions and health leave of the rate, 0.0 to 1.0; it scales the minute's and the hour's cap
    and the gaps."""
    share = slowdown_share(snapshot, Scope.ALL, now)
    settings = snapshot.settings.health
    level = level_of(figure_at(snapshot.health, now, settings), settings)
    return share if level is HealthLevel.HEALTHY else min(share, settings.caution_factor)


def ramp_share(snapshot: Snapshot, now: datetime) -> float:
    """What the ramp after a reconnect leaves, 0.1 to 1.0 by default; it scales the minute's cap and the
    gaps."""
    if snapshot.reconnected_at is None:
        return 1.0
    settings = snapshot.settings.reconnect
    elapsed = max(0.0, (now - snapshot.reconnected_at).total_seconds())
    if elapsed >= settings.ramp_s:
        return 1.0
    return settings.start_share + (1.0 - settings.start_share) * elapsed / settings.ramp_s


def scaled(cap: int, share: float) -> int:
    """A cap at a share of itself; a cap that is not zero leaves at least one."""
    return min(cap, max(1, int(cap * share)))
