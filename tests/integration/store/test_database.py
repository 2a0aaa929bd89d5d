"""Transactions, scopes, group commit and what follows a commit, on both databases."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from orchestrator.domain.company import CompanyScope
from orchestrator.startup import StartupError
from orchestrator.store.database import Database, SystemScope, Transaction
from orchestrator.store.models import MetadataRow

SYSTEM = SystemScope()
FACTS = MetadataRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it


def note(name: str, value: str = "") -> Callable[[Transaction], Awaitable[str]]:
    """Work that writes one row and gives its name."""

    async def work(tx: Transaction) -> str:
        await tx.connection.execute(insert(FACTS), {"name": name, "value": value})
        return name

    return work


async def noted(database: Database) -> set[str]:
    async with database.reading(SYSTEM) as tx:
        return set((await tx.connection.execute(select(FACTS.c.name))).scalars()) - {""}


async def test_a_transaction_is_kept_when_its_block_ends(database: Database) -> None:
    async with database.transaction(SYSTEM) as tx:
        await note("kept")(tx)

    assert await noted(database) == {"kept"}


async def test_a_transaction_is_undone_when_its_block_raises(database: Database) -> None:
    async def fail() -> None:
        async with database.transaction(SYSTEM) as tx:
            await note("undone")(tx)
            raise LookupError

    with pytest.raises(LookupError):
        await fail()

    assert await noted(database) == set()


async def test_a_cancelled_transaction_is_undone_and_the_connection_used_again(database: Database) -> None:
    entered = asyncio.Event()

    async def hang() -> None:
        async with database.transaction(SYSTEM) as tx:
            await note("undone")(tx)
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(hang())
    await entered.wait()
    task.cancel()
    await asyncio.wait([task])

    async with database.transaction(SYSTEM) as tx:
        await note("kept")(tx)
    assert await noted(database) == {"kept"}


async def test_reading_cannot_write(database: Database) -> None:
    with pytest.raises(DBAPIError, match=r"(?i)read.?only"):
        async with database.reading(SYSTEM) as tx:
            await note("refused")(tx)

    assert await noted(database) == set()


async def test_reading_sees_one_state_of_the_database(database: Database) -> None:
    async with database.reading(SYSTEM) as tx:
        before = (await tx.connection.execute(select(FACTS.c.name))).all()
        async with database.transaction(SYSTEM) as other:
            await note("later")(other)
        after = (await tx.connection.execute(select(FACTS.c.name))).all()

    assert before == after == []
    assert await noted(database) == {"later"}


async def test_after_commit_is_called_once_and_only_after_a_commit(database: Database) -> None:
    called: list[str] = []

    async def call() -> None:
        called.append("after commit")

    async def fail() -> None:
        async with database.transaction(SYSTEM) as tx:
            tx.after_commit(call)
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert called == []

    async with database.transaction(SYSTEM) as tx:
        tx.after_commit(call)
        assert called == []
    assert called == ["after commit"]


async def test_what_fails_after_the_commit_fails_nobody(database: Database) -> None:
    called: list[str] = []

    async def fail() -> None:
        raise LookupError

    async def call() -> None:
        called.append("the next one")

    async with database.transaction(SYSTEM) as tx:
        await note("kept")(tx)
        tx.after_commit(fail)
        tx.after_commit(call)

    assert called == ["the next one"]
    assert await noted(database) == {"kept"}


async def test_pieces_that_arrive_together_are_all_kept_and_answered(database: Database) -> None:
    names = [f"piece {number}" for number in range(300)]

    answers = await asyncio.gather(*(database.shared_transaction(SYSTEM, note(name)) for name in names))

    assert answers == names
    assert await noted(database) == set(names)


async def test_a_piece_that_fails_harms_no_other(database: Database) -> None:
    async with database.transaction(SYSTEM) as tx:
        await note("taken")(tx)
    names = ["a", "taken", "b", "taken", "c", "taken", "d"]

    answers = await asyncio.gather(
        *(database.shared_transaction(SYSTEM, note(name)) for name in names), return_exceptions=True
    )

    assert [isinstance(answer, IntegrityError) for answer in answers] == [name == "taken" for name in names]
    assert await noted(database) == {"taken", "a", "b", "c", "d"}


async def test_hooks_of_shared_pieces_are_called_once_each_however_often_the_pieces_ran(
    database: Database,
) -> None:
    rung: list[int] = []

    def ringing(number: int) -> Callable[[Transaction], Awaitable[None]]:
        async def ring() -> None:
            rung.append(number)

        async def work(tx: Transaction) -> None:
            tx.after_commit(ring)
            if number % 3 == 0:
                raise LookupError

        return work

    await asyncio.gather(
        *(database.shared_transaction(SYSTEM, ringing(number)) for number in range(10)),
        return_exceptions=True,
    )

    assert sorted(rung) == [1, 2, 4, 5, 7, 8]


async def test_pieces_of_different_companies_keep_apart(database: Database) -> None:
    scopes = [CompanyScope(f"company {number % 7}") for number in range(70)]

    answers = await asyncio.gather(
        *(database.shared_transaction(scope, note(f"{number}")) for number, scope in enumerate(scopes))
    )

    assert await noted(database) == set(answers)


async def test_a_waiting_piece_that_is_cancelled_is_not_run(database: Database) -> None:
    ran: list[str] = []
    hold = asyncio.Event()

    async def slow(tx: Transaction) -> None:
        await hold.wait()

    async def never(tx: Transaction) -> None:
        ran.append("ran")

    first = asyncio.create_task(database.shared_transaction(SYSTEM, slow))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    second = asyncio.create_task(database.shared_transaction(SYSTEM, never))
    await asyncio.sleep(0)
    second.cancel()
    hold.set()
    await first
    await asyncio.wait([second])
    await database.shared_transaction(SYSTEM, note("last"))

    assert second.cancelled()
    assert ran == []


async def test_a_piece_whose_caller_is_cancelled_while_it_runs_is_kept_with_its_hooks(
    database: Database,
) -> None:
    running, hold, rung = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def ring() -> None:
        rung.set()

    async def work(tx: Transaction) -> None:
        tx.after_commit(ring)
        running.set()
        await hold.wait()
        await note("kept")(tx)

    task = asyncio.create_task(database.shared_transaction(SYSTEM, work))
    await running.wait()
    task.cancel()
    await asyncio.wait([task])
    hold.set()
    await database.shared_transaction(SYSTEM, note("next"))

    assert await noted(database) == {"kept", "next"}
    async with asyncio.timeout(5):
        await rung.wait()


async def test_closing_waits_for_writes_in_the_background(database_url: str) -> None:
    database = await Database.open(database_url)
    for number in range(20):
        database.write_behind(SYSTEM, note(f"{number}"))
    await database.close()

    again = await Database.open(database_url)
    assert len(await noted(again)) == 20
    await again.close()


async def test_nothing_is_left_of_a_closed_database(
    nothing_left: None, no_tasks_left: None, database_url: str
) -> None:
    database = await Database.open(database_url)
    await asyncio.gather(*(database.shared_transaction(SYSTEM, note(f"{number}")) for number in range(5)))
    await asyncio.gather(*(noted(database) for _ in range(5)))
    await database.close()


async def test_two_processes_worth_of_writers_take_turns(database_url: str) -> None:
    databases = [await Database.open(database_url) for _ in range(2)]

    async def write(database: Database, number: int) -> None:
        for piece in range(20):
            await database.shared_transaction(SYSTEM, note(f"{number}.{piece}"))

    await asyncio.gather(*(write(database, number) for number, database in enumerate(databases)))

    assert len(await noted(databases[0])) == 40
    for database in databases:
        await database.close()


async def test_random_failures_and_cancellations_lose_and_double_nothing(
    database: Database, rng: Random
) -> None:
    kept: set[str] = set()
    attempts = 0

    async def one(number: int) -> None:
        nonlocal attempts
        name, fails, cancels = f"{number}", rng.random() < 0.2, rng.random() < 0.2
        runs = 0

        async def work(tx: Transaction) -> str:
            nonlocal attempts, runs
            attempts += 1
            await note(name)(tx)
            if fails:
                raise LookupError
            return name

        task = asyncio.create_task(database.shared_transaction(SYSTEM, work))
        if cancels:
            await asyncio.sleep(rng.random() * 0.02)
            task.cancel()
        await asyncio.wait([task])
        if not task.cancelled() and task.exception() is None:
            kept.add(name)

    await asyncio.gather(*(one(number) for number in range(400)))
    await database.shared_transaction(SYSTEM, note("last"))

    assert kept <= await noted(database)
    assert attempts >= 300


async def test_an_unreachable_database_is_one_clear_sentence() -> None:
    with pytest.raises(StartupError, match="PONTE_DATABASE_URL"):
        await Database.open("sqlite+aiosqlite:////no/such/folder/ponte.db")
    with pytest.raises(StartupError, match="PONTE_DATABASE_URL") as failure:
        await Database.open("postgresql+asyncpg://ponte:secret@127.0.0.1:1/ponte")
    assert "secret" not in str(failure.value)
    with pytest.raises(StartupError, match="neither"):
        await Database.open("mysql://localhost/ponte")


async def test_a_write_in_the_background_that_fails_harms_nobody(database: Database) -> None:
    called: list[str] = []

    async def call() -> None:
        called.append("after commit")

    async def fail(tx: Transaction) -> None:
        raise LookupError

    async def succeed(tx: Transaction) -> None:
        tx.after_commit(call)

    database.write_behind(SYSTEM, fail)
    database.write_behind(SYSTEM, succeed)
    await database.shared_transaction(SYSTEM, note("next"))
    await asyncio.sleep(0)

    assert await noted(database) == {"next"}
    assert called == ["after commit"]


async def test_lanes_of_companies_that_have_nothing_to_write_are_forgotten(database: Database) -> None:
    for number in range(1100):
        await database.shared_transaction(CompanyScope(f"{number}"), nothing)

    assert len(database._lanes) <= 1001


async def nothing(tx: Transaction) -> None:
    """Work that does nothing."""
