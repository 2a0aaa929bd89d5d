"""Houses for sessions; the simulator and the bridge are started once a file."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.support.group_circle import Circle, make_circle
from tests.support.session_house import Servers, SessionHouse, running_house, running_servers


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def servers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Servers]:
    """A simulator and a bridge."""
    async with running_servers(tmp_path_factory.mktemp("servers")) as running:
        yield running


@pytest.fixture
def gateway_settings() -> dict[str, Any]:
    """Settings of the house's gateway; a test or a file overrides them."""
    return {}


@pytest_asyncio.fixture(loop_scope="module")
async def house(
    servers: Servers, database_url: str, gateway_settings: dict[str, Any]
) -> AsyncIterator[SessionHouse]:
    """A running house with one company."""
    async with running_house(servers, database_url, **gateway_settings) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def circle(house: SessionHouse) -> Circle:
    """The house's number in a group with two people."""
    return await make_circle(house)
