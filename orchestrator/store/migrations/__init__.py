"""The schema's versions, and how a database is brought to the newest."""

import asyncio
import sqlite3
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from orchestrator.startup import StartupError

LOCK_TIMEOUT_S = 60.0
"""How long to wait for another process that migrates the same database."""

_ADVISORY_LOCK = 0x706F6E7465  # "ponte"


def upgrade(url: str) -> None:
    """Bring the database to the newest schema; does nothing where it is there already.

    Safe when several processes start at once: one migrates, the others wait for it. Not to be called on a thread that
    runs an event loop (`await asyncio.to_thread(upgrade, url)`). Raises StartupError where the database cannot be
    reached or is newer than this version of Ponte.
    """
    parsed = make_url(url)
    try:
        if parsed.get_backend_name() == "sqlite":
            _upgrade_sqlite(parsed)
        else:
            asyncio.run(_upgrade_postgresql(parsed))
    except (DBAPIError, sqlite3.Error, OSError) as error:
        address = parsed.render_as_string(hide_password=True)
        # The driver's own words: SQLAlchemy's go on for several lines.
        reason = str(error.orig if isinstance(error, DBAPIError) else error).splitlines()[0]
        raise StartupError(
            f"The database {address} cannot be migrated ({reason}); check PONTE_DATABASE_URL."
        ) from error


def demand_file(url: str) -> None:
    """Raise StartupError where SQLite's file is not there: opening it would make an empty one."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and not Path(str(parsed.database)).is_file():
        raise StartupError(f"There is no database at {parsed.database}: start 'ponte up' first.")


async def demand_newest(connection: AsyncConnection) -> None:
    """Raise StartupError where the database is not at the newest schema; changes nothing."""
    revision = await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())
    if revision != _scripts().get_current_head():
        raise StartupError(
            f"The database has schema {revision or 'none'}, not this version's: run 'ponte migrate' first."
        )


def _upgrade_sqlite(url: URL) -> None:
    engine = create_engine(
        url.set(drivername="sqlite"),
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        connect_args={"timeout": LOCK_TIMEOUT_S},
    )
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        connection.exec_driver_sql("PRAGMA synchronous=FULL")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        try:
            _upgrade_on(connection)
        except BaseException:
            connection.exec_driver_sql("ROLLBACK")
            raise
        connection.exec_driver_sql("COMMIT")


async def _upgrade_postgresql(url: URL) -> None:
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            await connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_S:.0f}s'"))
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ADVISORY_LOCK})
            await connection.run_sync(_upgrade_on)
    finally:
        await engine.dispose()


def _upgrade_on(connection: Connection) -> None:
    config = _config()
    revision = MigrationContext.configure(connection).get_current_revision()
    scripts = _scripts()
    if revision == scripts.get_current_head():
        return
    if revision is not None and revision not in {script.revision for script in scripts.walk_revisions()}:
        raise StartupError(
            f"The database has schema {revision}, which this version of Ponte does not know; use a newer Ponte."
        )
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())
