"""Fixtures that any test may use; tests/conftest.py registers them."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from random import Random

import pytest

from orchestrator.services.context import Context, SendingLimits
from orchestrator.store.database import Database
from orchestrator.store.migrations import upgrade
from orchestrator.store.vault import Vault
from tests.support import leaks, valkey
from tests.support.bells import RecordingBells
from tests.support.clock import ManualClock
from tests.support.factories import Factories
from tests.support.gateway import FakeGateway
from tests.support.postgresql import PostgresServer, running_postgresql
from tests.support.servers import ServerUnavailable, give_up

SEED = 20260105


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """This test process's PostgreSQL."""
    try:
        server = running_postgresql()
        with server as running:
            yield running
    except ServerUnavailable as error:
        give_up("PostgreSQL", error)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file that tests copy."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    upgrade(f"sqlite+aiosqlite:///{path}")
    return path


@pytest.fixture
def database_kind() -> str:
    """`sqlite`; integration tests get both kinds, one after the other (tests/conftest.py)."""
    return "sqlite"


@pytest.fixture
def database_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a migrated database of the test's own."""
    if database_kind == "sqlite":
        template: Path = request.getfixturevalue("sqlite_template")
        path = tmp_path / "ponte.db"
        path.write_bytes(template.read_bytes())
        yield f"sqlite+aiosqlite:///{path}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    url = server.create_database()
    yield url
    server.drop_database(url)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An open database of the test's own."""
    database = await Database.open(database_url)
    yield database
    await database.close()


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    """This test process's Redis; use `redis_url`, which empties it."""
    try:
        server = valkey.running_valkey()
        with server as url:
            yield url
    except ServerUnavailable as error:
        give_up("Redis", error)


@pytest.fixture
def redis_url(valkey_url: str) -> Iterator[str]:
    """The URL of an empty Redis database of the test's own."""
    valkey.empty(valkey_url)
    yield valkey_url
    valkey.empty(valkey_url)


@pytest.fixture
def clock() -> ManualClock:
    """A clock that the test moves."""
    return ManualClock()


@pytest.fixture
def rng() -> Random:
    """Randomness that is the same in every run."""
    return Random(SEED)


@pytest.fixture
def vault() -> Vault:
    """A vault with one key."""
    return Vault({"test": bytes(range(32))}, "test")


@pytest.fixture
def bells() -> RecordingBells:
    """Bells that write down who was rung."""
    return RecordingBells()


@pytest.fixture
def context(
    database: Database, vault: Vault, bells: RecordingBells, clock: ManualClock, rng: Random
) -> Context:
    """What services take, with a real database and everything else in memory."""
    return Context(database, vault, bells, clock, rng, sending_limits=SendingLimits.LIFTED)


@pytest.fixture
def make(context: Context) -> Factories:
    """Makes companies, sessions and messages."""
    return Factories(context)


@pytest.fixture
def gateway(clock: ManualClock) -> FakeGateway:
    """A gateway in memory."""
    return FakeGateway(clock)


@pytest.fixture
def nothing_left() -> Iterator[None]:
    """Fails a test that leaves a process, descriptor or thread behind. Name it first among the fixtures."""
    before = leaks.Holdings.now()
    yield
    leaks.assert_nothing_left(before)


@pytest.fixture
async def no_tasks_left() -> AsyncIterator[None]:
    """Fails a test that leaves a task running. Name it first among the fixtures."""
    before = set(leaks.other_tasks())
    yield
    deadline = asyncio.get_running_loop().time() + leaks.SETTLE_S
    while left := [task for task in leaks.other_tasks() if task not in before]:
        assert asyncio.get_running_loop().time() < deadline, f"left running: {left}"
        await asyncio.sleep(0.01)
