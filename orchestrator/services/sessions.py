"""Sessions of a company: make, look up, pair, start, stop, log out, delete."""

import asyncio
from dataclasses import replace

from loguru import logger

from orchestrator.domain import errors
from orchestrator.domain.breaker import resume
from orchestrator.domain.closing import AfterClose, Closed
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError, invalid_field, not_found
from orchestrator.domain.ids import is_id, make_id
from orchestrator.domain.imports import HistoryWish
from orchestrator.domain.jid import ContactId
from orchestrator.domain.page import Page, PageRequest
from orchestrator.domain.session import (
    DesiredState,
    QrCode,
    Session,
    SessionState,
    Signal,
    transition,
)
from orchestrator.services import session_events
from orchestrator.services.context import Context
from orchestrator.services.import_progress import ImportProgress
from orchestrator.services.policy_life import PolicyLife
from orchestrator.services.ports import GatewayPort
from orchestrator.services.session_life import (
    NO_FAILURES,
    Step,
    breaker_columns,
    close_columns,
    lock_session,
    take_step,
)
from orchestrator.services.session_pairing import PairingMethod, PairingOffer, SessionPairing
from orchestrator.store import leases, sessions
from orchestrator.store.database import Transaction
from orchestrator.store.idempotency import hash_request, remember
from orchestrator.store.sessions import SessionRecord

LONGEST_NAME = 200

_LET_GO_S = 8.0
"""How long a start waits for the end of an earlier stop: as long as a gateway gives a bridge, and a moment more."""

_LOOK_EVERY_S = 0.05

_NO_HISTORY = HistoryWish()
_STOPPED = Closed(0, "stopped", intentional=True)
_PAIRING_CANCELLED = Closed(0, "pairing_cancelled", intentional=True)
_LOGGED_OUT = Closed(401, "logged_out", intentional=True)


