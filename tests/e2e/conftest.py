"""A simulator and a Ponte of the test's own; deployments: everything embedded, and PostgreSQL with a given Redis."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.ponte import PonteProcess, running_ponte
from tests.support.postgresql import PostgresServer
from tests.support.simulator import SimulatorClient, running_simulator


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A data folder that is not there yet, with a short path: sockets live in it."""
    folder = Path(tempfile.mkdtemp(prefix="ponte-"))
    yield folder / "data"
    shutil.rmtree(folder)


@pytest.fixture
async def simulator(tmp_path: Path) -> AsyncIterator[SimulatorClient]:
    """A WhatsApp simulator of the test's own."""
    async with running_simulator(tmp_path) as client:
        yield client


@pytest.fixture
def simulator_environment(simulator: SimulatorClient) -> dict[str, str]:
    """Settings that make a Ponte use the simulator, everything else embedded."""
    return {
        "PONTE_WHATSAPP_URL": simulator.ws_url,
        "PONTE_SENDING_LIMITS": "lifted",
        **simulator.bridge_environment,
    }


@pytest.fixture(params=["embedded", "servers"])
def deployment(
    request: pytest.FixtureRequest, simulator_environment: dict[str, str]
) -> Iterator[Mapping[str, str]]:
    """Settings of both kinds of deployment, one after the other."""
    if request.param == "embedded":
        yield simulator_environment
        return
    postgres: PostgresServer = request.getfixturevalue("postgres_server")
    redis_url: str = request.getfixturevalue("redis_url")
    database_url = postgres.create_empty_database()
    yield {**simulator_environment, "PONTE_DATABASE_URL": database_url, "PONTE_REDIS_URL": redis_url}
    postgres.drop_database(database_url)


@pytest.fixture
async def ponte(data_dir: Path, deployment: Mapping[str, str]) -> AsyncIterator[PonteProcess]:
    """A running Ponte of either deployment."""
    async with running_ponte(data_dir, deployment) as process:
        yield process
