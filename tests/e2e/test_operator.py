"""What an operator does beside a running Ponte: rotate keys, move a number in and out, audit."""

import json
from collections.abc import Mapping
from pathlib import Path

import aiohttp
import pytest

from orchestrator.cli.encryption_key_file import EncryptionKeyFile
from tests.support.command import Ended, run_command
from tests.support.company import link_company, make_company, wait_for_state
from tests.support.ponte import ADMIN_KEY, PonteProcess, RestClient, start_ponte
from tests.support.raw_baileys import running_raw_baileys
from tests.support.simulator import SimulatorClient, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

NUMBER, CUSTOMER = "+5511900000001", "+5521987654321"


async def succeeds(deployment: Mapping[str, str], data_dir: Path, *arguments: str) -> Ended:
    ended = await run_command(*arguments, data_dir=data_dir, extra=deployment)
    assert ended.exit_code == 0, ended
    return ended


async def say(client: RestClient, session_id: str, body: str) -> None:
    message = {"session_id": session_id, "to": CUSTOMER, "text": {"body": body}}
    await client.post("/v1/messages", message)


@pytest.mark.parametrize("deployment", ["servers"], indirect=True)
async def test_keys_rotate_beneath_a_running_ponte_and_the_old_one_is_not_missed(
    ponte: PonteProcess, simulator: SimulatorClient, deployment: Mapping[str, str], data_dir: Path
) -> None:
    await simulator.create_phone(CUSTOMER)
    file = EncryptionKeyFile(data_dir / "encryption.key")
    (old,) = file.read()
    async with aiohttp.ClientSession() as http:
        company = await link_company(RestClient(http, ponte.http_url, ADMIN_KEY), simulator, "Acme", NUMBER)
        session_id = company.session_id
        await say(company.client, session_id, "before")
        await simulator.messages(CUSTOMER, wait_count=1)

        await succeeds(deployment, data_dir, "keys", "rotate", "--settle-seconds", "3")
        (new,) = file.read()
        assert new != old
        await say(company.client, session_id, "after")
        await simulator.messages(CUSTOMER, wait_count=2)
        listed = await succeeds(deployment, data_dir, "keys", "list")
        assert len(listed.output.splitlines()) == 2, "a heading and the new key"
        audited = await succeeds(deployment, data_dir, "session", "audit")
        assert "1 sessions, 1 leased, 1 streams, 1 sockets open" in audited.output

        await ponte.terminate()
        again = await start_ponte(data_dir, deployment)
        try:
            client = RestClient(http, again.http_url, company.key)
            await wait_for_state(client, session_id, "CONNECTED")
            await say(client, session_id, "with the new key alone")
            texts = [message["text"] for message in await simulator.messages(CUSTOMER, wait_count=3)]
            assert texts == ["before", "after", "with the new key alone"]
        finally:
            await again.terminate()


@pytest.mark.parametrize("deployment", ["embedded"], indirect=True)
async def test_a_number_of_raw_baileys_moves_in_and_out_while_ponte_runs(
    ponte: PonteProcess,
    simulator: SimulatorClient,
    deployment: Mapping[str, str],
    data_dir: Path,
    tmp_path: Path,
) -> None:
    for number in (NUMBER, CUSTOMER):
        await simulator.create_phone(number)
    async with aiohttp.ClientSession() as http, running_raw_baileys(tmp_path, simulator) as raw:
        await raw.link(NUMBER, tmp_path / "came")
        await raw.send(CUSTOMER, "one")
        await raw.close()
        admin = RestClient(http, ponte.http_url, ADMIN_KEY)
        company_id, key = await make_company(admin, "Acme")
        client = admin.with_key(key)

        arguments = ("--name", "Sales", "--company", company_id, "--from", str(tmp_path / "came"))
        await succeeds(deployment, data_dir, "session", "import", *arguments)
        (session,) = (await client.get("/v1/sessions"))["sessions"]
        assert (session["state"], session["phone_number"]) == ("STOPPED", NUMBER)
        await client.post(f"/v1/sessions/{session['id']}:start", {})
        await wait_for_state(client, session["id"], "CONNECTED")
        await say(client, session["id"], "two")
        await simulator.messages(CUSTOMER, wait_count=2)

        target = ("--to", str(tmp_path / "went"))
        refused = await run_command(
            *("session", "export", session["id"], *target), data_dir=data_dir, extra=deployment
        )
        assert (refused.exit_code, "is running" in refused.errors) == (1, True)
        await client.post(f"/v1/sessions/{session['id']}:stop", {})

        async def exported() -> bool:
            ended = await run_command(
                *("session", "export", session["id"], *target), data_dir=data_dir, extra=deployment
            )
            return ended.exit_code == 0

        await eventually(exported, timeout_s=30)
        assert "me" in json.loads((tmp_path / "went" / "creds.json").read_text())
        await raw.connect(tmp_path / "went")
        await raw.send(CUSTOMER, "three")
        await raw.close()
    texts = [message["text"] for message in await simulator.messages(CUSTOMER, wait_count=3)]
    assert texts == ["one", "two", "three"]
