"""Connections that break, databases that are locked, transactions that wait for each other."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from orchestrator.domain.company import CompanyScope
from orchestrator.store import postgresql
from orchestrator.store.database import Database, SystemScope, Transaction
from orchestrator.store.models import MetadataRow

SYSTEM = SystemScope()
FACTS = MetadataRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
postgresql_only = pytest.mark.parametrize("database_kind", ["postgresql"])
sqlite_only = pytest.mark.parametrize("database_kind", ["sqlite"])

Work = Callable[[Transaction], Awaitable[None]]


def note(name: str) -> Work:
    async def work(tx: Transaction) -> None:
        await tx.connection.execute(insert(FACTS), {"name": name, "value": ""})

    return work


async def noted(database: Database) -> set[str]:
    async with database.reading(SYSTEM) as tx:
        return set((await tx.connection.execute(select(FACTS.c.name))).scalars())


async def end_all_other_connections(database: Database) -> None:
    others = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE pid <> pg_backend_pid() AND datname = current_database()"
    )
    async with database.reading(SYSTEM) as tx:
        await tx.connection.execute(others)


@postgresql_only
async def test_kept_connections_that_broke_are_replaced(database: Database, database_url: str) -> None:
    async def hold(_: int) -> None:
        async with database.reading(SYSTEM):
            await asyncio.sleep(0.05)

    await asyncio.gather(*map(hold, range(10)))
    other = await Database.open(database_url)
    await end_all_other_connections(other)
    await other.close()

    await database.shared_transaction(SYSTEM, note("shared"))
    async with database.transaction(SYSTEM) as tx:
        await note("own")(tx)
    assert await noted(database) == {"shared", "own"}
    await asyncio.gather(*map(hold, range(10)))


async def stand_still(frozen: Database, database: Database) -> None:
    """Write, and do nothing more until the server has ended that; then go on, which fails."""
    async with frozen.transaction(SYSTEM) as tx:
        await note("locked")(tx)
        async with asyncio.timeout(10):
            await database.shared_transaction(SYSTEM, note("locked"))
        await note("too late")(tx)


@postgresql_only
async def test_a_transaction_that_stands_still_lets_go_of_its_locks(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "IDLE_IN_TRANSACTION_S", 0.2)
    frozen = await Database.open(database_url)
    try:
        with pytest.raises(DBAPIError):
            await stand_still(frozen, database)
        await frozen.shared_transaction(SYSTEM, note("awake"))
    finally:
        await frozen.close()
    assert await noted(database) == {"locked", "awake"}


@postgresql_only
async def test_a_reading_transaction_that_stands_still_reads_on(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "IDLE_IN_TRANSACTION_S", 0.2)
    frozen = await Database.open(database_url)
    try:
        async with frozen.reading(SYSTEM) as tx:
            with pytest.raises(DBAPIError):
                await stand_still(frozen, database)
            # It has stood still for longer than the writing one, which the server has ended.
            assert (await tx.connection.execute(select(FACTS.c.name))).scalars().all() == ["locked"]
    finally:
        await frozen.close()


@postgresql_only
async def test_pieces_whose_connection_breaks_before_the_commit_run_again(
    database: Database, database_url: str
) -> None:
    other = await Database.open(database_url)
    broken = False

    async def breaks_once(tx: Transaction) -> None:
        nonlocal broken
        if not broken:
            broken = True
            await end_all_other_connections(other)
        await note("first")(tx)

    await asyncio.gather(
        database.shared_transaction(SYSTEM, breaks_once), database.shared_transaction(SYSTEM, note("second"))
    )

    assert await noted(database) == {"first", "second"}
    await other.close()


@postgresql_only
async def test_a_transaction_whose_connection_breaks_raises_and_the_next_one_works(
    database: Database, database_url: str
) -> None:
    other = await Database.open(database_url)

    async def write() -> None:
        async with database.transaction(SYSTEM) as tx:
            await note("lost")(tx)
            await end_all_other_connections(other)
            await note("never")(tx)

    with pytest.raises(DBAPIError):
        await write()

    await database.shared_transaction(SYSTEM, note("next"))
    assert await noted(database) == {"next"}
    await other.close()


@postgresql_only
async def test_pieces_that_deadlock_are_all_done_in_the_end(database: Database) -> None:
    for name in ("a", "b"):
        await database.shared_transaction(SYSTEM, note(name))
    both_began = asyncio.Barrier(2)
    attempts = 0

    def cross(first: str, second: str) -> Work:
        async def work(tx: Transaction) -> None:
            nonlocal attempts
            attempts += 1
            await touch(tx, first)
            if attempts <= 2:
                await both_began.wait()
            await touch(tx, second)

        return work

    async def touch(tx: Transaction, name: str) -> None:
        changed = FACTS.c.value + name
        await tx.connection.execute(update(FACTS).where(FACTS.c.name == name).values(value=changed))

    await asyncio.gather(
        database.shared_transaction(CompanyScope("one"), cross("a", "b")),
        database.shared_transaction(CompanyScope("two"), cross("b", "a")),
    )

    assert attempts >= 3
    async with database.reading(SYSTEM) as tx:
        assert set((await tx.connection.execute(select(FACTS.c.value))).scalars()) == {"aa", "bb"}


@sqlite_only
async def test_a_writer_waits_for_another_process(database: Database, database_url: str) -> None:
    other = sqlite3.connect(str(make_url(database_url).database), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waiting = asyncio.create_task(database.shared_transaction(SYSTEM, note("waited")))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    assert await noted(database) == set()

    other.execute("ROLLBACK")
    await waiting
    other.close()
    assert await noted(database) == {"waited"}


@sqlite_only
async def test_a_lock_that_is_never_released_fails_all_that_wait_at_once(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestrator.store.sqlite.BUSY_TIMEOUT_S", 0.05)
    other = sqlite3.connect(str(make_url(database_url).database), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    async with asyncio.timeout(5):
        answers = await asyncio.gather(
            *(database.shared_transaction(SYSTEM, note(f"{number}")) for number in range(100)),
            return_exceptions=True,
        )
    assert all(isinstance(answer, sqlite3.OperationalError) for answer in answers)

    other.execute("ROLLBACK")
    other.close()
    await database.shared_transaction(SYSTEM, note("next"))
    assert await noted(database) == {"next"}


async def test_a_transaction_that_is_cancelled_while_it_commits_is_kept_with_what_follows(
    database: Database,
) -> None:
    rung = asyncio.Event()

    async def ring() -> None:
        rung.set()

    async def write() -> None:
        async with database.transaction(SYSTEM) as tx:
            await note("kept")(tx)
            tx.after_commit(ring)
            asyncio.get_running_loop().call_soon(task.cancel)

    task = asyncio.create_task(write())
    await asyncio.wait([task])

    assert task.cancelled()
    assert await noted(database) == {"kept"}
    async with asyncio.timeout(5):
        await rung.wait()


async def test_the_name_that_stands_for_all_companies_is_no_companys(database: Database) -> None:
    with pytest.raises(ValueError, match="no company"):
        await database.shared_transaction(CompanyScope("*"), note("x"))


async def test_a_closed_database_refuses_work(database_url: str) -> None:
    database = await Database.open(database_url)
    await database.close()

    with pytest.raises(RuntimeError, match="closed"):
        await database.shared_transaction(SYSTEM, note("x"))
    with pytest.raises(RuntimeError, match="closed"):
        await noted(database)
