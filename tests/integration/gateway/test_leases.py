"""Leases and sealed auth state, on both databases."""

import asyncio

import pytest
from sqlalchemy import text

from orchestrator.domain.auth_state import AuthKey
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError
from orchestrator.domain.session import DesiredState, Lease, SessionState
from orchestrator.services.context import Context
from orchestrator.services.session_runtime import SessionRuntime
from orchestrator.store import sessions
from orchestrator.store.database import Transaction
from orchestrator.store.models import SessionRow
from orchestrator.store.vault import VaultError
from tests.support.clock import ManualClock
from tests.support.factories import Factories


@pytest.fixture
def runtime(context: Context) -> SessionRuntime:
    return SessionRuntime(context)


async def claim(runtime: SessionRuntime, owner: str, limit: int = 100) -> list[Lease]:
    return await runtime.claim(owner, f"{owner}:7000", 15, limit)


async def held(make: Factories, runtime: SessionRuntime) -> tuple[CompanyScope, Lease]:
    scope = await make.company()
    await make.linked_session(scope)
    [lease] = await claim(runtime, "a")
    return scope, lease


async def test_what_shall_run_is_claimed_once(make: Factories, runtime: SessionRuntime) -> None:
    scope = await make.company()
    runnable = await make.linked_session(scope)
    await make.linked_session(scope, desired_state=DesiredState.STOP)
    await make.linked_session(scope, state=SessionState.REPLACED)
    await make.session(scope)
    [lease] = await claim(runtime, "a")
    assert (lease.session_id, lease.company_id, lease.fence) == (runnable.id, scope.company_id, 1)
    assert (lease.owner, lease.address) == ("a", "a:7000")
    assert await claim(runtime, "b") == []
    assert await claim(runtime, "a") == []


async def test_claims_at_the_same_time_share_the_sessions(make: Factories, runtime: SessionRuntime) -> None:
    scope = await make.company(max_sessions=100)
    rows = [await make.linked_session(scope) for _ in range(20)]
    claims = await asyncio.gather(*(claim(runtime, owner, 8) for owner in "abcd"))
    found = [lease.session_id for leases in claims for lease in leases]
    assert len(found) == len(set(found))
    found += [lease.session_id for lease in await claim(runtime, "e")]
    assert sorted(found) == sorted(row.id for row in rows)


async def test_a_lease_that_ended_is_free_for_others_with_a_higher_fence(
    make: Factories, runtime: SessionRuntime, clock: ManualClock
) -> None:
    scope, lease = await held(make, runtime)
    clock.advance(15)
    assert await claim(runtime, "a") == []
    [taken] = await claim(runtime, "b")
    assert (taken.session_id, taken.fence) == (lease.session_id, lease.fence + 1)
    assert await runtime.renew("a", 15) == []
    found = await runtime.find_lease(scope, lease.session_id)
    assert found is not None
    assert found.owner == "b"


async def test_renewing_says_what_shall_not_run_any_more(
    make: Factories, runtime: SessionRuntime, clock: ManualClock, context: Context
) -> None:
    scope, lease = await held(make, runtime)
    clock.advance(10)
    [renewed] = await runtime.renew("a", 15)
    assert (renewed.session_id, renewed.fence, renewed.wanted) == (lease.session_id, lease.fence, True)
    clock.advance(10)
    assert await claim(runtime, "b") == []
    async with context.database.transaction(scope) as tx:
        await tx.connection.execute(text("UPDATE session SET desired_state = 'STOP'"))
    [renewed] = await runtime.renew("a", 15)
    assert not renewed.wanted


async def test_renewing_waits_for_a_locked_session_without_holding_the_others(
    make: Factories, runtime: SessionRuntime, context: Context
) -> None:
    scope = await make.company(max_sessions=2)
    first, second = [(await make.linked_session(scope)).id for _ in range(2)]
    await claim(runtime, "a")

    async with context.database.transaction(scope) as tx:
        await sessions.lock_record(tx, scope, second)
        renewing = asyncio.create_task(runtime.renew("a", 15))
        if tx.dialect == "postgresql":
            await _until_somebody_waits(tx)
        # What a group commit does: were the first one locked by the renewal, each would wait for the other.
        await sessions.lock_record(tx, scope, first)

    assert sorted(lease.session_id for lease in await renewing) == sorted([first, second])


async def _until_somebody_waits(tx: Transaction) -> None:
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    async with asyncio.timeout(5):
        while not (await tx.connection.execute(waiting)).scalar_one():
            await asyncio.sleep(0.01)


async def test_a_released_lease_is_free_at_once(make: Factories, runtime: SessionRuntime) -> None:
    _, lease = await held(make, runtime)
    await runtime.release("a", lease.session_id, lease.fence + 1)
    assert await claim(runtime, "b") == []
    await runtime.release("a", lease.session_id, lease.fence)
    assert len(await claim(runtime, "b")) == 1
    await runtime.release_all("b")
    assert len(await claim(runtime, "c")) == 1


async def test_another_companys_lease_is_not_found(make: Factories, runtime: SessionRuntime) -> None:
    _, lease = await held(make, runtime)
    other = await make.company("Other")
    assert await runtime.find_lease(other, lease.session_id) is None


