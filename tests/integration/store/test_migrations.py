"""The schema: the same as the models, made once by whoever comes first, and guarded by row-level security."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, insert, inspect, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

from orchestrator.domain.company import CompanyScope
from orchestrator.startup import StartupError
from orchestrator.store import models
from orchestrator.store.database import Database, SystemScope
from orchestrator.store.migrations import upgrade
from tests.support.factories import Factories
from tests.support.postgresql import PostgresServer

COMPANIES = models.CompanyRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
SESSIONS = models.SessionRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it


@pytest.fixture
def empty_database_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if database_kind == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path}/empty.db"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    url = server.create_empty_database()
    yield url
    server.drop_database(url)


async def differences(url: str) -> list[object]:
    """What Alembic would change to make the database as the models say."""

    def compare(connection: Connection) -> list[object]:
        found: list[object] = compare_metadata(
            MigrationContext.configure(connection, opts={"compare_type": True}), SQLModel.metadata
        )
        return found

    if url.startswith("sqlite"):
        engine = create_engine(url.replace("+aiosqlite", ""))
        with engine.connect() as connection:
            found = compare(connection)
        engine.dispose()
        return found
    async_engine = create_async_engine(url)
    async with async_engine.connect() as async_connection:
        found = await async_connection.run_sync(compare)
    await async_engine.dispose()
    return found


async def test_the_migrated_schema_is_that_of_the_models(database_url: str) -> None:
    assert await differences(database_url) == []


async def test_migrating_again_changes_nothing(database_url: str) -> None:
    await asyncio.to_thread(upgrade, database_url)

    assert await differences(database_url) == []


async def test_several_that_start_at_once_migrate_once(empty_database_url: str) -> None:
    await asyncio.gather(*(asyncio.to_thread(upgrade, empty_database_url) for _ in range(4)))

    assert await differences(empty_database_url) == []


async def test_a_schema_of_a_newer_version_is_refused(database: Database, database_url: str) -> None:
    async with database.transaction(SystemScope()) as tx:
        await tx.connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(StartupError, match="9999"):
        await asyncio.to_thread(upgrade, database_url)


async def test_a_database_that_cannot_be_reached_is_one_clear_sentence() -> None:
    for url in (
        "sqlite+aiosqlite:////no/such/folder/ponte.db",
        "postgresql+asyncpg://ponte:secret@127.0.0.1:1/ponte",
    ):
        with pytest.raises(StartupError, match="PONTE_DATABASE_URL") as failure:
            await asyncio.to_thread(upgrade, url)
        assert "secret" not in str(failure.value)


async def test_every_table_of_companies_says_whose_its_rows_are(database_url: str) -> None:
    for name, table in SQLModel.metadata.tables.items():
        assert name in ("metadata", "company", "gateway") or "company_id" in table.c


@pytest.mark.parametrize("database_kind", ["postgresql"])
async def test_every_table_that_companies_own_is_guarded_even_from_its_owner(database_url: str) -> None:
    engine = create_async_engine(database_url)
    async with engine.connect() as connection:
        guarded = text("SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity")
        names = set((await connection.execute(guarded)).scalars())
        tables = set(await connection.run_sync(lambda sync: inspect(sync).get_table_names()))
    await engine.dispose()

    assert tables - names == {"metadata", "alembic_version"}


@pytest.mark.parametrize("database_kind", ["postgresql"])
async def test_a_query_that_forgets_the_company_sees_its_own_rows_only(
    database: Database, make: Factories
) -> None:
    mine, other = await make.company(), await make.company()
    for scope in (mine, other):
        await make.linked_session(scope)

    async with database.reading(mine) as tx:
        assert (await tx.connection.execute(select(SESSIONS.c.company_id))).scalars().all() == [
            mine.company_id
        ]
        assert (await tx.connection.execute(select(COMPANIES.c.id))).scalars().all() == [mine.company_id]
    async with database.reading(SystemScope()) as tx:
        assert len((await tx.connection.execute(select(SESSIONS.c.id))).all()) == 2


@pytest.mark.parametrize("database_kind", ["postgresql"])
async def test_a_row_of_another_company_can_be_neither_changed_nor_made(
    database: Database, make: Factories
) -> None:
    mine, other = await make.company(), await make.company()
    session = await make.linked_session(other)

    async with database.transaction(mine) as tx:
        changed = await tx.connection.execute(
            update(SESSIONS).where(SESSIONS.c.id == session.id).values(name="taken")
        )
    assert changed.rowcount == 0
    with pytest.raises(DBAPIError, match="row-level security"):
        await make_event_counter(database, mine, other)


async def make_event_counter(database: Database, scope: CompanyScope, other: CompanyScope) -> None:
    counters = models.EventCounterRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
    async with database.transaction(scope) as tx:
        await tx.connection.execute(
            insert(counters), {"company_id": f"{other.company_id[:-1]}x", "last_sequence": 1}
        )


@pytest.mark.parametrize("database_kind", ["postgresql"])
@pytest.mark.parametrize("company", ["'; DROP TABLE company; --", "x' OR 'a'='a", "", "\\"])
async def test_a_companys_name_in_the_setting_is_only_ever_a_value(
    database: Database, make: Factories, company: str
) -> None:
    await make.company()

    async with database.reading(CompanyScope(company)) as tx:
        assert (await tx.connection.execute(select(COMPANIES.c.id))).all() == []
        setting = text("SELECT current_setting('ponte.company_id', true)")
        assert (await tx.connection.execute(setting)).scalar_one() == company


@pytest.mark.parametrize("database_kind", ["postgresql"])
async def test_without_a_company_named_nothing_is_seen(
    database: Database, database_url: str, make: Factories
) -> None:
    await make.company()
    engine = create_async_engine(database_url)
    async with engine.connect() as connection:
        assert (await connection.execute(select(COMPANIES.c.id))).all() == []
    await engine.dispose()
