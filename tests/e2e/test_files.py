"""Files through all of Ponte: the small form of `make bench-media`, and a kill between a message and its file."""

from collections.abc import Mapping
from pathlib import Path

import aiohttp
import pytest

from tests.load.media import MIB, MOST_BEYOND_REST, PEER, Memory, Traffic, make_document, make_video, sha256
from tests.support.company import link_company
from tests.support.ponte import ADMIN_KEY, RestClient, running_ponte
from tests.support.simulator import SimulatorClient, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


async def test_files_pass_in_little_memory_and_a_kill_loses_none(
    data_dir: Path, simulator_environment: Mapping[str, str], simulator: SimulatorClient, tmp_path: Path
) -> None:
    document, video = make_document(tmp_path / "a.pdf", 12 * MIB), make_video(tmp_path / "a.mp4", 6 * MIB)
    async with aiohttp.ClientSession() as http:
        async with running_ponte(data_dir, simulator_environment) as ponte:
            admin = RestClient(http, ponte.http_url, ADMIN_KEY)
            company = await link_company(admin, simulator, "Files", "+5511955559999")
            await simulator.create_phone(PEER)
            traffic = Traffic(simulator, company, http, ponte.http_url)
            memory = Memory(ponte)

            assert await traffic.send("document", document) == sha256(document)
            assert await traffic.receive("video", video) == sha256(video)

            assert max(memory.beyond_rest().values()) < MOST_BEYOND_REST
            assert list((data_dir / "spool").iterdir()) == []

            await simulator.fault("media_download", code=500)
            wa_id = await traffic.let_peer_send("document", document)

            async def is_recorded() -> bool:
                page = await company.client.get("/v1/messages?direction=INBOUND")
                return wa_id in [message["wa_message_id"] for message in page["messages"]]

            await eventually(is_recorded)
            await ponte.kill_tree()
        await simulator.clear_faults()

        async with running_ponte(data_dir, simulator_environment) as again:
            company.client = company.client.at(again.http_url)
            traffic = Traffic(simulator, company, http, again.http_url)

            assert await traffic.download("document", wa_id) == sha256(document)
