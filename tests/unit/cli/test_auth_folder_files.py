"""Reading and writing an auth folder."""

import os
from pathlib import Path

import pytest

from orchestrator.cli.auth_folder_files import read_auth_folder, write_auth_folder
from orchestrator.services.session_transfer import IncompleteFolderError
from orchestrator.startup import StartupError
from tests.support.auth_folder import linked_folder, put


def test_what_is_written_is_read_again_and_is_the_owners_only(tmp_path: Path) -> None:
    folder = linked_folder()
    write_auth_folder(tmp_path / "new" / "auth", folder)

    read, strangers = read_auth_folder(tmp_path / "new" / "auth")

    assert read.credentials == folder.credentials
    assert {(key.type, key.name): key.value for key in read.keys} == {
        (key.type, key.name): key.value for key in folder.keys
    }
    assert strangers == []
    assert (tmp_path / "new" / "auth").stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "new" / "auth").iterdir()} == {0o600}
    assert os.listdir(tmp_path / "new") == ["auth"]


def test_an_empty_folder_may_be_there_but_no_other(tmp_path: Path) -> None:
    (tmp_path / "auth").mkdir()
    write_auth_folder(tmp_path / "auth", linked_folder())
    with pytest.raises(StartupError, match="is there already"):
        write_auth_folder(tmp_path / "auth", linked_folder())
    (tmp_path / "file").touch()
    with pytest.raises(StartupError, match="is there already"):
        write_auth_folder(tmp_path / "file", linked_folder())
    with pytest.raises(StartupError, match="cannot be written"):
        write_auth_folder(tmp_path / "file" / "auth", linked_folder())


def test_every_broken_file_is_named(tmp_path: Path) -> None:
    path = put(tmp_path / "auth", linked_folder())
    (path / "session-5511987654321.0.json").write_text("")
    (path / "pre-key-3.json").write_text('{"private": {"type": "Buf')

    with pytest.raises(IncompleteFolderError) as caught:
        read_auth_folder(path)

    assert caught.value.problems == [
        "pre-key-3.json is not JSON: a write was cut off, or it was changed.",
        "session-5511987654321.0.json is empty: a write was cut off.",
    ]


def test_other_files_are_named_and_empty_values_left_out(tmp_path: Path) -> None:
    path = put(tmp_path / "auth", linked_folder())
    (path / "notes.txt").touch()
    (path / "session-1.0.json").write_text("null")
    (path / "session-2.0.json").mkdir()

    folder, strangers = read_auth_folder(path)

    assert strangers == ["notes.txt", "session-2.0.json"]
    assert not {"1.0", "2.0"} & {key.name for key in folder.keys}


def test_a_folder_without_credentials_or_none_at_all_is_said(tmp_path: Path) -> None:
    with pytest.raises(IncompleteFolderError, match=r"creds\.json is missing"):
        read_auth_folder(tmp_path)
    with pytest.raises(StartupError, match="cannot be read"):
        read_auth_folder(tmp_path / "nowhere")