async def test_auth_state_is_stored_replaced_and_deleted(make: Factories, runtime: SessionRuntime) -> None:
    scope, lease = await held(make, runtime)

    async def store(credentials: str | None, *keys: AuthKey) -> None:
        await runtime.store_auth(scope, lease.session_id, lease.fence, credentials, keys)

    async def names(key_type: str, *wanted: str) -> dict[str, str | None]:
        keys = await runtime.load_keys(scope, lease.session_id, key_type, wanted)
        return {key.name: key.value for key in keys}

    assert await runtime.load_credentials(scope, lease.session_id) is None
    await store("first", AuthKey("session", "a", "1"), AuthKey("session", "b", "2"))
    await store("second")
    await store(
        None, AuthKey("session", "a", "3"), AuthKey("session", "b", None), AuthKey("pre-key", "a", "4")
    )
    assert await runtime.load_credentials(scope, lease.session_id) == "second"
    assert await names("session", "a", "b", "c") == {"a": "3"}
    assert await names("pre-key", "a") == {"a": "4"}
    await store(None, AuthKey("session", "a", None))
    assert await names("session", "a") == {}


async def test_a_first_link_stores_hundreds_of_keys_at_once(make: Factories, runtime: SessionRuntime) -> None:
    scope, lease = await held(make, runtime)
    keys = [AuthKey("pre-key", str(number), f"key {number}") for number in range(1201)]
    await runtime.store_auth(scope, lease.session_id, lease.fence, "credentials", keys)
    names = [key.name for key in keys]
    found = await runtime.load_keys(scope, lease.session_id, "pre-key", names)
    assert {key.name: key.value for key in found} == {key.name: key.value for key in keys}
    gone = [AuthKey("pre-key", name, None) for name in names[1:]]
    await runtime.store_auth(scope, lease.session_id, lease.fence, None, gone)
    assert len(await runtime.load_keys(scope, lease.session_id, "pre-key", names)) == 1


@pytest.mark.parametrize(
    ("credentials", "keys"),
    [
        ("late", []),
        (None, [AuthKey("session", "a", "late")]),
        (None, [AuthKey("session", "a", None)]),
        ("late", [AuthKey("session", "a", "late")]),
    ],
)
async def test_a_stale_fence_changes_nothing(
    make: Factories,
    runtime: SessionRuntime,
    clock: ManualClock,
    credentials: str | None,
    keys: list[AuthKey],
) -> None:
    scope, lease = await held(make, runtime)
    before = [AuthKey("session", "a", "1")]
    await runtime.store_auth(scope, lease.session_id, lease.fence, "first", before)
    clock.advance(15)
    await claim(runtime, "b")
    with pytest.raises(PonteError) as raised:
        await runtime.store_auth(scope, lease.session_id, lease.fence, credentials, keys)
    assert raised.value.code.name == "STALE_FENCE"
    assert await runtime.load_credentials(scope, lease.session_id) == "first"
    assert await runtime.load_keys(scope, lease.session_id, "session", ["a"]) == before


async def test_auth_state_is_sealed_and_bound_to_its_place(
    make: Factories, runtime: SessionRuntime, context: Context
) -> None:
    scope, lease = await held(make, runtime)
    keys = [AuthKey("session", "a", "secret a"), AuthKey("session", "b", "secret b")]
    await runtime.store_auth(scope, lease.session_id, lease.fence, "secret credentials", keys)
    async with context.database.transaction(scope) as tx:
        for table in ("auth_key", "auth_credentials"):
            rows = (await tx.connection.execute(text(f"SELECT ciphertext FROM {table}"))).scalars()
            assert all(b"secret" not in bytes(row) for row in rows)
        await tx.connection.execute(
            text(
                "UPDATE auth_key SET ciphertext = (SELECT ciphertext FROM auth_key WHERE name = 'b') "
                "WHERE name = 'a'"
            )
        )
    with pytest.raises(VaultError):
        await runtime.load_keys(scope, lease.session_id, "session", ["a"])


async def test_another_company_neither_reads_nor_writes_auth_state(
    make: Factories, runtime: SessionRuntime
) -> None:
    scope, lease = await held(make, runtime)
    await runtime.store_auth(scope, lease.session_id, lease.fence, "first", [AuthKey("session", "a", "1")])
    other = await make.company("Other")
    assert await runtime.load_credentials(other, lease.session_id) is None
    assert await runtime.load_keys(other, lease.session_id, "session", ["a"]) == []
    with pytest.raises(PonteError):
        await runtime.store_auth(other, lease.session_id, lease.fence, "theirs", [])


async def test_writes_of_many_sessions_at_once_are_all_kept(make: Factories, runtime: SessionRuntime) -> None:
    scope = await make.company(max_sessions=100)
    rows: list[SessionRow] = [await make.linked_session(scope) for _ in range(5)]
    leases = {lease.session_id: lease for lease in await claim(runtime, "a")}
    await asyncio.gather(
        *(
            runtime.store_auth(
                scope, row.id, leases[row.id].fence, None, [AuthKey("session", str(number), row.id)]
            )
            for row in rows
            for number in range(40)
        )
    )
    for row in rows:
        names = [str(number) for number in range(40)]
        assert len(await runtime.load_keys(scope, row.id, "session", names)) == 40
