"""A bridge beyond its memory limit is started again, and its sessions with it."""

from collections.abc import Mapping
from pathlib import Path

import aiohttp
import pytest

from tests.support.company import link_company, wait_for_state
from tests.support.ponte import ADMIN_KEY, PonteProcess, RestClient, running_ponte
from tests.support.simulator import SimulatorClient, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

LESS_THAN_NODE_NEEDS = "64"


def bridge_of(ponte: PonteProcess) -> int | None:
    for pid in ponte.tree():
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if b"main.js" in command:
            return pid
    return None


async def test_a_bridge_beyond_its_limit_is_started_again_once_and_its_sessions_come_back(
    data_dir: Path, simulator_environment: Mapping[str, str], simulator: SimulatorClient
) -> None:
    settings = {**simulator_environment, "PONTE_BRIDGE_MEMORY_LIMIT_MIB": LESS_THAN_NODE_NEEDS}
    async with running_ponte(data_dir, settings) as ponte, aiohttp.ClientSession() as http:
        first = bridge_of(ponte)
        assert first is not None
        admin = RestClient(http, ponte.http_url, ADMIN_KEY)

        async def is_another() -> bool:
            return bridge_of(ponte) not in (None, first)

        company = await link_company(admin, simulator, "Acme", "+5511930000001")
        await eventually(is_another, timeout_s=60)

        async def is_back() -> bool:
            devices = await simulator.devices(company.phone_number)
            return any(device["connected"] for device in devices)

        await eventually(is_back, timeout_s=60)
        # What was measured too large once is left alone for a while, whatever it needs.
        second = bridge_of(ponte)

        async with http.get(f"{ponte.http_url}/metrics") as answer:
            assert 'ponte_memory_restarts_total{child="bridge"} 1.0' in await answer.text()
        assert "more than its limit of 64 MiB" in ponte.log_path.read_text()
        await wait_for_state(company.client, company.session_id, "CONNECTED")
        assert bridge_of(ponte) == second
