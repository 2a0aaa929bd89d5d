"""Moving linked numbers in and out of the database."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from orchestrator.domain.auth_folder import AuthFolder
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError
from orchestrator.domain.session import DesiredState, SessionState
from orchestrator.services.context import Context
from orchestrator.services.session_auth import SessionAuth
from orchestrator.services.session_transfer import IncompleteFolderError, SessionTransfer
from orchestrator.store import events, leases, sessions
from orchestrator.store.database import SystemScope
from orchestrator.store.models import AuthKeyRow, SessionRow
from tests.support.auth_folder import linked_credentials, linked_folder
from tests.support.bells import RecordingBells
from tests.support.clock import ManualClock
from tests.support.factories import OWN_NUMBER, Factories


@pytest.fixture
def transfer(context: Context) -> SessionTransfer:
    """The service under test."""
    return SessionTransfer(context)


async def refused(call: object) -> str:
    with pytest.raises(PonteError) as caught:
        await call  # type: ignore[misc]  # any coroutine
    return caught.value.code.name


def by_name(folder: AuthFolder) -> dict[tuple[str, str], str | None]:
    return {(key.type, key.name): key.value for key in folder.keys}


async def test_what_was_imported_is_stopped_linked_and_exports_as_it_was(
    context: Context, make: Factories, transfer: SessionTransfer, bells: RecordingBells
) -> None:
    scope, folder = await make.company(), linked_folder()

    imported = await transfer.import_folder(scope, " Sales ", folder)

    session = imported.session
    assert (session.state, session.desired_state) == (SessionState.STOPPED, DesiredState.STOP)
    assert (session.name, session.push_name, session.me.phone_number) == ("Sales", "Acme", OWN_NUMBER)
    assert session.me.lid_jid == "95511900000001@lid"
    async with context.database.reading(scope) as tx:
        recorded = await events.list_after(tx, scope, 0, 10, (), "")
    assert [event.data for event in recorded] == [{"state": "STOPPED", "previous_state": "NEW"}]
    assert bells.events == [scope.company_id]
    exported = await transfer.export(session.id)
    assert exported.credentials == folder.credentials
    assert by_name(exported) == by_name(folder)


async def test_nothing_is_left_of_an_import_that_was_refused(
    context: Context, make: Factories, transfer: SessionTransfer
) -> None:
    scope = await make.company(max_sessions=1)
    broken = linked_folder({**linked_credentials(), "me": None})
    with pytest.raises(IncompleteFolderError, match=r"me\.id is missing"):
        await transfer.import_folder(scope, "Sales", broken)
    assert await refused(transfer.import_folder(scope, " ", linked_folder())) == "INVALID_ARGUMENT"
    nobody = CompanyScope("00000000-0000-7000-8000-000000000000")
    assert await refused(transfer.import_folder(nobody, "Sales", linked_folder())) == "NOT_FOUND"
    await make.session(scope)
    assert await refused(transfer.import_folder(scope, "Sales", linked_folder())) == "SESSION_LIMIT_REACHED"

    async with context.database.reading(SystemScope()) as tx:
        for row, count in ((SessionRow, 1), (AuthKeyRow, 0)):
            query = select(func.count()).select_from(row)
            assert (await tx.connection.execute(query)).scalar_one() == count


@pytest.mark.parametrize("state", [SessionState.CONNECTED, SessionState.STOPPED, SessionState.REPLACED])
async def test_a_number_that_another_session_has_is_refused_whoever_it_belongs_to(
    make: Factories, transfer: SessionTransfer, state: SessionState
) -> None:
    mine, theirs = await make.company(), await make.company("Other")
    other = await make.linked_session(theirs, state=state.value)

    with pytest.raises(PonteError, match="log that out or delete it first") as caught:
        await transfer.import_folder(mine, "Sales", linked_folder())

    assert caught.value.code.name == "SESSION_ALREADY_LINKED"
    assert other.id in caught.value.sentence


async def test_a_number_that_was_logged_out_or_deleted_here_may_come_back(
    context: Context, make: Factories, transfer: SessionTransfer
) -> None:
    scope = await make.company()
    await make.linked_session(scope, state=SessionState.LOGGED_OUT.value)
    await make.linked_session(scope, deleted_at=context.clock())

    first = await transfer.import_folder(scope, "Sales", linked_folder())
    other = linked_folder(linked_credentials("+5511900000002"))
    second = await transfer.import_folder(scope, "Support", other)

    assert first.session.id != second.session.id


@pytest.mark.parametrize(
    "state", [SessionState.CONNECTING, SessionState.CONNECTED, SessionState.RECONNECTING]
)
async def test_a_running_session_is_not_exported(
    make: Factories, transfer: SessionTransfer, state: SessionState
) -> None:
    session = await make.linked_session(await make.company(), state=state.value)

    assert await refused(transfer.export(session.id)) == "SESSION_RUNNING"


async def test_a_session_is_exported_once_its_gateway_has_let_go(
    context: Context, make: Factories, transfer: SessionTransfer, clock: ManualClock
) -> None:
    session = await make.linked_session(await make.company())
    scope = CompanyScope(session.company_id)
    until = clock() + timedelta(seconds=15)
    async with context.database.transaction(SystemScope()) as tx:
        (lease,) = await leases.claim(tx, "gateway", "", clock(), until, 1)
    await SessionAuth(context).store(scope, session.id, lease.fence, "{}", [])
    async with context.database.transaction(scope) as tx:
        await sessions.change(tx, scope, session.id, {"state": "STOPPED", "desired_state": "STOP"})
    with pytest.raises(PonteError, match="being stopped"):
        await transfer.export(session.id)

    async with context.database.transaction(SystemScope()) as tx:
        await leases.release_all(tx, "gateway")
    assert (await transfer.export(session.id)).credentials == "{}"


async def test_a_session_without_a_link_or_credentials_is_not_exported(
    make: Factories, transfer: SessionTransfer
) -> None:
    scope = await make.company()
    unlinked = await make.session(scope)
    empty = await make.linked_session(scope, state=SessionState.STOPPED.value)

    assert await refused(transfer.export(unlinked.id)) == "SESSION_NOT_LINKED"
    assert await refused(transfer.export(empty.id)) == "SESSION_NOT_LINKED"
    assert await refused(transfer.export("unknown")) == "NOT_FOUND"
