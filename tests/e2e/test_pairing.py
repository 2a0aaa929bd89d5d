"""Linking a number as a person does: from the terminal, by QR or by code."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import aiohttp
import pytest

from tests.support.company import make_company, wait_for_state
from tests.support.ponte import ADMIN_KEY, PonteProcess, RestClient, running_ponte
from tests.support.qr_reader import read_terminal
from tests.support.simulator import SimulatorClient
from tests.support.terminal import ponte_on_terminal

pytestmark = pytest.mark.e2e

NUMBER = "+5511900000001"


@pytest.fixture
async def ponte(data_dir: Path, simulator_environment: Mapping[str, str]) -> AsyncIterator[PonteProcess]:
    """A running Ponte with everything embedded."""
    async with running_ponte(data_dir, simulator_environment) as process:
        yield process


@pytest.fixture
async def admin(ponte: PonteProcess) -> AsyncIterator[RestClient]:
    """A client with the administrator's key."""
    async with aiohttp.ClientSession() as http:
        yield RestClient(http, ponte.http_url, ADMIN_KEY)


async def test_a_number_is_linked_by_the_qr_on_the_terminal(
    ponte: PonteProcess, simulator: SimulatorClient, admin: RestClient
) -> None:
    _, key = await make_company(admin, "Ana")
    await simulator.create_phone(NUMBER)
    async with ponte_on_terminal(
        "session", "pair", "--url", ponte.http_url, extra={"PONTE_KEY": key}
    ) as terminal:
        screen = await terminal.shows(lambda screen: read_terminal(screen) != "")
        await simulator.scan(NUMBER, read_terminal(screen))
        await terminal.shows(lambda screen: f"Linked {NUMBER}" in screen)
        assert await terminal.ended() == 0


async def test_a_number_is_linked_by_a_code_of_ones_own_on_the_terminal(
    ponte: PonteProcess, simulator: SimulatorClient, admin: RestClient
) -> None:
    _, key = await make_company(admin, "Ana")
    await simulator.create_phone(NUMBER)
    arguments = ("session", "pair", "--url", ponte.http_url, "--phone", NUMBER, "--code", "P0NTE4U2")
    async with ponte_on_terminal(*arguments, extra={"PONTE_KEY": key}) as terminal:
        await terminal.shows(lambda screen: "P0NT-E4U2" in screen)
        await simulator.enter_code(NUMBER, "P0NTE4U2")
        await terminal.shows(lambda screen: f"Linked {NUMBER}" in screen)
        assert await terminal.ended() == 0


async def test_leaving_the_terminal_cancels_the_pairing(ponte: PonteProcess, admin: RestClient) -> None:
    _, key = await make_company(admin, "Ana")
    client = admin.with_key(key)
    session = await client.post("/v1/sessions", {"name": "Sales"})
    arguments = ("session", "pair", "--url", ponte.http_url, "--session", session["id"])
    async with ponte_on_terminal(*arguments, extra={"PONTE_KEY": key}) as terminal:
        await terminal.shows(lambda screen: "Then scan:" in screen)
        assert (await client.get(f"/v1/sessions/{session['id']}"))["state"] == "PAIRING"
        await terminal.interrupt()
    ended = await wait_for_state(client, session["id"], "NEW", timeout_s=5)
    assert ended["last_close"]["reason"] == "pairing_cancelled"
