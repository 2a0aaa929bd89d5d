import base64
from pathlib import Path

import pytest

from orchestrator.cli import key_files
from orchestrator.cli.encryption_key_file import key_id
from orchestrator.cli.key_files import admin_key, encryption_keys, keep_secret, read_secret
from orchestrator.config import Settings, load_settings
from orchestrator.startup import StartupError


def settings(**values: object) -> Settings:
    return load_settings(_env_file=None, **values)


def in_base64(byte: int) -> str:
    return base64.b64encode(bytes([byte]) * 32).decode()


def test_keys_are_made_once_and_kept_for_their_owner_only(tmp_path: Path) -> None:
    made = encryption_keys(settings(), tmp_path)
    kept = encryption_keys(settings(), tmp_path)
    assert made.keys == kept.keys
    assert made.made_file == tmp_path / key_files.ENCRYPTION_KEY_FILE
    assert kept.made_file is None
    secret = admin_key(settings(), tmp_path)
    assert admin_key(settings(), tmp_path) == secret
    assert len(secret) > 40
    for name in (key_files.ENCRYPTION_KEY_FILE, key_files.ADMIN_KEY_FILE):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    assert len(list(tmp_path.iterdir())) == 2, "no scratch file is left"


def test_given_keys_win_and_are_not_written(tmp_path: Path) -> None:
    given = settings(encryption_key=in_base64(7), admin_key="x" * 16)
    assert encryption_keys(given, tmp_path).keys == {key_id(bytes([7]) * 32): bytes([7]) * 32}
    assert admin_key(given, tmp_path) == "x" * 16
    assert list(tmp_path.iterdir()) == []


def test_old_keys_are_read_with_and_not_written_with(tmp_path: Path) -> None:
    rotated = settings(encryption_key=in_base64(2), encryption_old_keys=[in_base64(1)])
    keys = encryption_keys(rotated, tmp_path)
    assert set(keys.keys.values()) == {bytes([1]) * 32, bytes([2]) * 32}
    assert keys.current == key_id(bytes([2]) * 32)


def test_a_broken_key_file_is_said(tmp_path: Path) -> None:
    keep_secret(tmp_path / key_files.ENCRYPTION_KEY_FILE, "damaged")
    with pytest.raises(StartupError, match="is not an encryption key: restore it"):
        encryption_keys(settings(), tmp_path)


def test_an_empty_or_missing_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    with pytest.raises(StartupError, match="is empty"):
        read_secret(tmp_path / "empty")
    with pytest.raises(StartupError, match="cannot be read"):
        read_secret(tmp_path / "missing")


def test_the_first_of_two_writers_wins(tmp_path: Path) -> None:
    keep_secret(tmp_path / "key", "first")
    keep_secret(tmp_path / "key", "second")
    assert read_secret(tmp_path / "key") == "first"


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="cannot be written"):
        keep_secret(tmp_path / "missing" / "key", "secret")
