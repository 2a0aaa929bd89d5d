"""The sending policy as callers see it: figures and their changes, a session's health, the audit log."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from orchestrator.domain import errors
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import FieldViolation, PonteError, invalid_field, not_found
from orchestrator.domain.policy.figures import FIGURES, HARD_CEILINGS, Figure, Value, shown
from orchestrator.domain.policy.health import HealthEvent, HealthLevel, figure_at
from orchestrator.domain.policy.overrides import loosened, with_overrides
from orchestrator.domain.policy.reaction_state import Pause, Slowdown
from orchestrator.domain.policy.settings import DEFAULTS, PolicySettings
from orchestrator.domain.policy.warm_up import day_at, declare_mature
from orchestrator.services.context import Context
from orchestrator.services.policy_memory import PolicyMemory, load_policy, save_policy
from orchestrator.services.policy_settings import (
    FigureValue,
    Override,
    base_settings,
    dump_overrides,
    settings_with,
)
from orchestrator.services.policy_state import load_state
from orchestrator.services.suppressing import audit_entry
from orchestrator.store import audit, messages, policy_delays, sessions
from orchestrator.store import policy as policy_store
from orchestrator.store.database import Transaction

LONGEST_REASON = 300
LONGEST_RAISE = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class HeldFigure:
    """A figure as it holds for a session; `override` is None for a default."""

    figure: Figure
    value: Value
    default: Value
    override: Override | None


@dataclass(frozen=True, slots=True)
class SessionPolicy:
    """What holds for a session now."""

    session_id: str
    settings: PolicySettings
    warm_up_day: int
    declared_mature: bool
    figures: tuple[HeldFigure, ...]


@dataclass(frozen=True, slots=True)
class SessionHealth:
    """A session's risk figure (0 to 100) and level, what moved it, and what is in force."""

    score: float
    level: str
    events: tuple[HealthEvent, ...]
    pauses: tuple[Pause, ...]
    slowdowns: tuple[Slowdown, ...]


