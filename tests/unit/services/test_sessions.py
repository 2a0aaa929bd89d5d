"""Sessions as a company's key sees them."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from orchestrator.domain.auth_state import AuthKey
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError
from orchestrator.domain.ids import make_id
from orchestrator.domain.page import PageRequest
from orchestrator.domain.session import DesiredState, SessionState
from orchestrator.services import session_pairing
from orchestrator.services.context import Context
from orchestrator.services.session_pairing import PairingMethod, PairingOffer
from orchestrator.services.session_runtime import SessionRuntime
from orchestrator.services.sessions import SessionService
from orchestrator.store import events, sessions
from tests.support.bells import RecordingBells
from tests.support.clock import ManualClock
from tests.support.factories import Factories
from tests.support.gateway import PAIRING_CODE, FakeGateway


@pytest.fixture
def service(context: Context, gateway: FakeGateway) -> SessionService:
    return SessionService(context, gateway)


@pytest.fixture
async def scope(make: Factories) -> CompanyScope:
    return await make.company(max_sessions=3)


async def refusal(work: object) -> str:
    """The error code with which a call was refused."""
    with pytest.raises(PonteError) as raised:
        await work  # type: ignore[misc]  # any awaitable
    return raised.value.code.name


async def event_data(context: Context, scope: CompanyScope) -> list[tuple[str, dict[str, object]]]:
    async with context.database.reading(scope) as tx:
        found = await events.list_after(tx, scope, 0, 100)
    return [(event.type, dict(event.data)) for event in found]


async def show_qr(context: Context, scope: CompanyScope, session_id: str, data: str) -> None:
    shown = {"qr_data": data, "qr_expires_at": context.clock() + timedelta(seconds=60)}
    async with context.database.transaction(scope) as tx:
        await sessions.change(tx, scope, session_id, shown)


async def begin_pairing(
    context: Context, service: SessionService, scope: CompanyScope, session_id: str
) -> "asyncio.Task[PairingOffer]":
    """Ask for a QR; returns when the session is on show."""
    task = asyncio.create_task(service.pair(scope, session_id, PairingMethod.QR))
    while (await service.get(scope, session_id)).state is not SessionState.PAIRING:
        await asyncio.sleep(0.005)
    return task


async def test_a_new_session_is_not_linked(service: SessionService, scope: CompanyScope) -> None:
    session = await service.create(scope, "  Sales ")
    assert (session.name, session.state, session.is_linked) == ("Sales", SessionState.NEW, False)
    assert await service.get(scope, session.id) == session


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "a\0b"])
async def test_a_session_needs_a_name(service: SessionService, scope: CompanyScope, name: str) -> None:
    assert await refusal(service.create(scope, name)) == "INVALID_ARGUMENT"


async def test_a_company_has_no_more_sessions_than_it_may(
    service: SessionService, scope: CompanyScope
) -> None:
    made = [await service.create(scope, f"{number}") for number in range(3)]
    assert await refusal(service.create(scope, "one more")) == "SESSION_LIMIT_REACHED"
    await service.delete(scope, made[0].id)
    await service.create(scope, "in its place")


async def test_a_repeated_create_makes_one_session(service: SessionService, scope: CompanyScope) -> None:
    first = await service.create(scope, "Sales", "key")
    assert await service.create(scope, "Sales", "key") == first
    assert await refusal(service.create(scope, "Other", "key")) == "IDEMPOTENCY_KEY_REUSED"
    assert len((await service.list(scope, PageRequest())).items) == 1


async def test_sessions_are_listed_newest_first(
    service: SessionService, scope: CompanyScope, clock: ManualClock
) -> None:
    ids = []
    for number in range(3):
        clock.advance(1)
        ids.append((await service.create(scope, f"{number}")).id)
    page = await service.list(scope, PageRequest(size=2))
    rest = await service.list(scope, PageRequest(size=2, token=page.next_token))
    assert [session.id for session in [*page.items, *rest.items]] == ids[::-1]
    assert rest.next_token == ""


async def test_unknown_deleted_and_foreign_sessions_are_refused_alike(
    service: SessionService, scope: CompanyScope, make: Factories, context: Context
) -> None:
    deleted = await service.create(scope, "Deleted")
    await service.delete(scope, deleted.id)
    theirs = await service.create(await make.company("Other"), "Theirs")
    for session_id in (
        deleted.id,
        theirs.id,
        make_id(context.clock(), context.rng),
        "no id",
        "",
        "a\0b",
    ):
        for call in (
            service.get(scope, session_id),
            service.pair(scope, session_id, PairingMethod.QR),
            service.qr(scope, session_id),
            service.start(scope, session_id),
            service.stop(scope, session_id),
            service.logout(scope, session_id),
            service.delete(scope, session_id),
        ):
            with pytest.raises(PonteError) as raised:
                await call
            assert (raised.value.code.name, raised.value.detail) == ("NOT_FOUND", "")
    assert (await service.list(scope, PageRequest())).items == []


async def test_the_only_session_need_not_be_named(service: SessionService, scope: CompanyScope) -> None:
    assert await refusal(service.resolve(scope, "")) == "NOT_FOUND"
    first = await service.create(scope, "First")
    assert await service.resolve(scope, "") == first
    second = await service.create(scope, "Second")
    assert await refusal(service.resolve(scope, "")) == "SESSION_AMBIGUOUS"
    assert await service.resolve(scope, second.id) == second


async def test_pairing_waits_for_the_first_qr(
    service: SessionService, scope: CompanyScope, context: Context, bells: RecordingBells
) -> None:
    session = await service.create(scope, "Sales")
    pairing = await begin_pairing(context, service, scope, session.id)
    assert bells.sessions == [(scope.company_id, session.id)]
    assert await refusal(service.qr(scope, session.id)) == "QR_NOT_AVAILABLE"
    await show_qr(context, scope, session.id, "the qr")
    offer = await pairing
    assert (offer.qr, offer.code) == ("the qr", "")
    assert "unofficial" in offer.notice
    assert (await service.qr(scope, session.id)).data == "the qr"


async def test_an_expired_qr_is_not_shown(
    service: SessionService, scope: CompanyScope, context: Context, clock: ManualClock
) -> None:
    session = await service.create(scope, "Sales")
    pairing = await begin_pairing(context, service, scope, session.id)
    await show_qr(context, scope, session.id, "the qr")
    await pairing
    clock.advance(60)
    assert await refusal(service.qr(scope, session.id)) == "QR_NOT_AVAILABLE"


async def test_pairing_says_when_no_gateway_shows_a_qr(
    service: SessionService, scope: CompanyScope, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_pairing, "FIRST_QR_S", 0.1)
    session = await service.create(scope, "Sales")
    with pytest.raises(PonteError, match=r"No QR came in 0\.1 s") as raised:
        await service.pair(scope, session.id, PairingMethod.QR)
    assert raised.value.code.name == "GATEWAY_UNAVAILABLE"


async def test_a_pairing_that_is_stopped_ends_the_wait(
    service: SessionService, scope: CompanyScope, context: Context
) -> None:
    session = await service.create(scope, "Sales")
    pairing = await begin_pairing(context, service, scope, session.id)
    stopped = await service.stop(scope, session.id)
    assert (stopped.state, stopped.desired_state) == (SessionState.NEW, DesiredState.STOP)
    assert await refusal(pairing) == "GATEWAY_UNAVAILABLE"


async def test_a_session_that_is_deleted_ends_the_wait(
    service: SessionService, scope: CompanyScope, context: Context
) -> None:
    session = await service.create(scope, "Sales")
    pairing = await begin_pairing(context, service, scope, session.id)
    await service.delete(scope, session.id)
    assert await refusal(pairing) == "NOT_FOUND"


async def test_a_code_needs_a_number_and_comes_from_the_gateway(
    service: SessionService, scope: CompanyScope, context: Context, gateway: FakeGateway
) -> None:
    session = await service.create(scope, "Sales")
    for number in ("", "5511", "+55 11"):
        with pytest.raises(PonteError) as raised:
            await service.pair(scope, session.id, PairingMethod.CODE, number)
        assert raised.value.code.name == "INVALID_PHONE_NUMBER"
        assert [violation.field for violation in raised.value.violations] == ["phone_number"]
    pairing = await begin_pairing(context, service, scope, session.id)
    await show_qr(context, scope, session.id, "the qr")
    await pairing
    offer = await service.pair(scope, session.id, PairingMethod.CODE, "+5511987654321")
    assert (offer.qr, offer.code) == ("", PAIRING_CODE)
    assert offer.expires_at > context.clock()
    assert gateway.pairings == [(session.id, "+5511987654321")]


async def test_a_linked_session_is_not_paired_again(
    service: SessionService, scope: CompanyScope, make: Factories
) -> None:
    row = await make.linked_session(scope)
    pairing = service.pair(scope, row.id, PairingMethod.QR)
    assert await refusal(pairing) == "SESSION_ALREADY_LINKED"


@pytest.mark.parametrize("state", [SessionState.STOPPED, SessionState.REPLACED, SessionState.BANNED])
async def test_what_is_down_is_started(
    service: SessionService,
    scope: CompanyScope,
    make: Factories,
    context: Context,
    bells: RecordingBells,
    state: SessionState,
) -> None:
    row = await make.linked_session(scope, state=state, desired_state=DesiredState.STOP)
    session = await service.start(scope, row.id)
    assert (session.state, session.desired_state) == (SessionState.CONNECTING, DesiredState.RUN)
    assert bells.sessions == [(scope.company_id, row.id)]
    assert await event_data(context, scope) == [
        ("session.state", {"state": "CONNECTING", "previous_state": str(state)})
    ]


async def test_starting_what_waits_to_reconnect_connects_at_once(
    service: SessionService, scope: CompanyScope, make: Factories, context: Context
) -> None:
    later = context.clock() + timedelta(seconds=300)
    row = await make.linked_session(
        scope, state=SessionState.RECONNECTING, reconnect_failures=9, reconnect_at=later
    )
    await service.start(scope, row.id)
    async with context.database.reading(scope) as tx:
        record = await sessions.find_record(tx, scope, row.id)
    assert record is not None
    assert (record.reconnect_failures, record.reconnect_at) == (0, None)


async def test_what_is_not_linked_cannot_be_started(service: SessionService, scope: CompanyScope) -> None:
    session = await service.create(scope, "Sales")
    assert await refusal(service.start(scope, session.id)) == "SESSION_NOT_LINKED"


async def test_stopping_is_told_once(
    service: SessionService, scope: CompanyScope, make: Factories, context: Context
) -> None:
    row = await make.linked_session(scope)
    stopped = await service.stop(scope, row.id)
    assert (stopped.state, stopped.is_linked) == (SessionState.STOPPED, True)
    assert stopped.last_close is not None
    assert (stopped.last_close.reason, stopped.last_close.permanent) == ("stopped", True)
    await service.stop(scope, row.id)
    assert [type_ for type_, _ in await event_data(context, scope)] == ["session.state", "session.closed"]


@pytest.mark.parametrize("available", [True, False])
async def test_logging_out_forgets_the_link_and_keeps_an_archive(
    service: SessionService,
    scope: CompanyScope,
    make: Factories,
    context: Context,
    gateway: FakeGateway,
    available: bool,
) -> None:
    gateway.available = available
    row = await make.linked_session(scope, fence=4)
    runtime = SessionRuntime(context)
    await runtime.store_auth(scope, row.id, 4, "credentials", [AuthKey("session", "a", "1")])

    session = await service.logout(scope, row.id)

    assert gateway.logged_out == ([row.id] if available else [])
    assert (session.state, session.desired_state) == (SessionState.LOGGED_OUT, DesiredState.STOP)
    assert (session.me.pn_jid, session.push_name, session.connected_at) == ("", "", None)
    assert await runtime.load_credentials(scope, row.id) is None
    assert await runtime.load_keys(scope, row.id, "session", ["a"]) == []
    assert await refusal(runtime.store_auth(scope, row.id, 4, "late", [])) == "STALE_FENCE"
    async with context.database.reading(scope) as tx:
        query = text("SELECT session_id, ciphertext FROM archived_credentials")
        [(session_id, ciphertext)] = (await tx.connection.execute(query)).all()
    assert session_id == row.id
    assert b"credentials" not in bytes(ciphertext)
    types = [type_ for type_, _ in await event_data(context, scope)]
    assert types == ["session.state", "session.closed"]


async def test_logging_out_what_is_not_connected_asks_no_gateway(
    service: SessionService, scope: CompanyScope, make: Factories, gateway: FakeGateway
) -> None:
    row = await make.linked_session(scope, state=SessionState.STOPPED)
    assert (await service.logout(scope, row.id)).state is SessionState.LOGGED_OUT
    assert gateway.logged_out == []
    assert (await service.logout(scope, row.id)).state is SessionState.LOGGED_OUT


async def test_a_logged_out_session_is_paired_again(
    service: SessionService, scope: CompanyScope, make: Factories, context: Context
) -> None:
    row = await make.linked_session(scope, state=SessionState.LOGGED_OUT, desired_state=DesiredState.STOP)
    pairing = await begin_pairing(context, service, scope, row.id)
    assert (await service.get(scope, row.id)).desired_state is DesiredState.RUN
    await show_qr(context, scope, row.id, "again")
    assert (await pairing).qr == "again"


async def test_deleting_logs_out_and_keeps_the_events(
    service: SessionService,
    scope: CompanyScope,
    make: Factories,
    context: Context,
    gateway: FakeGateway,
) -> None:
    row = await make.linked_session(scope)
    await service.delete(scope, row.id)
    assert gateway.logged_out == [row.id]
    assert await refusal(service.get(scope, row.id)) == "NOT_FOUND"
    closed = (await event_data(context, scope))[-1]
    assert closed[0] == "session.closed"
    assert closed[1]["reason"] == "logged_out"


async def test_a_dead_gateways_session_reads_reconnecting_until_another_one_has_it(
    service: SessionService, context: Context, make: Factories, scope: CompanyScope, clock: ManualClock
) -> None:
    session = await make.linked_session(scope, state=SessionState.CONNECTED)
    runtime = SessionRuntime(context)

    async def states() -> set[SessionState]:
        page = await service.list(scope, PageRequest())
        return {(await service.get(scope, session.id)).state, *(listed.state for listed in page.items)}

    await runtime.claim("first", "", 10, 1)
    assert await states() == {SessionState.CONNECTED}
    clock.advance(10)
    assert await states() == {SessionState.RECONNECTING}
    await runtime.claim("second", "", 10, 1)
    assert await states() == {SessionState.CONNECTED}
