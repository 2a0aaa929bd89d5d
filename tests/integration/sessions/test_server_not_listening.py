"""A linked session whose server refuses connections (ECONNREFUSED), on real Baileys."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from orchestrator.domain.breaker import BreakerState
from tests.support.closable_port import ClosablePort, closable_port
from tests.support.session_house import Servers, SessionHouse, running_house
from tests.support.simulator import eventually

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.parametrize("database_kind", ["sqlite"]),
]


@pytest_asyncio.fixture(loop_scope="module")
async def port(servers: Servers) -> AsyncIterator[ClosablePort]:
    """What stands between the bridge and WhatsApp."""
    server_port = urlsplit(servers.simulator.ws_url).port
    assert server_port is not None
    async with closable_port(server_port) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def house(servers: Servers, database_url: str, port: ClosablePort) -> AsyncIterator[SessionHouse]:
    """A house that reaches WhatsApp through the port."""
    url = urlsplit(servers.simulator.ws_url)._replace(netloc=f"127.0.0.1:{port.port}").geturl()
    async with running_house(servers, database_url, whatsapp_url=url) as running:
        yield running


async def test_it_is_tried_again_ever_later_and_keeps_its_link(
    house: SessionHouse, port: ClosablePort
) -> None:
    session = await house.link()

    await port.close()

    for wait in (1, 2, 4):

        async def waits(wait: int = wait) -> bool:
            planned = (await house.row(session)).reconnect_at
            return bool(planned) and abs((planned - house.clock()).total_seconds() - wait) < 0.002

        await eventually(waits, timeout_s=20)
        seen = await house.session(session)
        last = seen["last_close"]
        assert seen["state"] == "RECONNECTING"
        assert (last["code"], last["reason"], last["permanent"]) == (428, "connection_closed", False)
        assert (await house.breaker(session)).state is BreakerState.CLOSED
        if wait < 4:
            await house.advance(session, wait)
    await port.open()
    await house.advance(session, 4)
    await house.reach(session, "CONNECTED")
