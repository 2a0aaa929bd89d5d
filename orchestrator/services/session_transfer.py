"""Moves a linked number out of Ponte and into it, without a new QR: for operators, across companies."""

from dataclasses import dataclass

from orchestrator.domain import errors
from orchestrator.domain.auth_folder import AuthFolder
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError, not_found
from orchestrator.domain.ids import make_id
from orchestrator.domain.jid import ContactId
from orchestrator.domain.session import RUNNABLE_STATES, DesiredState, Session, SessionState, Signal
from orchestrator.services.context import Context
from orchestrator.services.linked_credentials import LinkedCredentials, inspect
from orchestrator.services.names import checked_name
from orchestrator.services.session_auth import SessionAuth
from orchestrator.services.session_life import Step, lock_session, take_step
from orchestrator.store import auth_state, leases, linked_numbers, sessions
from orchestrator.store.database import SystemScope, Transaction

_ALL = SystemScope()


@dataclass(frozen=True, slots=True)
class Imported:
    """A session that was made, ready to start; `remarks` are sentences that are good to know."""

    session: Session
    remarks: tuple[str, ...]


class IncompleteFolderError(Exception):
    """A folder cannot be imported; `problems` says all that is missing or broken, one sentence each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


class SessionTransfer:
    """Works on the database alone; gateways need not be asked."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._auth = SessionAuth(context)

    async def export(self, session_id: str) -> AuthFolder:
        """All of a linked session's auth state, as of one moment.

        Raises PonteError: NOT_FOUND; SESSION_NOT_LINKED; SESSION_RUNNING while a gateway holds it or shall hold it, for
        two that connect with the same state throw each other out.
        """
        async with self._context.database.reading(_ALL) as tx:
            scope = await linked_numbers.find_company(tx, _ALL, session_id)
            record = await sessions.find_record(tx, scope, session_id) if scope else None
            if scope is None or record is None:
                raise not_found()
            if not record.session.is_linked:
                raise PonteError(errors.SESSION_NOT_LINKED)
            await self._demand_stopped(tx, scope, record.session)
            credentials = await auth_state.load_credentials(tx, scope, session_id)
            keys = await linked_numbers.list_all_keys(tx, scope, session_id)
        if credentials is None:
            raise PonteError(errors.SESSION_NOT_LINKED, "The session has no credentials; pair it again.")
        return AuthFolder(
            self._auth.open_credentials(session_id, credentials),
            [self._auth.open_key(session_id, key) for key in keys],
        )

    async def import_folder(self, scope: CompanyScope, name: str, folder: AuthFolder) -> Imported:
        """Make a session that is linked and STOPPED; all of it or nothing.

        Raises IncompleteFolderError; PonteError: NOT_FOUND for an unknown company, SESSION_LIMIT_REACHED,
        SESSION_ALREADY_LINKED where a session of any company has the number, INVALID_ARGUMENT for the name.
        """
        found = inspect(folder)
        if found.problems:
            raise IncompleteFolderError(found.problems)
        session = self._new_session(scope, checked_name(name))
        change = self._auth.seal_change(session.id, folder.credentials, folder.keys)
        async with self._context.database.transaction(_ALL) as tx:
            limit = await sessions.lock_limit(tx, scope)
            if limit is None:
                raise not_found()
            if await sessions.count(tx, scope) >= limit:
                raise PonteError(errors.SESSION_LIMIT_REACHED)
            await _demand_unused(tx, found)
            await sessions.add(tx, scope, session)
            record = await lock_session(tx, scope, session.id)
            if record is None:
                raise PonteError(errors.INTERNAL)
            await auth_state.write(tx, scope, session.id, record.fence, change, self._context.clock())
            columns: dict[str, object] = {
                "pn_jid": found.me.pn_jid,
                "lid_jid": found.me.lid_jid,
                "push_name": found.push_name[:200],
            }
            await take_step(tx, self._context, scope, record, Signal.IMPORTED, Step(columns))
            made = await sessions.find(tx, scope, session.id)
        if made is None:
            raise PonteError(errors.INTERNAL)
        return Imported(made, tuple(found.remarks))

    async def _demand_stopped(self, tx: Transaction, scope: CompanyScope, session: Session) -> None:
        if session.state in RUNNABLE_STATES:
            raise PonteError(errors.SESSION_RUNNING)
        lease = await leases.find(tx, scope, session.id, self._context.clock())
        if lease is not None:
            raise PonteError(
                errors.SESSION_RUNNING, "The session is being stopped; try again in some seconds."
            )

    def _new_session(self, scope: CompanyScope, name: str) -> Session:
        now = self._context.clock()
        return Session(
            id=make_id(now, self._context.rng),
            company_id=scope.company_id,
            name=name,
            state=SessionState.NEW,
            desired_state=DesiredState.STOP,
            me=ContactId(),
            push_name="",
            last_close=None,
            created_at=now,
            connected_at=None,
        )


async def _demand_unused(tx: Transaction, found: LinkedCredentials) -> None:
    holder = await linked_numbers.find_holder(tx, _ALL, found.me.pn_jid)
    if holder is not None:
        raise PonteError(
            errors.SESSION_ALREADY_LINKED,
            f"{found.me.phone_number} is linked to session {holder.session_id} of company {holder.company_id}, "
            f"which is {holder.state}; log that out or delete it first.",
        )
