"""`ponte session export` and `import` as an operator runs them."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.cli.auth_folder_files import read_auth_folder
from orchestrator.cli.key_files import encryption_keys
from orchestrator.config import load_settings
from orchestrator.services.context import Context
from orchestrator.store import metadata
from tests.support.auth_folder import linked_credentials, linked_folder, put
from tests.support.command import run_command
from tests.support.factories import Factories


@pytest.fixture
async def running(context: Context, tmp_path: Path) -> Context:
    """What a running Ponte of the data folder works with."""
    (tmp_path / "data").mkdir()
    vault = encryption_keys(load_settings(_env_file=None), tmp_path / "data").vault()
    await metadata.verify_encryption_key(context.database, vault)
    return replace(context, vault=vault)


@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_a_folder_moves_in_and_out(running: Context, tmp_path: Path, database_url: str) -> None:
    scope = await Factories(running).company()
    data_dir, place = tmp_path / "data", {"PONTE_DATABASE_URL": database_url}
    original = linked_folder()
    came = put(tmp_path / "came", original)
    (came / "notes.txt").touch()
    (came / "pre-key-1.json").unlink()

    arguments = ("--name", "Sales", "--company", scope.company_id, "--from", str(came))
    imported = await run_command("session", "import", *arguments, data_dir=data_dir, extra=place)

    assert imported.exit_code == 0, imported
    assert "notes.txt" in imported.output
    assert "n = 1 (1 in all) are not there" in imported.output
    session_id = imported.output.split("as session ")[1].split(",")[0]

    target = ("--to", str(tmp_path / "gone"))
    exported = await run_command("session", "export", session_id, *target, data_dir=data_dir, extra=place)

    assert exported.exit_code == 0, exported
    folder, strangers = read_auth_folder(tmp_path / "gone")
    assert (folder.credentials, strangers) == (original.credentials, [])
    assert {(key.type, key.name) for key in folder.keys} == {
        (key.type, key.name) for key in original.keys if (key.type, key.name) != ("pre-key", "1")
    }

    again = await run_command("session", "import", *arguments, data_dir=data_dir, extra=place)
    assert (again.exit_code, "is linked to session" in again.errors) == (1, True)


async def test_all_that_is_missing_is_listed(running: Context, tmp_path: Path, database_url: str) -> None:
    scope = await Factories(running).company()
    creds = linked_credentials()
    del creds["noiseKey"], creds["advSecretKey"]
    came = put(tmp_path / "came", linked_folder(creds))
    place: Mapping[str, str] = {"PONTE_DATABASE_URL": database_url}

    arguments = ("--name", "Sales", "--company", scope.company_id, "--from", str(came))
    ended = await run_command("session", "import", *arguments, data_dir=tmp_path / "data", extra=place)

    assert ended.exit_code == 1
    assert "- creds.json has no noiseKey." in ended.errors
    assert "- creds.json: advSecretKey is missing" in ended.errors
    assert "2 things are missing or broken" in ended.errors
    assert "Traceback" not in ended.errors
