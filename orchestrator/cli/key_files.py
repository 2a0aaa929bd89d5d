"""Keys that Ponte makes at its first start and keeps, mode 0600, in the data folder."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from orchestrator.config import ENCRYPTION_KEY_BYTES, Settings, decode_encryption_key
from orchestrator.startup import StartupError

ENCRYPTION_KEY_FILE = "encryption.key"
ADMIN_KEY_FILE = "admin.key"


@dataclass(frozen=True, slots=True)
class EncryptionKeys:
    """The keys of data at rest by their ids; `current` is the id of the one that is written with.

    `made_file` is the file that the current key was just made in, None when the key was there before.
    """

    keys: dict[str, bytes]
    current: str
    made_file: Path | None = None


def encryption_keys(settings: Settings, data_folder: Path) -> EncryptionKeys:
    """Return the encryption keys: from the settings, else kept in `data_folder`, made there the first time.

    Raises StartupError when the kept key cannot be read.
    """
    made_file = None
    if settings.encryption_key:
        current = decode_encryption_key(settings.encryption_key.get_secret_value())
    else:
        file = data_folder / ENCRYPTION_KEY_FILE
        if not file.exists():
            keep_secret(file, base64.b64encode(secrets.token_bytes(ENCRYPTION_KEY_BYTES)).decode())
            made_file = file
        try:
            current = decode_encryption_key(read_secret(file))
        except ValueError:
            raise StartupError(f"{file} is not an encryption key: restore it from a backup.") from None
    old = [decode_encryption_key(key.get_secret_value()) for key in settings.encryption_old_keys]
    return EncryptionKeys({key_id(key): key for key in [*old, current]}, key_id(current), made_file)


def admin_key(settings: Settings, data_folder: Path) -> str:
    """Return the administrator's key: from the settings, else kept in `data_folder`, made there the first time."""
    if settings.admin_key:
        return settings.admin_key.get_secret_value()
    file = data_folder / ADMIN_KEY_FILE
    if not file.exists():
        keep_secret(file, f"ponte_admin_{secrets.token_urlsafe(32)}")
    return read_secret(file)


def key_id(key: bytes) -> str:
    """Return a short name of an encryption key that tells nothing about it: 12 hexadecimal digits."""
    return hashlib.sha256(b"ponte encryption key id\0" + key).hexdigest()[:12]


def keep_secret(file: Path, secret: str) -> None:
    """Write `secret` to a new file, mode 0600, whole or not at all; keeps what another process wrote first."""
    scratch = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as handle:
                handle.write(secret + "\n")
                handle.flush()
                os.fsync(handle.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(scratch, file)
        finally:
            scratch.unlink()
    except OSError as error:
        raise StartupError(
            f"The key file {file} cannot be written ({error.strerror}): make it writable."
        ) from error


def read_secret(file: Path) -> str:
    """Return the secret kept in `file`; raises StartupError when it cannot be read or is empty."""
    try:
        secret = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StartupError(
            f"The key file {file} cannot be read ({error}): make it readable or restore it."
        ) from error
    if not secret:
        raise StartupError(
            f"The key file {file} is empty: restore it from a backup, or remove it to make a new one."
        )
    return secret
