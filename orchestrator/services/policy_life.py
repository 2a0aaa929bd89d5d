"""What a session's life means for the sending policy: links, connections, closes, and a person who resumes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from orchestrator.domain.close_codes import RESTART_CODE
from orchestrator.domain.closing import Closed
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.policy.reactions import UNKNOWN_CYCLE, react, resume
from orchestrator.domain.policy.signals import (
    CappingChanged,
    Disconnected,
    Locked,
    LoggedOut,
    Signal,
    TemporarilyBanned,
)
from orchestrator.domain.policy.snapshot import NewChatQuota
from orchestrator.domain.policy.warm_up import begin
from orchestrator.domain.session import SessionState
from orchestrator.services.context import Context, SendingLimits
from orchestrator.services.policy_memory import load_policy, save_policy
from orchestrator.services.policy_state import PolicyState
from orchestrator.store import policy_delays
from orchestrator.store.database import Transaction

_OWN_REASONS = frozenset({"bridge_lost", "auth_store_failed", "inbound_store_failed", "ended"})
_UNLINKED_BY_USER = "conflict"
"""Baileys' word for the stream error by which a phone removes a linked device (device_removed)."""


class PolicyLife:
    """Notes what befalls a session whose row is locked. Does nothing where limits are lifted."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def linked(self, tx: Transaction, scope: CompanyScope, session_id: str) -> None:
        """A number was linked: its warm-up begins. The risk of the link before stays, and a person is at hand."""
        if self._lifted:
            return
        now = self._context.clock()
        memory = await load_policy(tx, self._context, scope, session_id, now)
        standing = resume(memory.state.standing, now, memory.settings)
        after = replace(memory.state.with_standing(standing), warm_up=begin(now), reconnected_at=None)
        await save_policy(tx, self._context, scope, session_id, memory, after, now)

    async def connected(
        self, tx: Transaction, scope: CompanyScope, session_id: str, before: SessionState
    ) -> None:
        """The connection is usable; after a reconnect the rate grows slowly."""
        if self._lifted or before is not SessionState.RECONNECTING:
            return
        now = self._context.clock()
        memory = await load_policy(tx, self._context, scope, session_id, now)
        after = replace(memory.state, reconnected_at=now)
        await save_policy(tx, self._context, scope, session_id, memory, after, now)

    async def closed(
        self, tx: Transaction, scope: CompanyScope, session_id: str, before: SessionState, closed: Closed
    ) -> None:
        """The connection ended: the reaction table's row for its code."""
        if self._lifted:
            return
        now = self._context.clock()
        signal = _signal_of(before, closed)
        if signal is None:
            return
        if isinstance(signal, TemporarilyBanned) and closed.expires_in_s:
            signal = TemporarilyBanned(now + timedelta(seconds=closed.expires_in_s))
        memory = await load_policy(tx, self._context, scope, session_id, now)
        standing = react(memory.state.standing, [signal], now, memory.settings)
        after = memory.state.with_standing(standing)
        await save_policy(tx, self._context, scope, session_id, memory, after, now)

    async def told(
        self, tx: Transaction, scope: CompanyScope, session_id: str, signals: Sequence[Signal]
    ) -> None:
        """WhatsApp said how it sees the number, or limited a query: what waits is decided on anew."""
        if self._lifted:
            return
        now = self._context.clock()
        memory = await load_policy(tx, self._context, scope, session_id, now)
        after = memory.state.with_standing(react(memory.state.standing, signals, now, memory.settings))
        for signal in signals:
            if isinstance(signal, CappingChanged):
                after = replace(after, new_chat_quota=_quota(signal, now))
        if after == memory.state:
            return
        await save_policy(tx, self._context, scope, session_id, memory, after, now)
        if _freed(memory.state, after):
            await policy_delays.ask_again(tx, scope, session_id, now)
            bells = self._context.bells
            tx.after_commit(lambda: bells.messages_due(scope, session_id))

    async def resumed(self, tx: Transaction, scope: CompanyScope, session_id: str) -> None:
        """A person started the session: what waited for that goes on."""
        if self._lifted:
            return
        now = self._context.clock()
        memory = await load_policy(tx, self._context, scope, session_id, now)
        after = memory.state.with_standing(resume(memory.state.standing, now, memory.settings))
        await save_policy(tx, self._context, scope, session_id, memory, after, now)
        await policy_delays.ask_again(tx, scope, session_id, now)

    @property
    def _lifted(self) -> bool:
        return self._context.sending_limits is SendingLimits.LIFTED


def _signal_of(before: SessionState, closed: Closed) -> Signal | None:
    if closed.intentional or before is SessionState.PAIRING or closed.reason in _OWN_REASONS:
        return None
    if closed.reason != "upgrade_refused":
        if closed.code == 401:
            return LoggedOut(on_purpose=_UNLINKED_BY_USER in closed.detail)
        if closed.code == 402:
            return TemporarilyBanned(None)
        if closed.code in (403, 406):
            return Locked()
    was_usable = before is SessionState.CONNECTED
    return Disconnected() if was_usable and closed.code != RESTART_CODE else None


def _quota(capping: CappingChanged, now: datetime) -> NewChatQuota | None:
    if capping.left is None:
        return None
    return NewChatQuota(capping.left, ends_at=capping.cycle_ends_at or now + UNKNOWN_CYCLE)


def _freed(before: PolicyState, after: PolicyState) -> bool:
    """A pause or the quota is not what it was: who waits for it may go sooner."""
    return (before.reactions.pauses, before.new_chat_quota) != (after.reactions.pauses, after.new_chat_quota)