class SessionService:
    """Every method raises the same PonteError(NOT_FOUND) for an unknown, a deleted and another company's session."""

    def __init__(self, context: Context, gateway: GatewayPort) -> None:
        self._context = context
        self._gateway = gateway
        self._pairing = SessionPairing(context, gateway)
        self._policy = PolicyLife(context)
        self._imports = ImportProgress(context)

    async def create(self, scope: CompanyScope, name: str, idempotency_key: str = "") -> Session:
        """Make a session that no number is linked to. Raises SESSION_LIMIT_REACHED, INVALID_ARGUMENT."""
        name = name.strip()
        if not 0 < len(name) <= LONGEST_NAME or "\0" in name:
            raise invalid_field(errors.INVALID_ARGUMENT, "name", f"Give 1 to {LONGEST_NAME} characters.")
        now = self._context.clock()
        session = Session(
            id=make_id(now, self._context.rng),
            company_id=scope.company_id,
            name=name,
            state=SessionState.NEW,
            desired_state=DesiredState.RUN,
            me=ContactId(),
            push_name="",
            last_close=None,
            created_at=now,
            connected_at=None,
        )

        async def add(tx: Transaction) -> Session:
            limit = await sessions.lock_limit(tx, scope)
            if limit is None:
                raise not_found()
            request = hash_request(name)
            earlier = await remember(
                tx, scope, idempotency_key, "CreateSession", request, session.id, now=now
            )
            if earlier is not None:
                return await _find(tx, scope, earlier.resource_id)
            if await sessions.count(tx, scope) >= limit:
                raise PonteError(errors.SESSION_LIMIT_REACHED)
            await sessions.add(tx, scope, session)
            return session

        return await self._context.database.shared_transaction(scope, add)

    async def get(self, scope: CompanyScope, session_id: str) -> Session:
        """Look a session up."""
        return (await self._look_up(scope, session_id)).seen_at(self._context.clock())

    async def list(self, scope: CompanyScope, page: PageRequest) -> Page[Session]:
        """The company's sessions, newest first."""
        async with self._context.database.reading(scope) as tx:
            found = await sessions.list_page(tx, scope, page)
        now = self._context.clock()
        return replace(found, items=[session.seen_at(now) for session in found.items])

    async def resolve(self, scope: CompanyScope, session_id: str) -> Session:
        """The session named, or the company's only one where none is. Raises SESSION_AMBIGUOUS."""
        if session_id:
            return await self.get(scope, session_id)
        async with self._context.database.reading(scope) as tx:
            found = await sessions.list_first(tx, scope, 2)
        if not found:
            raise not_found()
        if len(found) > 1:
            raise PonteError(errors.SESSION_AMBIGUOUS)
        return found[0]

    async def pair(
        self,
        scope: CompanyScope,
        session_id: str,
        method: PairingMethod,
        phone_number: str = "",
        custom_code: str = "",
        wish: HistoryWish = _NO_HISTORY,
    ) -> PairingOffer:
        """Show a QR or a code with which a phone links itself; see SessionPairing.pair."""
        _check_id(session_id)
        return await self._pairing.pair(scope, session_id, method, phone_number, custom_code, wish)

    async def qr(self, scope: CompanyScope, session_id: str) -> QrCode:
        """The QR on show now. Raises QR_NOT_AVAILABLE."""
        _check_id(session_id)
        return await self._pairing.qr(scope, session_id)

    async def start(self, scope: CompanyScope, session_id: str) -> Session:
        """Connect a linked session, also one that was replaced or banned; its first message probes then.

        Raises SESSION_NOT_LINKED; SESSION_BANNED until a day after a temporary ban has ended.
        """
        await self._wait_until_let_go(scope, session_id)

        async def start(tx: Transaction) -> Session:
            record = await self._lock(tx, scope, session_id)
            if transition(record.session.state, Signal.START_REQUESTED) is None:
                raise PonteError(errors.SESSION_NOT_LINKED)
            self._demand_rested(record.session)
            columns = {"desired_state": str(DesiredState.RUN)} | NO_FAILURES
            step = Step(columns | breaker_columns(resume(record.breaker)))
            await take_step(tx, self._context, scope, record, Signal.START_REQUESTED, step)
            await self._policy.resumed(tx, scope, session_id)
            return await self._changed(tx, scope, session_id)

        return await self._context.database.shared_transaction(scope, start)

    async def _wait_until_let_go(self, scope: CompanyScope, session_id: str) -> None:
        """Let the gateway end what a stop just before has left.

        It would not see that stop any more, keep its connection, and never report that it is connected.
        """
        deadline = asyncio.get_running_loop().time() + _LET_GO_S
        while asyncio.get_running_loop().time() < deadline:
            async with self._context.database.reading(scope) as tx:
                record = await sessions.find_record(tx, scope, session_id)
                lease = await leases.find(tx, scope, session_id, self._context.clock())
            if record is None or record.session.state is not SessionState.STOPPED or lease is None:
                return
            await asyncio.sleep(_LOOK_EVERY_S)

    async def stop(self, scope: CompanyScope, session_id: str) -> Session:
        """End the connection and keep the number linked; a pairing is ended."""

        async def stop(tx: Transaction) -> Session:
            record = await self._lock(tx, scope, session_id)
            if record.session.state is SessionState.PAIRING:
                await self._cancel_pairing(tx, scope, record)
            else:
                after = AfterClose(Signal.STOP_REQUESTED, None, 0, "Start the session to connect again.")
                await self._end(tx, scope, record, _STOPPED, after)
            return await self._changed(tx, scope, session_id)

        return await self._context.database.shared_transaction(scope, stop)

    async def _cancel_pairing(self, tx: Transaction, scope: CompanyScope, record: SessionRecord) -> None:
        """A phone that scans at the same moment must not link the session any more: its gateway may write no more."""
        after = AfterClose(Signal.STOP_REQUESTED, None, 0, "Pair the session when a number is to be linked.")
        await self._end(tx, scope, record, _PAIRING_CANCELLED, after)
        await sessions.revoke_lease(tx, scope, record.session.id)

    def _demand_rested(self, session: Session) -> None:
        rested_at = session.last_close.start_not_before if session.last_close else None
        left_s = (rested_at - self._context.clock()).total_seconds() if rested_at else 0.0
        if rested_at and left_s > 0:
            detail = f"WhatsApp banned the number for a time; it can be started from {rested_at:%Y-%m-%d %H:%M} UTC on."
            raise PonteError(errors.SESSION_BANNED, detail, retry_after_s=left_s)

    async def logout(self, scope: CompanyScope, session_id: str) -> Session:
        """Remove the linked device at WhatsApp where the session is connected, and forget its credentials."""
        session = await self._look_up(scope, session_id)
        await self._remove_device(scope, session)

        async def forget(tx: Transaction) -> Session:
            await self._forget(tx, scope, await self._lock(tx, scope, session_id))
            return await self._changed(tx, scope, session_id)

        return await self._context.database.shared_transaction(scope, forget)

    async def delete(self, scope: CompanyScope, session_id: str) -> None:
        """Log out, end its imports and remove the session; its messages and events stay."""
        session = await self._look_up(scope, session_id)
        await self._remove_device(scope, session)

        async def remove(tx: Transaction) -> None:
            await self._forget(tx, scope, await self._lock(tx, scope, session_id))
            await self._changed(tx, scope, session_id)
            await self._imports.cancel_all(tx, scope, session_id)
            await sessions.change(tx, scope, session_id, {"deleted_at": self._context.clock()})

        await self._context.database.shared_transaction(scope, remove)

    async def _look_up(self, scope: CompanyScope, session_id: str) -> Session:
        _check_id(session_id)
        async with self._context.database.reading(scope) as tx:
            return await _find(tx, scope, session_id)

    async def _remove_device(self, scope: CompanyScope, session: Session) -> None:
        if session.state is not SessionState.CONNECTED:
            return
        try:
            await self._gateway.logout(scope, session.id)
        except PonteError as error:
            # The phone still shows the device; a person can remove it there.
            logger.bind(company_id=scope.company_id, session_id=session.id).warning(
                "The device could not be removed at WhatsApp: {}", error
            )

    async def _forget(self, tx: Transaction, scope: CompanyScope, record: SessionRecord) -> None:
        after = AfterClose(Signal.LOGGED_OUT, None, 0, "Pair the session to link a number again.")
        await self._end(tx, scope, record, _LOGGED_OUT, after)
        await sessions.revoke_lease(tx, scope, record.session.id)

    async def _end(
        self, tx: Transaction, scope: CompanyScope, record: SessionRecord, closed: Closed, after: AfterClose
    ) -> None:
        """Want it stopped; where that changes its state, say why."""
        step = Step({"desired_state": str(DesiredState.STOP)} | NO_FAILURES)
        before = record.session.state
        if after.signal and transition(before, after.signal) not in (None, before):
            step.changes |= close_columns(self._context, closed, after)
            now = self._context.clock()
            step.events.append(session_events.closed(record.session.id, closed, after, now))
        await take_step(tx, self._context, scope, record, after.signal, step)

    async def _lock(self, tx: Transaction, scope: CompanyScope, session_id: str) -> SessionRecord:
        _check_id(session_id)
        record = await lock_session(tx, scope, session_id)
        if record is None:
            raise not_found()
        return record

    async def _changed(self, tx: Transaction, scope: CompanyScope, session_id: str) -> Session:
        tx.after_commit(lambda: self._context.bells.session_changed(scope, session_id))
        return await _find(tx, scope, session_id)


def _check_id(session_id: str) -> None:
    if not is_id(session_id):
        raise not_found()


async def _find(tx: Transaction, scope: CompanyScope, session_id: str) -> Session:
    session = await sessions.find(tx, scope, session_id)
    if session is None:
        raise not_found()
    return session
