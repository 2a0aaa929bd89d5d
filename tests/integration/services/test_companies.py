"""Companies, as the administrator handles them."""

import pytest
from sqlalchemy import Table, insert, select

from orchestrator.domain.company import Company, CompanyScope
from orchestrator.domain.errors import CODES, PonteError
from orchestrator.domain.ids import is_id
from orchestrator.domain.page import PageRequest
from orchestrator.services.companies import CompanyService
from orchestrator.services.context import Context
from orchestrator.services.keys import KeyService
from orchestrator.store.database import SystemScope
from orchestrator.store.models import (
    ArchivedCredentialsRow,
    AuthCredentialsRow,
    AuthKeyRow,
    MessageRow,
    SessionRow,
    WebhookRow,
)
from tests.support.bells import RecordingBells
from tests.support.clock import ManualClock
from tests.support.factories import Factories

UNKNOWN = "01890a5d-ac96-774b-bcce-b302099a8057"


@pytest.fixture
def companies(context: Context) -> CompanyService:
    return CompanyService(context)


def table_of(model: type) -> Table:
    table: Table = model.__table__  # type: ignore[attr-defined]  # SQLModel adds it
    return table


async def rows(context: Context, model: type) -> list[object]:
    async with context.database.reading(SystemScope()) as tx:
        return list((await tx.connection.execute(select(table_of(model)))).all())


async def refused(call: object) -> str:
    with pytest.raises(PonteError) as failure:
        await call  # type: ignore[misc]  # any coroutine
    assert failure.value.code.name in CODES
    return failure.value.code.name


async def test_a_company_is_made_and_found_again(companies: CompanyService, clock: ManualClock) -> None:
    made = await companies.create("  Açaí & Filhos 🍇  ", max_sessions=3)

    assert (made.name, made.max_sessions, made.created_at) == ("Açaí & Filhos 🍇", 3, clock())
    assert is_id(made.id)
    assert await companies.get(made.id) == made


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "a\nb", "a\0b", "\ud800"])
async def test_a_bad_name_is_refused_with_its_field(companies: CompanyService, name: str) -> None:
    with pytest.raises(PonteError) as failure:
        await companies.create(name)
    assert failure.value.violations[0].field == "name"


@pytest.mark.parametrize("max_sessions", [0, -1, 10_001])
async def test_a_bad_number_of_sessions_is_refused(companies: CompanyService, max_sessions: int) -> None:
    made = await companies.create("Acme")

    assert await refused(companies.create("Acme", max_sessions)) == "INVALID_ARGUMENT"
    assert await refused(companies.update(made.id, max_sessions=max_sessions)) == "INVALID_ARGUMENT"


@pytest.mark.parametrize("company_id", [UNKNOWN, "", "*", "'", "a\0b"])
async def test_an_unknown_company_is_not_found(companies: CompanyService, company_id: str) -> None:
    assert await refused(companies.get(company_id)) == "NOT_FOUND"
    assert await refused(companies.update(company_id, name="New")) == "NOT_FOUND"
    assert await refused(companies.delete(company_id)) == "NOT_FOUND"


async def test_the_same_key_and_request_make_one_company(companies: CompanyService) -> None:
    first = await companies.create("Acme", 2, idempotency_key="key")

    assert await companies.create("Acme", 2, idempotency_key="key") == first
    assert await refused(companies.create("Acme", 3, idempotency_key="key")) == "IDEMPOTENCY_KEY_REUSED"
    await companies.delete(first.id)
    assert await refused(companies.create("Acme", 2, idempotency_key="key")) == "NOT_FOUND"


async def test_only_what_is_given_is_changed(companies: CompanyService) -> None:
    made = await companies.create("Acme", 2)

    assert (await companies.update(made.id, name="New")).max_sessions == 2
    assert (await companies.update(made.id, max_sessions=5)).name == "New"
    changed = await companies.update(made.id)
    assert (changed.name, changed.max_sessions) == ("New", 5)
    assert await companies.get(made.id) == changed


async def test_a_list_shows_the_newest_first_page_by_page(
    companies: CompanyService, clock: ManualClock
) -> None:
    made = []
    for number in range(5):
        made.append(await companies.create(f"{number}"))
        clock.advance(1)
    await companies.delete(made.pop(2).id)

    listed: list[Company] = []
    token = ""
    while True:
        page = await companies.list(PageRequest(2, token))
        listed += page.items
        token = page.next_token
        if not token:
            break
    assert listed == made[::-1]


async def test_a_deleted_company_is_gone_and_all_that_ran_for_it(
    companies: CompanyService, context: Context, make: Factories, bells: RecordingBells, clock: ManualClock
) -> None:
    gone, kept = await make.company(), await make.company()
    for scope in (gone, kept):
        await give_everything(context, make, scope)

    await companies.delete(gone.company_id)

    assert await refused(companies.get(gone.company_id)) == "NOT_FOUND"
    assert await refused(companies.delete(gone.company_id)) == "NOT_FOUND"
    for model in (AuthCredentialsRow, AuthKeyRow, ArchivedCredentialsRow):
        assert {row.company_id for row in await rows(context, model)} == {kept.company_id}  # type: ignore[attr-defined]
    sessions = {row.company_id: row for row in await rows(context, SessionRow)}  # type: ignore[attr-defined]
    ended, running = sessions[gone.company_id], sessions[kept.company_id]
    assert (ended.desired_state, ended.deleted_at, ended.fence) == ("STOP", clock(), 8)  # type: ignore[attr-defined]
    assert (running.desired_state, running.deleted_at, running.fence) == ("RUN", None, 7)  # type: ignore[attr-defined]
    messages = {row.company_id: row.status for row in await rows(context, MessageRow)}  # type: ignore[attr-defined]
    assert messages == {gone.company_id: "CANCELLED", kept.company_id: "QUEUED"}
    webhooks = {row.company_id: row.enabled for row in await rows(context, WebhookRow)}  # type: ignore[attr-defined]
    assert webhooks == {gone.company_id: False, kept.company_id: True}
    assert bells.sessions == [(gone.company_id, ended.id)]  # type: ignore[attr-defined]


async def give_everything(context: Context, make: Factories, scope: CompanyScope) -> None:
    session = await make.linked_session(scope, fence=7)
    await make.message(scope, session)
    now = context.clock()
    sealed = {
        "company_id": scope.company_id,
        "session_id": session.id,
        "key_id": "test",
        "ciphertext": b"sealed",
    }
    webhook = WebhookRow(
        id=session.id,
        company_id=scope.company_id,
        url="https://example.com",
        events=["*"],
        secret_key_id="test",
        secret_ciphertext=b"sealed",
        created_at=now,
    )
    async with context.database.transaction(scope) as tx:
        await tx.connection.execute(insert(table_of(AuthCredentialsRow)), {**sealed, "updated_at": now})
        await tx.connection.execute(insert(table_of(AuthKeyRow)), {**sealed, "type": "session", "name": "x"})
        archived = {**sealed, "id": session.id, "why": {}, "archived_at": now}
        await tx.connection.execute(insert(table_of(ArchivedCredentialsRow)), archived)
        await tx.connection.execute(insert(table_of(WebhookRow)), webhook.model_dump())


async def test_the_keys_of_a_deleted_company_are_refused_at_once(context: Context) -> None:
    keys = KeyService(context)
    companies = CompanyService(context, keys)
    company = await companies.create("Acme")
    _, secret = await keys.create(CompanyScope(company.id), "key")
    await keys.authenticate(secret)

    await companies.delete(company.id)

    assert await refused(keys.authenticate(secret)) == "CREDENTIAL_INVALID"
