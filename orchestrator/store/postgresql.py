"""PostgreSQL over asyncpg; each transaction says for which company it is, and row-level security holds it to that."""

from typing import Any

from loguru import logger
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from orchestrator.store.json_text import dump_json

COMMAND_TIMEOUT_S = 60.0
CONNECT_TIMEOUT_S = 10.0
IDLE_IN_TRANSACTION_S = 5.0
"""After so long without a statement the server ends a writing transaction with its connection. A process that was
frozen in the middle of one would keep its locks, and with them a company's event counter, from everybody else until it
wakes."""

_BEGIN_WRITE = "BEGIN"
# It holds no locks that others wait for, so a process that stood still for seconds need not lose it.
_BEGIN_READ = (
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL idle_in_transaction_session_timeout = '60s'"
)
_BYPASSES_SECURITY = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"


def make_engine(url: URL) -> AsyncEngine:
    """Make the engine of a server's database; opens nothing yet."""
    return create_async_engine(
        url,
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        json_serializer=dump_json,
        # Errors are logged: they must not carry what messages say or to whom.
        hide_parameters=True,
        connect_args={
            "timeout": CONNECT_TIMEOUT_S,
            "command_timeout": COMMAND_TIMEOUT_S,
            "server_settings": {
                "application_name": "ponte",
                # Compiling small queries costs more than it saves.
                "jit": "off",
                # `begin` quotes a company's id by it.
                "standard_conforming_strings": "on",
                "idle_in_transaction_session_timeout": str(round(IDLE_IN_TRANSACTION_S * 1000)),
            },
        },
    )


class PostgresLink:
    """One connection to the server."""

    def __init__(self, connection: AsyncConnection, raw: Any) -> None:
        self.connection = connection
        self._raw = raw

    @classmethod
    async def open(cls, engine: AsyncEngine) -> "PostgresLink":
        """Connect."""
        connection = await engine.connect()
        pooled = await connection.get_raw_connection()
        return cls(connection, pooled.driver_connection)

    @property
    def lost(self) -> bool:
        """True when the connection broke."""
        return self.connection.closed or self.connection.invalidated or bool(self._raw.is_closed())

    @property
    def in_transaction(self) -> bool:
        """See Link."""
        return bool(self._raw.is_in_transaction())

    async def begin(self, *, write: bool, company: str) -> None:
        """Start a transaction and say for which company, in one round trip.

        Raises ValueError for a name that no company can have.
        """
        if "\0" in company:
            raise ValueError("a company's id has no NUL")
        literal = company.replace("'", "''")
        start = _BEGIN_WRITE if write else _BEGIN_READ
        await self._raw.execute(f"{start}; SET LOCAL ponte.company_id = '{literal}'")

    async def commit(self) -> None:
        """Make it durable."""
        await self._raw.execute("COMMIT")

    async def rollback(self) -> None:
        """Undo the transaction, if one is open."""
        if self.in_transaction:
            await self._raw.execute("ROLLBACK")

    async def close(self) -> None:
        """Close the connection."""
        if self.lost:
            self._raw.terminate()
        await self.connection.close()

    async def warn_about_powers(self) -> None:
        """Log a warning where the role is not held by row-level security."""
        if await self._raw.fetchval(_BYPASSES_SECURITY):
            logger.warning(
                "The database role is a superuser or bypasses row-level security; give Ponte a plain role of its own."
            )
