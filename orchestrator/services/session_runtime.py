"""What gateways need of the database: leases, auth state, and a session's life as they observe it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from orchestrator.domain import errors
from orchestrator.domain.auth_state import AuthKey
from orchestrator.domain.breaker import Breaker, after_closing
from orchestrator.domain.call import CallUpdate
from orchestrator.domain.close_history import CloseHistory
from orchestrator.domain.closing import AfterClose, Closed, Connection, after_close
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError
from orchestrator.domain.imports import RawHistoryMessage
from orchestrator.domain.jid import ContactId
from orchestrator.domain.policy.signals import CappingChanged, ReachOutLocked
from orchestrator.domain.policy.signals import Signal as PolicySignal
from orchestrator.domain.presence import ShownPresence
from orchestrator.domain.session import (
    RUNNABLE_STATES,
    DesiredState,
    Lease,
    QrCode,
    Session,
    SessionState,
    Signal,
    transition,
)
from orchestrator.services import session_events
from orchestrator.services.calls import CallService
from orchestrator.services.contacts import ContactBook, Sighting
from orchestrator.services.context import Context
from orchestrator.services.history import HistoryService
from orchestrator.services.policy_life import PolicyLife
from orchestrator.services.presences import PresenceService
from orchestrator.services.session_auth import SessionAuth
from orchestrator.services.session_life import (
    NO_FAILURES,
    NO_QR,
    Step,
    breaker_columns,
    close_columns,
    history_columns,
    lock_session,
    take_step,
)
from orchestrator.store import leases, messages, sessions
from orchestrator.store.database import SystemScope, Transaction
from orchestrator.store.leases import Renewed
from orchestrator.store.sessions import SessionRecord


@dataclass(frozen=True, slots=True)
class RunPlan:
    """How a gateway goes on with a session: when to connect (None at once), the credentials where it is linked, and
    whether messages from before are wanted."""

    session: Session
    connect_at: datetime | None
    credentials_json: str | None
    history: bool


class SessionRuntime:
    """The gateways' door to sessions. What changes a session checks the fence and raises PonteError(STALE_FENCE)."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._auth = SessionAuth(context)
        self._book = ContactBook(context)
        self._calls = CallService(context)
        self._history = HistoryService(context)
        self._policy = PolicyLife(context)
        self._presences = PresenceService(context)

    # Leases

    async def claim(self, owner: str, address: str, lease_s: float, limit: int) -> list[Lease]:
        """Take at most `limit` sessions that shall run and that nobody holds, for `lease_s` seconds."""
        now = self._context.clock()
        until = now + self._context.tempo.span(lease_s)
        async with self._context.database.transaction(SystemScope()) as tx:
            return await leases.claim(tx, owner, address, now, until, limit)

    async def renew(self, owner: str, lease_s: float) -> list[Renewed]:
        """Prolong all leases of an owner; those missing in the answer are lost."""
        until = self._context.clock() + self._context.tempo.span(lease_s)
        async with self._context.database.transaction(SystemScope()) as tx:
            renewed = await leases.renew_unlocked(tx, owner, until)
            held = await leases.list_held(tx, owner)
        for session_id in set(held) - {lease.session_id for lease in renewed}:
            async with self._context.database.transaction(SystemScope()) as tx:
                renewed += await leases.renew_one(tx, owner, session_id, until)
        return renewed

    async def release(self, owner: str, session_id: str, fence: int) -> None:
        """Give a lease back, so that another gateway need not wait for its end."""

        async def release(tx: Transaction) -> None:
            await leases.release(tx, owner, session_id, fence)

        await self._context.database.shared_transaction(SystemScope(), release)

    async def release_all(self, owner: str) -> None:
        """Give back all leases of an owner, such as those of a killed process of the same name."""
        async with self._context.database.transaction(SystemScope()) as tx:
            await leases.release_all(tx, owner)

    async def find_lease(self, scope: CompanyScope, session_id: str) -> Lease | None:
        """Who holds a session now."""
        async with self._context.database.reading(scope) as tx:
            return await leases.find(tx, scope, session_id, self._context.clock())

    # Auth state

    async def load_credentials(self, scope: CompanyScope, session_id: str) -> str | None:
        """The whole credentials as BufferJSON, or None for a number that is not linked."""
        return await self._auth.load_credentials(scope, session_id)

    async def load_keys(
        self, scope: CompanyScope, session_id: str, key_type: str, names: Sequence[str]
    ) -> list[AuthKey]:
        """Those of the named keys that are stored."""
        return await self._auth.load_keys(scope, session_id, key_type, names)

    async def store_auth(
        self,
        scope: CompanyScope,
        session_id: str,
        fence: int,
        credentials: str | None,
        keys: Sequence[AuthKey],
    ) -> None:
        """Store all of it or nothing; durable on return."""
        await self._auth.store(scope, session_id, fence, credentials, keys)

    async def stored_message_proto(
        self, scope: CompanyScope, session_id: str, wa_message_id: str
    ) -> bytes | None:
        """What was sent under an id, for a recipient that could not decrypt it."""
        async with self._context.database.reading(scope) as tx:
            return await messages.find_proto(tx, scope, session_id, wa_message_id)

    async def record_names(self, scope: CompanyScope, contacts: Sequence[ContactId]) -> None:
        """Both names of some contacts became known."""

        async def learn(tx: Transaction) -> None:
            await messages.lock_company(tx, scope)
            await self._book.learn(tx, scope, [Sighting(contact) for contact in contacts])

        await self._context.database.shared_transaction(scope, learn)

    async def record_call(self, scope: CompanyScope, session_id: str, update: CallUpdate) -> None:
        """A step of a call was told; durable on return."""
        await self._calls.record(scope, session_id, update)

    async def record_presence(self, scope: CompanyScope, session_id: str, shown: ShownPresence) -> None:
        """A contact showed something."""
        await self._presences.record(scope, session_id, shown)

    async def record_history(
        self,
        scope: CompanyScope,
        session_id: str,
        fence: int,
        messages: Sequence[RawHistoryMessage],
        *,
        is_last: bool,
        on_demand: bool = False,
    ) -> None:
        """The phone told of messages from before, perhaps since it was asked; durable on return. `is_last`: it tells of
        no more."""
        await self._history.record(scope, session_id, fence, messages, is_last=is_last, on_demand=on_demand)

    # Life

    async def plan(self, scope: CompanyScope, session_id: str, fence: int) -> RunPlan | None:
        """How to go on with a held session; None where it shall not run any more.

        A session that is CONNECTED without a stream was lost by a gateway that died: it is RECONNECTING from now on.
        """

        async def look(tx: Transaction) -> SessionRecord | None:
            record = await self._held(tx, scope, session_id, fence)
            if not _shall_run(record.session):
                return None
            if record.session.state is SessionState.CONNECTED:
                await take_step(tx, self._context, scope, record, Signal.CONNECTION_LOST, Step())
                return await sessions.find_record(tx, scope, session_id)
            return record

        record = await self._context.database.shared_transaction(scope, look)
        if record is None:
            return None
        credentials = await self.load_credentials(scope, session_id)
        return RunPlan(record.session, record.reconnect_at, credentials, record.wish.days > 0)

    async def record_qr(self, scope: CompanyScope, session_id: str, fence: int, qr: QrCode) -> None:
        """A QR is on show."""
        qr = QrCode(qr.data, self._context.tempo.at(qr.expires_at))

        async def show(tx: Transaction) -> None:
            record = await self._held(tx, scope, session_id, fence)
            if record.session.state is not SessionState.PAIRING or record.qr == qr:
                return
            columns: dict[str, object] = {"qr_data": qr.data, "qr_expires_at": qr.expires_at}
            step = Step(columns, [session_events.qr_shown(session_id, qr)])
            await take_step(tx, self._context, scope, record, None, step)

        await self._context.database.shared_transaction(scope, show)

    async def record_linked(self, scope: CompanyScope, session_id: str, fence: int, me: ContactId) -> None:
        """A phone linked the number: what befell the one before is forgotten."""
        columns: dict[str, object] = {"pn_jid": me.pn_jid, "lid_jid": me.lid_jid, "start_not_before": None}
        columns |= breaker_columns(Breaker()) | history_columns(CloseHistory())
        step = Step(columns | NO_QR | NO_FAILURES)

        async def link(tx: Transaction) -> None:
            record = await self._held(tx, scope, session_id, fence)
            await take_step(tx, self._context, scope, record, Signal.LINKED, step)
            await self._policy.linked(tx, scope, session_id)

        await self._context.database.shared_transaction(scope, link)

    async def record_connected(
        self, scope: CompanyScope, session_id: str, fence: int, me: ContactId, push_name: str
    ) -> SessionState:
        """The connection is usable: what waits is sent."""
        columns: dict[str, object] = {"connected_at": self._context.clock(), "reconnect_at": None}
        columns |= {name: value for name, value in _names(me, push_name).items() if value}
        step = Step(columns, [session_events.connected(session_id, me, push_name)])

        async def open_(tx: Transaction) -> SessionState:
            record = await self._held(tx, scope, session_id, fence)
            if record.session.state is SessionState.CONNECTING:
                # Only restarts that WhatsApp asked for came before it: nothing has failed.
                columns["reconnect_failures"] = 0
            await self._policy.connected(tx, scope, session_id, record.session.state)
            return await take_step(tx, self._context, scope, record, Signal.OPENED, step)

        state = await self._context.database.shared_transaction(scope, open_)
        await self._context.bells.messages_due(scope, session_id)
        return state

    async def record_standing(
        self, scope: CompanyScope, session_id: str, fence: int, signals: Sequence[PolicySignal]
    ) -> None:
        """WhatsApp said how it sees the number, or limited a query."""
        told = [self._in_our_time(signal) for signal in signals]

        async def tell(tx: Transaction) -> None:
            await self._held(tx, scope, session_id, fence)
            await self._policy.told(tx, scope, session_id, told)

        await self._context.database.shared_transaction(scope, tell)

    async def record_closed(
        self, scope: CompanyScope, session_id: str, fence: int, closed: Closed, connected_for_s: float
    ) -> AfterClose:
        """A connection ended after being usable for so long (0 for never); says when to connect again."""

        async def close(tx: Transaction) -> AfterClose:
            record = await self._held(tx, scope, session_id, fence)
            before = record.session.state
            connection = Connection(before, record.reconnect_failures, connected_for_s, record.history)
            now = self._context.clock()
            after = after_close(closed, connection, now, self._context.rng)
            step = Step(_reconnect_columns(after, now) | history_columns(after.history))
            if after.signal is not None and transition(before, after.signal) is not None:
                step.changes |= close_columns(self._context, closed, after)
                step.changes |= breaker_columns(after_closing(record.breaker, after.breaker))
            if _is_news(before, after):
                step.events.append(session_events.closed(session_id, closed, after, now))
            if after.begins_loop:
                step.events.append(session_events.reconnect_loop(session_id, closed, after))
            await take_step(tx, self._context, scope, record, after.signal, step)
            await self._policy.closed(tx, scope, session_id, before, closed)
            return after

        return await self._context.database.shared_transaction(scope, close)

    async def record_left(self, scope: CompanyScope, session_id: str, fence: int) -> None:
        """Its gateway ended the stream in good order, and gives the session to whichever comes next."""

        async def leave(tx: Transaction) -> None:
            record = await self._held(tx, scope, session_id, fence)
            if record.session.state is SessionState.CONNECTED:
                await take_step(
                    tx, self._context, scope, record, Signal.CONNECTION_LOST, Step(dict(NO_FAILURES))
                )

        await self._context.database.shared_transaction(scope, leave)

    def _in_our_time(self, signal: PolicySignal) -> PolicySignal:
        match signal:
            case ReachOutLocked(until=datetime() as until):
                return ReachOutLocked(self._context.tempo.at(until))
            case CappingChanged(cycle_ends_at=datetime() as end):
                return replace(signal, cycle_ends_at=self._context.tempo.at(end))
        return signal

    async def _held(self, tx: Transaction, scope: CompanyScope, session_id: str, fence: int) -> SessionRecord:
        record = await lock_session(tx, scope, session_id)
        if record is None or record.fence != fence:
            raise PonteError(errors.STALE_FENCE)
        return record


def _reconnect_columns(after: AfterClose, now: datetime) -> dict[str, object]:
    if after.reconnect_in_s is None:
        return dict(NO_FAILURES)
    return {
        "reconnect_failures": after.failures,
        "reconnect_at": now + timedelta(seconds=after.reconnect_in_s),
    }


def _shall_run(session: Session) -> bool:
    return session.desired_state is DesiredState.RUN and session.state in RUNNABLE_STATES


def _is_news(before: SessionState, after: AfterClose) -> bool:
    """A session that tries in vain to connect again is told of once; so is one that a person has ended meanwhile."""
    if after.signal is None or transition(before, after.signal) is None:
        return False
    return after.permanent or before is not SessionState.RECONNECTING


def _names(me: ContactId, push_name: str) -> dict[str, str]:
    return {"pn_jid": me.pn_jid, "lid_jid": me.lid_jid, "push_name": push_name}
