"""SQLite: statements run on the event loop's own thread, commits on another.

A statement takes some 10 microseconds, less than handing it to a thread (aiosqlite does so three or four times for
each, and each change waits for the interpreter lock). Only COMMIT waits for the disk; it runs on the link's own thread.
"""

import asyncio
import sqlite3
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, cast

from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool
from sqlalchemy.util.concurrency import await_only

from orchestrator.store.json_text import dump_json

BUSY_TIMEOUT_S = 10.0
"""How long a transaction waits for another process's."""

_BUSY_POLL_S = 0.005
_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA cache_size=-20000",
    f"PRAGMA busy_timeout={int(BUSY_TIMEOUT_S * 1000)}",
)


async def _at_once() -> None:
    """SQLAlchemy's asyncio layer demands that a driver awaits something."""


class _InlineCursor(sqlite3.Cursor):
    """Takes all rows at once: an unfinished statement would outlive its transaction."""

    server_side = False

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self._rows: deque[Any] = deque()

    def execute(self, *arguments: Any) -> "_InlineCursor":
        await_only(_at_once())
        super().execute(*arguments)
        if self.description:
            self._rows = deque(super().fetchall())
        return self

    def executemany(self, *arguments: Any) -> "_InlineCursor":
        await_only(_at_once())
        super().executemany(*arguments)
        return self

    def fetchone(self) -> Any:
        return self._rows.popleft() if self._rows else None

    def fetchmany(self, size: int | None = None) -> list[Any]:
        return [self._rows.popleft() for _ in range(min(size or self.arraysize, len(self._rows)))]

    def fetchall(self) -> list[Any]:
        rows, self._rows = list(self._rows), deque()
        return rows

    async def _async_soft_close(self) -> None:
        """Asked by SQLAlchemy's asyncio layer once the rows are taken."""


class _InlineConnection(sqlite3.Connection):
    def cursor(self, factory: Any = _InlineCursor) -> Any:
        return super().cursor(factory)


class InlineDialect(SQLiteDialect_pysqlite):
    """pysqlite without threads, for SQLAlchemy's asyncio engine."""

    driver = "inline"
    is_async = True
    supports_statement_cache = True


registry.register("sqlite.inline", __name__, "InlineDialect")


def make_engine(url: URL) -> AsyncEngine:
    """Make the engine of a database file; opens nothing yet."""
    if not url.database or url.database == ":memory:":
        raise ValueError("SQLite needs a file: sqlite+aiosqlite:///path/to/file")
    return create_async_engine(
        url.set(drivername="sqlite+inline"),
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        json_serializer=dump_json,
        # Errors are logged: they must not carry what messages say or to whom.
        hide_parameters=True,
        connect_args={"factory": _InlineConnection, "check_same_thread": False, "isolation_level": None},
    )


class SqliteLink:
    """One connection to the file; there is one for writing in a process, and some for reading."""

    lost = False

    def __init__(self, connection: AsyncConnection, raw: sqlite3.Connection) -> None:
        self.connection = connection
        self._raw = raw
        # Of sqlite3's own class: outside of SQLAlchemy there is nothing to await.
        self._cursor = sqlite3.Cursor(raw)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sqlite-commit")
        self._writing = False

    @classmethod
    async def open(cls, engine: AsyncEngine, *, write: bool) -> "SqliteLink":
        """Connect; a link for reading refuses to write."""
        connection = await engine.connect()
        pooled = await connection.get_raw_connection()
        link = cls(connection, cast(sqlite3.Connection, pooled.driver_connection))
        for pragma in _PRAGMAS:
            link._cursor.execute(pragma)
        # A writer polls instead of blocking the event loop; readers are never blocked in WAL mode.
        link._cursor.execute("PRAGMA busy_timeout=0" if write else "PRAGMA query_only=ON")
        link._cursor.fetchall()
        return link

    @property
    def in_transaction(self) -> bool:
        """See Link."""
        return self._raw.in_transaction

    async def begin(self, *, write: bool, company: str) -> None:
        """Start a transaction; the one that writes waits up to BUSY_TIMEOUT_S for other processes."""
        del company  # SQLite has no row-level security.
        self._writing = write
        if not write:
            self._cursor.execute("BEGIN")
            return
        deadline = time.monotonic() + BUSY_TIMEOUT_S
        while True:
            try:
                self._cursor.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
            await asyncio.sleep(_BUSY_POLL_S)

    async def commit(self) -> None:
        """Make it durable (synchronous=FULL: the write-ahead log is synced). A cancellation waits for its end."""
        if not self._writing:
            self._raw.commit()
            return
        await _result_of(self._thread.submit(self._raw.commit))

    async def rollback(self) -> None:
        """Undo the transaction, if one is open."""
        if self._raw.in_transaction:
            self._raw.rollback()

    async def close(self) -> None:
        """Close the connection and its thread."""
        await self.connection.close()
        self._thread.shutdown(wait=True)


async def _result_of(work: Future[None]) -> None:
    """Wait for a thread's work to its end; a cancellation is raised afterwards.

    asyncio's own way (run_in_executor, shield) takes three more turns of the event loop, each as long as all that is
    ready in it: that is most of a commit's latency on a busy loop.
    """
    loop = asyncio.get_running_loop()
    cancelled: asyncio.CancelledError | None = None
    while not work.done():
        waiter = loop.create_future()
        work.add_done_callback(partial(_wake_from_thread, loop, waiter))
        try:
            await waiter
        except asyncio.CancelledError as error:
            cancelled = error
    work.result()
    if cancelled is not None:
        raise cancelled


def _wake_from_thread(
    loop: asyncio.AbstractEventLoop, waiter: asyncio.Future[None], work: Future[None]
) -> None:
    loop.call_soon_threadsafe(_wake, waiter)


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


def check_folder(url: URL) -> None:
    """Raise FileNotFoundError where the file's folder does not exist."""
    folder = Path(str(url.database)).parent
    if not folder.is_dir():
        raise FileNotFoundError(f"the folder {folder} does not exist")
