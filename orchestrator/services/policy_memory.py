"""Reading and writing what the sending policy remembers of a session. The session's row is held meanwhile."""

from dataclasses import dataclass
from datetime import datetime

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.policy.settings import PolicySettings
from orchestrator.services.context import Context
from orchestrator.services.policy_health import note_standing
from orchestrator.services.policy_settings import Override, base_settings, load_overrides, settings_with
from orchestrator.services.policy_state import PolicyState, dump_state, load_state
from orchestrator.store import policy as policy_store
from orchestrator.store.database import Transaction


@dataclass(frozen=True, slots=True)
class PolicyMemory:
    """A session's policy: its state with the warm-up of now, the figures that hold, and what was changed for it."""

    stored: str
    state: PolicyState
    settings: PolicySettings
    overrides: tuple[Override, ...]


async def load_policy(
    tx: Transaction, context: Context, scope: CompanyScope, session_id: str, now: datetime
) -> PolicyMemory:
    """Read a session's policy. Raises LookupError where there is no such session."""
    record = await policy_store.read(tx, scope, session_id)
    if record is None:
        raise LookupError(f"no session {session_id}")
    overrides = load_overrides(record.overrides)
    settings = settings_with(base_settings(context), overrides, now)
    state = load_state(record.state, record.session_since).settled(now, settings)
    return PolicyMemory(record.state, state, settings, overrides)


async def save_policy(
    tx: Transaction,
    context: Context,
    scope: CompanyScope,
    session_id: str,
    memory: PolicyMemory,
    after: PolicyState,
    now: datetime,
) -> None:
    """Write what changed, and tell of it where health or reactions did."""
    await note_standing(tx, context, scope, session_id, (memory.state, after), now, memory.settings)
    stored = dump_state(after)
    if stored != memory.stored:
        await policy_store.save_state(tx, scope, session_id, stored, now)
