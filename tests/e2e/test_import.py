"""What was before, imported while everything is killed: complete, once each, oldest first."""

from collections.abc import Mapping
from pathlib import Path

import aiohttp
import pytest

from tests.support.command import run_command, start_command
from tests.support.company import make_company
from tests.support.exports import long_chat
from tests.support.history import History, all_messages, import_history, objections
from tests.support.ponte import ADMIN_KEY, RestClient, start_ponte
from tests.support.simulator import SimulatorClient, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.chaos, pytest.mark.timeout(300)]

SHORT = History(chats=10, messages=20, chunk=10)
EXPORTED = 5_000


async def test_an_import_that_is_killed_on_the_way_is_complete_and_a_second_one_adds_nothing(
    data_dir: Path, deployment: Mapping[str, str], simulator: SimulatorClient
) -> None:
    imported = await import_history(simulator, data_dir, deployment, SHORT, kills=1)
    assert objections(imported, SHORT) == []


@pytest.mark.parametrize("deployment", ["embedded"], indirect=True)
async def test_an_exported_chat_is_imported_by_the_command_through_a_kill(
    data_dir: Path, deployment: Mapping[str, str], tmp_path: Path
) -> None:
    long_chat(tmp_path / "chat.txt", EXPORTED)
    async with aiohttp.ClientSession() as http:
        ponte = await start_ponte(data_dir, deployment)
        try:
            admin = RestClient(http, ponte.http_url, ADMIN_KEY)
            _, key = await make_company(admin, "exports")
            client = admin.with_key(key)
            session_id = (await client.post("/v1/sessions", {"name": "exports"}))["id"]
            environment = {**deployment, "PONTE_KEY": key}
            command = await start_command(
                *("import", "chat", str(tmp_path / "chat.txt"), "--session", session_id, "--own-name", "Bia"),
                *("--chat", "+5511911111111", "--url", ponte.http_url),
                data_dir=data_dir,
                extra=environment,
            )

            async def has_begun() -> str:
                imports = (await client.get("/v1/imports"))["imports"]
                return imports[0]["id"] if imports and imports[0]["counts"]["read"] else ""

            import_id = await eventually(has_begun, timeout_s=60.0, every_s=0.02)
            await ponte.kill_tree()
            await command.communicate()
            assert command.returncode == 1

            ponte = await start_ponte(data_dir, deployment)
            client = client.at(ponte.http_url)
            watched = await run_command(
                *("import", "watch", import_id, "--url", ponte.http_url), data_dir=data_dir, extra=environment
            )
            assert watched.exit_code == 0, watched
            assert f"messages  {EXPORTED} of {EXPORTED}: added {EXPORTED}, known 0" in watched.output
            texts = [message["text"]["body"] for message in reversed(await all_messages(client))]
            assert texts == [f"message {number}" for number in range(EXPORTED)]
        finally:
            if ponte.process.returncode is None:
                await ponte.terminate()
