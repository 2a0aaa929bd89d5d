"""API keys: made, listed, revoked, and turned into a principal."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from sqlalchemy import event, select

from orchestrator.domain.company import ALL_SCOPES, CompanyScope, Principal, Scope
from orchestrator.domain.errors import PonteError
from orchestrator.domain.page import PageRequest
from orchestrator.services.context import Context
from orchestrator.services.keys import ADMIN, KeyService, hash_secret, make_secret
from orchestrator.store.database import Database, SystemScope
from orchestrator.store.models import ApiKeyRow, IdempotencyRow
from tests.support.clock import ManualClock
from tests.support.factories import Factories

UNKNOWN = "01890a5d-ac96-774b-bcce-b302099a8057"
ADMIN_SECRET = "an admin key"
KEYS = ApiKeyRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
REMEMBERED = IdempotencyRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it


@pytest.fixture
def keys(context: Context) -> KeyService:
    return KeyService(context, admin_key_hash=hash_secret(ADMIN_SECRET))


@pytest.fixture
async def scope(make: Factories) -> CompanyScope:
    return await make.company()


async def refused(call: Coroutine[Any, Any, Any]) -> str:
    with pytest.raises(PonteError) as failure:
        await call
    return failure.value.code.name


async def last_used(database: Database, scope: CompanyScope, key_id: str) -> object:
    """When a key was used last, once what was being written is written."""

    async def nothing(tx: object) -> None:
        return None

    await database.shared_transaction(scope, nothing)
    async with database.reading(SystemScope()) as tx:
        return (
            await tx.connection.execute(select(KEYS.c.last_used_at).where(KEYS.c.id == key_id))
        ).scalar_one()


async def test_a_key_stands_for_its_company_and_scopes(keys: KeyService, scope: CompanyScope) -> None:
    key, secret = await keys.create(scope, "shop", [Scope.MESSAGES_SEND])

    assert secret.startswith("ponte_")
    assert len(secret) == 49
    assert secret.startswith(key.prefix)
    assert await keys.authenticate(secret) == Principal(
        key.id, scope.company_id, frozenset({Scope.MESSAGES_SEND})
    )


async def test_no_scopes_given_are_all_of_them(keys: KeyService, scope: CompanyScope) -> None:
    key, secret = await keys.create(scope, "all")

    assert key.scopes == ALL_SCOPES
    assert (await keys.authenticate(secret)).scopes == ALL_SCOPES


async def test_the_secret_is_stored_nowhere(
    keys: KeyService, scope: CompanyScope, database: Database
) -> None:
    _, secret = await keys.create(scope, "key", idempotency_key="once")

    async with database.reading(SystemScope()) as tx:
        stored = [
            *(await tx.connection.execute(select(KEYS))).all(),
            *(await tx.connection.execute(select(REMEMBERED))).all(),
        ]
    assert len(stored) == 2
    for row in stored:
        assert secret not in repr(row)
        assert all(secret.encode() not in value for value in row if isinstance(value, bytes))


async def test_the_same_idempotency_key_gives_the_same_secret_again(
    keys: KeyService, scope: CompanyScope
) -> None:
    first = await keys.create(scope, "key", [Scope.EVENTS_READ], idempotency_key="once")

    assert await keys.create(scope, "key", [Scope.EVENTS_READ], idempotency_key="once") == first
    assert await refused(keys.create(scope, "other", [Scope.EVENTS_READ], idempotency_key="once")) == (
        "IDEMPOTENCY_KEY_REUSED"
    )
    assert len((await keys.list(scope, PageRequest())).items) == 1


async def test_bad_input_is_refused(keys: KeyService, scope: CompanyScope) -> None:
    assert await refused(keys.create(scope, "")) == "INVALID_ARGUMENT"
    assert await refused(keys.create(scope, "key", ["everything"])) == "INVALID_ARGUMENT"  # type: ignore[list-item]
    assert await refused(keys.list(scope, PageRequest(501))) == "INVALID_ARGUMENT"
    assert await refused(keys.list(scope, PageRequest(1, "?"))) == "INVALID_PAGE_TOKEN"


@pytest.mark.parametrize("company_id", [UNKNOWN, "", "*", "a\0b"])
async def test_an_unknown_company_is_not_found(keys: KeyService, company_id: str) -> None:
    unknown = CompanyScope(company_id)

    assert await refused(keys.create(unknown, "key")) == "NOT_FOUND"
    assert await refused(keys.list(unknown, PageRequest())) == "NOT_FOUND"
    assert await refused(keys.revoke(unknown, UNKNOWN)) == "NOT_FOUND"


async def test_a_list_shows_the_companys_keys_newest_first(
    keys: KeyService, make: Factories, scope: CompanyScope, clock: ManualClock
) -> None:
    await keys.create(await make.company(), "another company's")
    made = []
    for number in range(3):
        made.append((await keys.create(scope, f"{number}"))[0])
        clock.advance(1)

    first = await keys.list(scope, PageRequest(2))
    second = await keys.list(scope, PageRequest(2, first.next_token))
    assert [*first.items, *second.items] == made[::-1]
    assert second.next_token == ""


async def test_a_revoked_key_is_refused_from_the_next_request_on(
    keys: KeyService, scope: CompanyScope, clock: ManualClock
) -> None:
    key, secret = await keys.create(scope, "key")
    await keys.authenticate(secret)

    revoked = await keys.revoke(scope, key.id)

    assert revoked.revoked_at == clock()
    assert await refused(keys.authenticate(secret)) == "CREDENTIAL_INVALID"
    clock.advance(60)
    assert (await keys.revoke(scope, key.id)).revoked_at == revoked.revoked_at


async def test_a_key_revoked_by_another_process_is_refused_within_a_second(
    keys: KeyService, context: Context, scope: CompanyScope, clock: ManualClock
) -> None:
    key, secret = await keys.create(scope, "key")
    await keys.authenticate(secret)
    await KeyService(context).revoke(scope, key.id)

    clock.advance(1)
    assert await refused(keys.authenticate(secret)) == "CREDENTIAL_INVALID"


async def test_a_key_revoked_while_it_is_looked_up_is_not_kept(keys: KeyService, scope: CompanyScope) -> None:
    for _ in range(20):
        key, secret = await keys.create(scope, "key")
        await asyncio.gather(keys.authenticate(secret), keys.revoke(scope, key.id), return_exceptions=True)
        assert await refused(keys.authenticate(secret)) == "CREDENTIAL_INVALID"


async def test_another_companys_key_cannot_be_revoked(
    keys: KeyService, make: Factories, scope: CompanyScope
) -> None:
    key, secret = await keys.create(await make.company(), "theirs")

    assert await refused(keys.revoke(scope, key.id)) == "NOT_FOUND"
    assert await refused(keys.revoke(scope, UNKNOWN)) == "NOT_FOUND"
    assert await refused(keys.revoke(scope, "not an id")) == "NOT_FOUND"
    assert (await keys.authenticate(secret)).key_id == key.id


@pytest.mark.parametrize(
    "secret", ["", "ponte_", "x" * 100_000, "ünïcödé", "\ud800", "a\0b", hash_secret(ADMIN_SECRET)]
)
async def test_anything_else_is_no_credential(keys: KeyService, secret: str) -> None:
    assert await refused(keys.authenticate(secret)) == "CREDENTIAL_INVALID"
    assert await refused(keys.authenticate(make_secret())) == "CREDENTIAL_INVALID"


async def test_the_admin_key_stands_for_the_administrator_where_there_is_one(
    keys: KeyService, context: Context
) -> None:
    assert await keys.authenticate(ADMIN_SECRET) == ADMIN
    assert ADMIN.is_admin
    assert await refused(KeyService(context).authenticate(ADMIN_SECRET)) == "CREDENTIAL_INVALID"
    assert await refused(KeyService(context).authenticate("")) == "CREDENTIAL_INVALID"


async def test_within_a_second_a_key_costs_no_query(
    keys: KeyService, scope: CompanyScope, database: Database, clock: ManualClock
) -> None:
    key, secret = await keys.create(scope, "key")
    await keys.authenticate(secret)
    assert await last_used(database, scope, key.id) is not None
    queries: list[object] = []
    engine = database._engine.sync_engine

    @event.listens_for(engine, "before_cursor_execute")
    def note(*arguments: object) -> None:
        queries.append(arguments[2])

    clock.advance(0.9)
    for _ in range(100):
        await keys.authenticate(secret)
    assert queries == []
    clock.advance(0.2)
    await keys.authenticate(secret)
    assert len(queries) == 1
    event.remove(engine, "before_cursor_execute", note)


async def test_the_last_use_is_noted_at_most_once_a_minute(
    keys: KeyService, scope: CompanyScope, database: Database, clock: ManualClock
) -> None:
    key, secret = await keys.create(scope, "key")
    first = clock()
    await keys.authenticate(secret)
    assert await last_used(database, scope, key.id) == first

    clock.advance(59)
    await keys.authenticate(secret)
    assert await last_used(database, scope, key.id) == first

    second = clock.advance(1)
    await keys.authenticate(secret)
    assert await last_used(database, scope, key.id) == second


async def test_the_cache_is_bounded(
    keys: KeyService, scope: CompanyScope, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestrator.services.keys._MOST_CACHED", 3)
    for number in range(7):
        _, secret = await keys.create(scope, f"{number}")
        await keys.authenticate(secret)
        assert len(keys._cache) <= 3
