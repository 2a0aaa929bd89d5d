"""Names of persons that were plain hashes, in a database of an earlier schema."""

import asyncio

import pytest
from alembic import command
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from orchestrator.store import migrations
from orchestrator.store.database import Database, SystemScope

HASH, OTHER_HASH = "a" * 32, "b" * 32
ENTRIES = (
    ("1", "mine", "campaign.sent", HASH),
    ("2", "mine", "suppression.added", HASH),
    ("3", "mine", "suppression.removed", OTHER_HASH),
    ("4", "other", "campaign.sent", HASH),
    ("5", "mine", "policy.updated", "the-session"),
)


def as_it_was(connection: Connection) -> None:
    """Take the schema back to before, and write what was written then."""
    config = migrations._config()
    config.attributes["connection"] = connection
    command.downgrade(config, "0030")
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT set_config('ponte.company_id', '*', true)"))
    for id_, company, action, subject in ENTRIES:
        connection.execute(
            text(
                "INSERT INTO audit (id, company_id, at, actor, action, subject, detail)"
                " VALUES (:id, :company, CURRENT_TIMESTAMP, 'ponte', :action, :subject, '{}')"
            ),
            {"id": id_, "company": company, "action": action, "subject": subject},
        )


async def take_back(url: str) -> None:
    if url.startswith("sqlite"):
        engine = create_engine(url.replace("+aiosqlite", ""))
        with engine.begin() as connection:
            await asyncio.to_thread(as_it_was, connection)
        engine.dispose()
        return
    async_engine = create_async_engine(url)
    async with async_engine.begin() as async_connection:
        await async_connection.run_sync(as_it_was)
    await async_engine.dispose()


async def test_old_names_are_replaced_alike_and_the_log_stays_closed(
    database: Database, database_url: str
) -> None:
    await take_back(database_url)
    await asyncio.to_thread(migrations.upgrade, database_url)

    async with database.reading(SystemScope()) as tx:
        rows = await tx.connection.execute(text("SELECT id, subject FROM audit"))
        subjects = {row.id: row.subject for row in rows}
    assert subjects["5"] == "the-session"
    assert subjects["1"] == subjects["2"]
    assert len({subjects[id_] for id_ in "134"} | {HASH, OTHER_HASH}) == 5
    for change in ("UPDATE audit SET subject = 'x'", "DELETE FROM audit"):
        with pytest.raises(DBAPIError, match="append-only"):
            async with database.transaction(SystemScope()) as tx:
                await tx.connection.execute(text(change))
