"""`ponte keys` as an operator uses it, beside a process that writes."""

import asyncio
import base64
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.cli.encryption_key_file import EncryptionKeyFile, key_id
from orchestrator.cli.key_files import encryption_keys
from orchestrator.config import load_settings
from orchestrator.domain.auth_state import AuthKey
from orchestrator.services.context import Context
from orchestrator.services.session_auth import SessionAuth
from orchestrator.store import metadata
from orchestrator.store.vault import Vault
from tests.integration.keys.sealed_world import make_one_of_each, open_everything, rows_by_key
from tests.support.command import Ended, run_command, start_command
from tests.support.factories import Factories

FIRST, SECOND = bytes([1]) * 32, bytes([2]) * 32


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A data folder with a key file."""
    folder = tmp_path / "data"
    folder.mkdir()
    encryption_keys(load_settings(_env_file=None), folder)
    return folder


@pytest.fixture
def file(data_dir: Path) -> EncryptionKeyFile:
    """The data folder's key file."""
    return EncryptionKeyFile(data_dir / "encryption.key")


@pytest.fixture
async def running(context: Context, data_dir: Path) -> Context:
    """What a running Ponte works with: its vault follows the key file."""
    vault = encryption_keys(load_settings(_env_file=None), data_dir).vault()
    await metadata.verify_encryption_key(context.database, vault)
    return replace(context, vault=vault)


@pytest.fixture
def place(database_url: str) -> Mapping[str, str]:
    """Where the commands find the database."""
    return {"PONTE_DATABASE_URL": database_url}


def in_base64(key: bytes) -> str:
    return base64.b64encode(key).decode()


def succeeded(ended: Ended) -> str:
    assert ended.exit_code == 0, ended
    return ended.output


async def test_a_killed_rotation_is_gone_on_with_while_a_process_writes(
    running: Context, data_dir: Path, file: EncryptionKeyFile, place: Mapping[str, str]
) -> None:
    old = running.vault.current
    scope, session_id = await make_one_of_each(running, Factories(running), auth_keys=3000)
    auth, ended, written = SessionAuth(running), asyncio.Event(), dict[str, str]()

    async def write_on() -> None:
        while not ended.is_set():
            value = f'"{len(written)}"'
            await auth.store(scope, session_id, 0, None, [AuthKey("pre-key", str(len(written)), value)])
            written[str(len(written))] = value
            await asyncio.sleep(0.005)

    writers = asyncio.create_task(write_on())
    try:
        process = await start_command("keys", "rotate", data_dir=data_dir, extra=place)
        async with asyncio.timeout(60):
            while len(await rows_by_key(running.database)) < 2:
                await asyncio.sleep(0.01)
        process.kill()
        await process.communicate()
        new = key_id(file.read()[0])
        half = await rows_by_key(running.database)
        assert half[old] > 0
        assert half[new] > 0

        output = succeeded(
            await run_command("keys", "rotate", "--settle-seconds", "2", data_dir=data_dir, extra=place)
        )
    finally:
        ended.set()
        await writers

    assert f"Going on with the rotation to key {new}" in output
    assert f"Key {old} sealed nothing any more and is dropped" in output
    assert [key_id(key) for key in file.read()] == [new]
    assert len(written) > 100
    assert set(await rows_by_key(running.database)) == {new}
    only_new = Vault({new: file.read()[0]}, new)
    await open_everything(running.database, only_new)
    await metadata.verify_encryption_key(running.database, only_new)


async def test_list_shows_what_each_key_seals(
    running: Context, data_dir: Path, file: EncryptionKeyFile, place: Mapping[str, str]
) -> None:
    old = running.vault.current
    await make_one_of_each(running, Factories(running))
    file.write([SECOND, *file.read()])

    lines = succeeded(await run_command("keys", "list", data_dir=data_dir, extra=place)).splitlines()

    rows = {line.split()[0]: line.split()[1:] for line in lines[1:]}
    assert rows[key_id(SECOND)] == ["current", *("0" * 7)]
    assert rows[old] == ["old", "1", "3", "1", "1", "1", "1", "8"]
    file.write([SECOND])
    assert "missing" in succeeded(await run_command("keys", "list", data_dir=data_dir, extra=place))


@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_a_given_key_is_taken_from_a_file_and_an_old_one_is_refused(
    running: Context, data_dir: Path, file: EncryptionKeyFile, place: Mapping[str, str]
) -> None:
    old = file.read()[0]
    (data_dir / "given").write_text(in_base64(SECOND))
    arguments = ("keys", "rotate", "--settle-seconds", "0", "--key-file", str(data_dir / "given"))
    succeeded(await run_command(*arguments, data_dir=data_dir, extra=place))
    assert file.read() == [SECOND]

    (data_dir / "given").write_text("short")
    refused = await run_command(*arguments, data_dir=data_dir, extra=place)
    assert (refused.exit_code, "cannot be used" in refused.errors) == (1, True)
    (data_dir / "given").write_text(in_base64(old))
    file.write([SECOND, old])
    refused = await run_command(*arguments, data_dir=data_dir, extra=place)
    assert (refused.exit_code, "is an old one" in refused.errors) == (1, True)


async def test_keys_of_the_environment_are_re_encrypted_to_and_said_when_unused(
    context: Context, data_dir: Path, place: Mapping[str, str]
) -> None:
    vault = Vault({key_id(FIRST): FIRST}, key_id(FIRST))
    await metadata.verify_encryption_key(context.database, vault)
    running = replace(context, vault=vault)
    await make_one_of_each(running, Factories(running))
    extra = {
        **place,
        "PONTE_ENCRYPTION_KEY": in_base64(SECOND),
        "PONTE_ENCRYPTION_OLD_KEYS": f'["{in_base64(FIRST)}"]',
    }

    output = succeeded(await run_command("keys", "rotate", data_dir=data_dir, extra=extra))

    assert "8 rows were sealed anew" in output
    assert f"{key_id(FIRST)} seals nothing any more: take it out of PONTE_ENCRYPTION_OLD_KEYS" in output
    await open_everything(context.database, Vault({key_id(SECOND): SECOND}, key_id(SECOND)))
    (data_dir / "given").write_text(in_base64(FIRST))
    refused = await run_command(
        *("keys", "rotate", "--key-file", str(data_dir / "given")), data_dir=data_dir, extra=extra
    )
    assert (refused.exit_code, "PONTE_ENCRYPTION_KEY" in refused.errors) == (1, True)


async def test_rows_under_a_missing_key_are_named_and_no_key_is_dropped(
    running: Context, data_dir: Path, file: EncryptionKeyFile, place: Mapping[str, str]
) -> None:
    old = file.read()[0]
    stranger = replace(running, vault=Vault({"lost": FIRST}, "lost"))
    await make_one_of_each(stranger, Factories(stranger))

    ended = await run_command("keys", "rotate", "--settle-seconds", "0", data_dir=data_dir, extra=place)

    assert ended.exit_code == 1
    assert "3 auth keys under key lost" in ended.errors
    assert "Traceback" not in ended.errors
    assert file.read()[1] == old


async def test_without_a_database_it_says_so_and_makes_none(data_dir: Path) -> None:
    ended = await run_command("keys", "list", data_dir=data_dir)
    assert (ended.exit_code, "start 'ponte up' first" in ended.errors) == (1, True)
    assert not (data_dir / "ponte.db").exists()
