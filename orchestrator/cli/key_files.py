"""Keys that Ponte makes at its first start and keeps, mode 0600, in the data folder."""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from orchestrator.cli.encryption_key_file import EncryptionKeyFile, keyring, new_key
from orchestrator.config import Settings, decode_encryption_key
from orchestrator.startup import StartupError
from orchestrator.store.vault import Vault

ENCRYPTION_KEY_FILE = "encryption.key"
ADMIN_KEY_FILE = "admin.key"


@dataclass(frozen=True, slots=True)
class EncryptionKeys:
    """The keys of data at rest by their ids; `current` is the id of the one that is written with.

    `made_file` is the file that the current key was just made in, None when the key was there before. `file` is where
    the keys are kept, None where the environment gives them.
    """

    keys: Mapping[str, bytes]
    current: str
    made_file: Path | None = None
    file: EncryptionKeyFile | None = None

    def vault(self) -> Vault:
        """Return a vault with these keys; it follows the file."""
        return Vault(self.keys, self.current, self.file.look_again if self.file else None)


def encryption_keys(settings: Settings, data_folder: Path) -> EncryptionKeys:
    """Return the encryption keys: from the settings, else kept in `data_folder`, made there the first time.

    Raises StartupError when the kept key cannot be read.
    """
    file = data_folder / ENCRYPTION_KEY_FILE
    if settings.encryption_key or settings.encryption_key_file or file.exists():
        return kept_encryption_keys(settings, data_folder)
    keep_secret(file, base64.b64encode(new_key()).decode())
    return replace(kept_encryption_keys(settings, data_folder), made_file=file)


def kept_encryption_keys(settings: Settings, data_folder: Path) -> EncryptionKeys:
    """As `encryption_keys`, but raises StartupError where no key was made yet."""
    old = [decode_encryption_key(key.get_secret_value()) for key in settings.encryption_old_keys]
    if settings.encryption_key:
        if settings.encryption_key_file:
            raise StartupError("Set PONTE_ENCRYPTION_KEY or PONTE_ENCRYPTION_KEY_FILE, not both.")
        ring = keyring([decode_encryption_key(settings.encryption_key.get_secret_value()), *old])
        return EncryptionKeys(ring.keys, ring.current)
    file = EncryptionKeyFile(settings.encryption_key_file or data_folder / ENCRYPTION_KEY_FILE, old)
    ring = file.ring()
    return EncryptionKeys(ring.keys, ring.current, file=file)


def admin_key(settings: Settings, data_folder: Path) -> str:
    """Return the administrator's key: from the settings, else kept in `data_folder`, made there the first time."""
    if settings.admin_key:
        return settings.admin_key.get_secret_value()
    file = data_folder / ADMIN_KEY_FILE
    if not file.exists():
        keep_secret(file, f"ponte_admin_{secrets.token_urlsafe(32)}")
    return read_secret(file)


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