class PolicyService:
    """Every method raises NOT_FOUND for an unknown, a deleted and another company's session."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def get(self, scope: CompanyScope, session_id: str) -> SessionPolicy:
        """Give the figures that hold for a session."""
        async with self._context.database.reading(scope) as tx:
            await self._demand(tx, scope, session_id)
            return self._shown(session_id, await self._load(tx, scope, session_id))

    async def health(self, scope: CompanyScope, session_id: str) -> SessionHealth:
        """Give a session's health."""
        now = self._context.clock()
        async with self._context.database.reading(scope) as tx:
            await self._demand(tx, scope, session_id)
            memory = await self._load(tx, scope, session_id)
        state = memory.state
        return SessionHealth(
            score=round(figure_at(state.health, now, memory.settings.health), 1),
            level=state.level(now, memory.settings).value,
            events=state.health.events,
            pauses=tuple(one for one in state.reactions.pauses if one.until is None or now < one.until),
            slowdowns=tuple(one for one in state.reactions.slowdowns if one.until is None or now < one.until),
        )

    async def scores(self, scope: CompanyScope, session_ids: Collection[str]) -> dict[str, tuple[float, str]]:
        """Give the score and level of sessions; one that nothing happened to has the best."""
        now, settings = self._context.clock(), base_settings(self._context)
        async with self._context.database.reading(scope) as tx:
            stored = await policy_store.read_states(tx, scope, session_ids)
        states = {id_: load_state(text, now) for id_, text in stored.items()}
        known = {
            id_: (round(figure_at(state.health, now, settings.health), 1), state.level(now, settings).value)
            for id_, state in states.items()
        }
        return {id_: known.get(id_, (0.0, HealthLevel.HEALTHY.value)) for id_ in session_ids}

    async def update(
        self, scope: CompanyScope, session_id: str, figures: Mapping[str, str], actor: str
    ) -> SessionPolicy:
        """Make figures stricter, or put them back to their defaults where the value is empty.

        Raises INVALID_ARGUMENT for an unknown, malformed or looser figure.
        """
        return await self._change(scope, session_id, figures, actor, "", None)

    async def raise_(
        self,
        scope: CompanyScope,
        session_id: str,
        figures: Mapping[str, str],
        actor: str,
        reason: str,
        expires_at: datetime | None,
    ) -> SessionPolicy:
        """Change figures as the administrator: up to the hard ceilings, with a reason and until `expires_at`.

        Raises INVALID_ARGUMENT.
        """
        now = self._context.clock()
        if not 0 < len(reason.strip()) <= LONGEST_REASON:
            raise invalid_field(errors.INVALID_ARGUMENT, "reason", f"Give 1 to {LONGEST_REASON} characters.")
        if expires_at is None or not now < expires_at <= now + LONGEST_RAISE:
            raise invalid_field(errors.INVALID_ARGUMENT, "expires_at", "Give a time within a year.")
        return await self._change(scope, session_id, figures, actor, reason.strip(), expires_at)

    async def declare_mature(
        self, scope: CompanyScope, session_id: str, actor: str, reason: str
    ) -> SessionPolicy:
        """Say as the administrator that the number needs no warm-up. Raises INVALID_ARGUMENT."""
        if not 0 < len(reason.strip()) <= LONGEST_REASON:
            raise invalid_field(errors.INVALID_ARGUMENT, "reason", f"Give 1 to {LONGEST_REASON} characters.")

        async def declare(tx: Transaction) -> SessionPolicy:
            now = self._context.clock()
            await self._lock(tx, scope, session_id)
            memory = await self._load(tx, scope, session_id)
            state = memory.state
            after = replace(state, warm_up=declare_mature(state.warm_up))
            await save_policy(tx, self._context, scope, session_id, memory, after, now)
            detail: dict[str, object] = {"reason": reason.strip()}
            entry = audit_entry(self._context, actor, "policy.declared_mature", session_id, detail)
            await audit.append(tx, scope, [entry])
            await self._ask_again(tx, scope, session_id, now)
            return self._shown(session_id, await self._load(tx, scope, session_id))

        return await self._context.database.shared_transaction(scope, declare)

    async def _change(
        self,
        scope: CompanyScope,
        session_id: str,
        figures: Mapping[str, str],
        actor: str,
        reason: str,
        expires_at: datetime | None,
    ) -> SessionPolicy:
        """Change figures; without a reason only to stricter ones than hold now."""

        async def change(tx: Transaction) -> SessionPolicy:
            now = self._context.clock()
            await self._lock(tx, scope, session_id)
            memory = await self._load(tx, scope, session_id)
            kept = [one for one in memory.overrides if one.path not in figures and one.holds(now)]
            new = [
                Override(path, _read(path, text), actor, reason, expires_at)
                for path, text in figures.items()
                if text
            ]
            base = base_settings(self._context)
            values = {one.path: one.value for one in [*kept, *new]}
            after = with_overrides(base, values, HARD_CEILINGS if base.enforced else {})
            if not reason:
                without = settings_with(base, [one for one in kept if one.reason == ""], now)
                _demand_stricter(without, after, figures)
            await policy_store.save_overrides(tx, scope, session_id, dump_overrides([*kept, *new]), now)
            detail: dict[str, object] = {"figures": dict(figures), "reason": reason, "version": base.version}
            if expires_at is not None:
                detail["expires_at"] = expires_at.isoformat()
            action = "policy.raised" if reason else "policy.updated"
            await audit.append(tx, scope, [audit_entry(self._context, actor, action, session_id, detail)])
            await self._ask_again(tx, scope, session_id, now)
            return self._shown(session_id, await self._load(tx, scope, session_id))

        return await self._context.database.shared_transaction(scope, change)

    async def _ask_again(self, tx: Transaction, scope: CompanyScope, session_id: str, now: datetime) -> None:
        await policy_delays.ask_again(tx, scope, session_id, now)
        bells = self._context.bells
        tx.after_commit(lambda: bells.messages_due(scope, session_id))

    async def _demand(self, tx: Transaction, scope: CompanyScope, session_id: str) -> None:
        if await sessions.find_record(tx, scope, session_id) is None:
            raise not_found()

    async def _lock(self, tx: Transaction, scope: CompanyScope, session_id: str) -> None:
        await messages.lock_company(tx, scope)
        if await sessions.lock_record(tx, scope, session_id) is None:
            raise not_found()

    async def _load(self, tx: Transaction, scope: CompanyScope, session_id: str) -> PolicyMemory:
        return await load_policy(tx, self._context, scope, session_id, self._context.clock())

    def _shown(self, session_id: str, memory: PolicyMemory) -> SessionPolicy:
        now = self._context.clock()
        in_force = {one.path: one for one in memory.overrides if one.holds(now)}
        figures = tuple(
            HeldFigure(figure, shown(memory.settings, path), shown(DEFAULTS, path), in_force.get(path))
            for path, figure in FIGURES.items()
        )
        warm_up = memory.state.warm_up
        day = day_at(warm_up, now, memory.settings.warm_up)
        return SessionPolicy(session_id, memory.settings, day, warm_up.declared_mature, figures)


def _demand_stricter(before: PolicySettings, after: PolicySettings, figures: Mapping[str, str]) -> None:
    looser = [
        path for path in loosened(DEFAULTS, after) if path in figures and path in loosened(before, after)
    ]
    if looser:
        sentence = "Looser than the default: the administrator may raise it, with a reason and an expiry."
        raise PonteError(
            errors.INVALID_ARGUMENT,
            violations=tuple(FieldViolation(f"figures.{path}", sentence) for path in looser),
        )


def _read(path: str, text: str) -> FigureValue:
    """A value as callers write it: a number, numbers with commas between, or a time."""
    parts = [part.strip() for part in text.split(",")]
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        return text
    whole = [int(number) if number.is_integer() else number for number in numbers]
    if len(whole) == 1:
        return whole[0]
    if not all(isinstance(number, int) for number in whole):
        raise invalid_field(errors.INVALID_ARGUMENT, f"figures.{path}", "Give whole numbers.")
    return tuple(int(number) for number in whole)
