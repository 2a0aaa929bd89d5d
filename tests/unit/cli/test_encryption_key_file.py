"""The file of encryption keys."""

import base64
from pathlib import Path

import pytest

from orchestrator.cli.encryption_key_file import EncryptionKeyFile, key_id
from orchestrator.cli.key_files import encryption_keys, kept_encryption_keys
from orchestrator.config import Settings, load_settings
from orchestrator.startup import StartupError

FIRST, SECOND, THIRD = (bytes([byte]) * 32 for byte in (1, 2, 3))


def settings(**values: object) -> Settings:
    return load_settings(_env_file=None, **values)


def test_the_first_key_is_current_and_the_others_are_read(tmp_path: Path) -> None:
    file = EncryptionKeyFile(tmp_path / "keys", also=[THIRD])
    file.write([SECOND, FIRST])

    ring = file.ring()
    assert ring.current == key_id(SECOND)
    assert set(ring.keys.values()) == {FIRST, SECOND, THIRD}
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["keys"], "no scratch file is left"


def test_a_change_is_seen_once_and_a_broken_file_changes_nothing(tmp_path: Path) -> None:
    file = EncryptionKeyFile(tmp_path / "keys")
    file.write([FIRST])
    assert file.ring().current == key_id(FIRST)
    assert file.look_again() is None

    EncryptionKeyFile(tmp_path / "keys").write([SECOND, FIRST])
    changed = file.look_again()
    assert changed is not None
    assert changed.current == key_id(SECOND)
    assert file.look_again() is None

    (tmp_path / "keys").write_text("damaged")
    assert file.look_again() is None
    (tmp_path / "keys").unlink()
    assert file.look_again() is None


def test_a_running_vault_follows_the_file_of_its_data_folder(tmp_path: Path) -> None:
    vault = encryption_keys(settings(), tmp_path).vault()
    file = EncryptionKeyFile(tmp_path / "encryption.key")
    file.write([SECOND, *file.read()])
    other = kept_encryption_keys(settings(), tmp_path).vault()

    assert vault.open(other.seal(b"text", b"row"), b"row") == b"text"
    assert vault.current == key_id(SECOND)


def test_two_rotations_at_once_are_refused(tmp_path: Path) -> None:
    file = EncryptionKeyFile(tmp_path / "keys")
    with file.locked(), pytest.raises(StartupError, match="under way"), file.locked():
        pass
    with file.locked():
        pass


def test_a_given_file_must_be_there(tmp_path: Path) -> None:
    given = settings(encryption_key_file=str(tmp_path / "elsewhere"))
    with pytest.raises(StartupError, match="cannot be read"):
        encryption_keys(given, tmp_path)
    EncryptionKeyFile(tmp_path / "elsewhere").write([THIRD])
    assert encryption_keys(given, tmp_path).current == key_id(THIRD)


def test_a_key_and_a_file_at_once_are_refused(tmp_path: Path) -> None:
    both = settings(
        encryption_key=base64.b64encode(FIRST).decode(), encryption_key_file=str(tmp_path / "keys")
    )
    with pytest.raises(StartupError, match="not both"):
        encryption_keys(both, tmp_path)


def test_no_key_is_made_for_an_operators_command(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="cannot be read"):
        kept_encryption_keys(settings(), tmp_path)
    (tmp_path / "encryption.key").touch()
    with pytest.raises(StartupError, match="is empty"):
        kept_encryption_keys(settings(), tmp_path)
    assert list(tmp_path.iterdir()) == [tmp_path / "encryption.key"]


def test_a_folder_that_cannot_be_written_is_said() -> None:
    # Not even by root, as whom tests may run.
    with pytest.raises(StartupError, match="make it writable"):
        EncryptionKeyFile(Path("/sys/keys")).write([FIRST])
