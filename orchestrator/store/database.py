"""The database: transactions scoped to a company, and group commit for hot paths."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from loguru import logger
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from orchestrator.domain.company import CompanyScope
from orchestrator.startup import StartupError
from orchestrator.store import postgresql, sqlite
from orchestrator.store.group_commit import GroupCommit, Hook, InTheWay, Piece, TransactionFailed, call_hooks
from orchestrator.store.links import Link, LinkPool, finish

T = TypeVar("T")

_ALL_COMPANIES = "*"
_SQLITE_READERS = 4
_MOST_LANES = 1000  # more than this only while they all have work
_IN_THE_WAY = ("40P01", "40001")  # PostgreSQL's deadlock_detected and serialization_failure


@dataclass(frozen=True, slots=True)
class SystemScope:
    """Work across companies: authentication, leases, maintenance."""


Scope = CompanyScope | SystemScope


class Transaction:
    """An open transaction. Use SQLAlchemy Core on `connection`; never commit on it."""

    __slots__ = ("_hooks", "connection", "dialect")

    def __init__(self, connection: AsyncConnection, dialect: str, hooks: list[Hook]) -> None:
        self.connection = connection
        self.dialect = dialect
        """`sqlite` or `postgresql`."""
        self._hooks = hooks

    def after_commit(self, call: Hook) -> None:
        """Call this once after the commit; errors are logged. Not called when the transaction is undone."""
        self._hooks.append(call)


class _Unit:
    """A transaction that several pieces of work share."""

    def __init__(self, link: Link, dialect: str) -> None:
        self._link = link
        self._dialect = dialect

    async def run(self, piece: Piece) -> Any:
        try:
            return await piece.work(Transaction(self._link.connection, self._dialect, piece.hooks))
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) in _IN_THE_WAY:
                raise InTheWay from error
            raise


class Database:
    """SQLite in WAL mode (one writer) or PostgreSQL (a pool of connections)."""

    def __init__(self, engine: AsyncEngine, writers: LinkPool, readers: LinkPool) -> None:
        self.dialect: str = engine.dialect.name
        """`sqlite` or `postgresql`."""
        self._engine = engine
        self._writers = writers
        self._readers = readers
        self._lanes: dict[str, GroupCommit] = {}
        self._background: set[asyncio.Task[None]] = set()

    @classmethod
    async def open(cls, url: str, *, pool_size: int = 10) -> "Database":
        """Open `sqlite+aiosqlite:///path` or `postgresql+asyncpg://...`; `pool_size` is PostgreSQL's connections.

        Raises StartupError where the database cannot be reached.
        """
        try:
            return await cls._open(url, pool_size)
        except Exception as error:
            raise StartupError(
                f"The database {_without_password(url)} cannot be opened ({error}); check PONTE_DATABASE_URL."
            ) from error

    @classmethod
    async def _open(cls, url: str, pool_size: int) -> "Database":
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            sqlite.check_folder(parsed)
            engine = sqlite.make_engine(parsed)
            writers = LinkPool(lambda: sqlite.SqliteLink.open(engine, write=True), 1)
            readers = LinkPool(lambda: sqlite.SqliteLink.open(engine, write=False), _SQLITE_READERS)
        elif parsed.get_backend_name() == "postgresql":
            engine = postgresql.make_engine(parsed)
            writers = readers = LinkPool(lambda: postgresql.PostgresLink.open(engine), pool_size)
        else:
            raise ValueError("it is neither sqlite+aiosqlite:// nor postgresql+asyncpg://")
        database = cls(engine, writers, readers)
        try:
            await database._greet()
        except BaseException:
            await database.close()
            raise
        return database

    async def close(self) -> None:
        """Finish what was handed to shared_transaction and write_behind, then close all connections."""
        for lane in list(self._lanes.values()):
            await lane.drained()
        if self._background:
            await asyncio.wait(self._background)
        await self._writers.close()
        await self._readers.close()
        await self._engine.dispose()

    @asynccontextmanager
    async def transaction(self, scope: Scope) -> AsyncIterator[Transaction]:
        """A read-write transaction: committed at the end of the block, undone when it raises.

        On SQLite it is the only writer while it lasts.
        """
        hooks: list[Hook] = []
        link = await self._writers.begin(write=True, company=_company(scope))
        try:
            yield Transaction(link.connection, self.dialect, hooks)
            try:
                await finish(link.commit())
            except asyncio.CancelledError:
                self._call_later(hooks)
                raise
        finally:
            await self._writers.give_back(link)
        await call_hooks(hooks)

    @asynccontextmanager
    async def reading(self, scope: Scope) -> AsyncIterator[Transaction]:
        """A read-only transaction that sees one state of the database."""
        link = await self._readers.begin(write=False, company=_company(scope))
        try:
            yield Transaction(link.connection, self.dialect, [])
        finally:
            await self._readers.give_back(link)

    async def shared_transaction(self, scope: Scope, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Run `work` in a transaction shared with what arrives at the same time, and give its result once committed.

        When a piece raises, all of them are undone and run again, so `work` must be repeatable.
        """
        piece = self._queue(scope, work)
        try:
            result: T = await piece.done
        except asyncio.CancelledError:
            if piece.done.done() and not piece.done.cancelled() and piece.done.exception() is None:
                self._call_later(piece.hooks)
            raise
        if piece.hooks:
            await call_hooks(piece.hooks)
        return result

    def write_behind(self, scope: Scope, work: Callable[[Transaction], Awaitable[object]]) -> None:
        """Write what nobody waits for; what fails is logged. `close` waits for it."""
        piece = self._queue(scope, work)

        def settle(done: asyncio.Future[None]) -> None:
            if done.cancelled():
                return
            if error := done.exception():
                logger.opt(exception=error).error("A write in the background failed.")
            elif piece.hooks:
                self._call_later(piece.hooks)

        piece.done.add_done_callback(settle)

    def _queue(self, scope: Scope, work: Callable[[Transaction], Awaitable[T]]) -> Piece:
        piece = Piece(work, asyncio.get_running_loop().create_future())
        self._lane(scope).add(piece)
        return piece

    def _lane(self, scope: Scope) -> GroupCommit:
        """SQLite has one writer, so one lane. On PostgreSQL each company has its own: its event counter's row
        orders its transactions anyway, and a row-level security setting holds for a whole transaction."""
        name = _ALL_COMPANIES if self.dialect == "sqlite" else _company(scope)
        lane = self._lanes.get(name)
        if lane is None:
            if len(self._lanes) >= _MOST_LANES:
                self._lanes = {key: kept for key, kept in self._lanes.items() if not kept.idle}
            lane = self._lanes[name] = GroupCommit(lambda: self._unit(scope), self._call_later)
        return lane

    @asynccontextmanager
    async def _unit(self, scope: Scope) -> AsyncIterator[_Unit]:
        """Runs in a lane's own task, which nobody cancels."""
        try:
            link = await self._writers.begin(write=True, company=_company(scope))
        except Exception as error:
            raise TransactionFailed from error
        try:
            yield _Unit(link, self.dialect)
            try:
                await link.commit()
            except Exception as error:
                raise TransactionFailed from error
        finally:
            await self._writers.give_back(link)

    def _call_later(self, hooks: list[Hook]) -> None:
        task = asyncio.create_task(call_hooks(hooks))
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _greet(self) -> None:
        """Connect once, so that a wrong address is told at the start."""
        link = await self._writers.begin(write=False, company=_ALL_COMPANIES)
        try:
            if isinstance(link, postgresql.PostgresLink):
                await link.warn_about_powers()
        finally:
            await self._writers.give_back(link)


def _company(scope: Scope) -> str:
    if isinstance(scope, SystemScope):
        return _ALL_COMPANIES
    if scope.company_id == _ALL_COMPANIES:
        raise ValueError("no company has this id")
    return scope.company_id


def _without_password(url: str) -> str:
    try:
        return make_url(url).render_as_string(hide_password=True)
    except Exception:
        return "given"
