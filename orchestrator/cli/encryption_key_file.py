"""The file of encryption keys: one a line in base64, the current one first, those that are only still read after it."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path

from loguru import logger

from orchestrator.config import ENCRYPTION_KEY_BYTES, decode_encryption_key
from orchestrator.startup import StartupError
from orchestrator.store.vault import Keyring


def key_id(key: bytes) -> str:
    """Return a short name of an encryption key that tells nothing about it: 12 hexadecimal digits."""
    return hashlib.sha256(b"ponte encryption key id\0" + key).hexdigest()[:12]


def new_key() -> bytes:
    """Return 32 random bytes."""
    return secrets.token_bytes(ENCRYPTION_KEY_BYTES)


def keyring(keys: Sequence[bytes]) -> Keyring:
    """Return keys by their ids; the first one is current."""
    return Keyring({key_id(key): key for key in keys}, key_id(keys[0]))


class EncryptionKeyFile:
    """One key file; `also` are keys from elsewhere that are only read with."""

    def __init__(self, path: Path, also: Sequence[bytes] = ()) -> None:
        self.path = path
        self._also = tuple(also)
        self._seen: tuple[int, ...] | None = None

    def read(self) -> list[bytes]:
        """Return the keys of the file, the current one first; raises StartupError."""
        self._seen = self._signature()
        try:
            lines = self.path.read_text(encoding="ascii").split()
        except (OSError, UnicodeDecodeError) as error:
            raise StartupError(
                f"The key file {self.path} cannot be read ({error}): make it readable or restore it."
            ) from error
        if not lines:
            raise StartupError(f"The key file {self.path} is empty: restore it from a backup.")
        try:
            return [decode_encryption_key(line) for line in lines]
        except ValueError:
            raise StartupError(f"{self.path} is not an encryption key: restore it from a backup.") from None

    def ring(self) -> Keyring:
        """Return all keys by their ids; raises StartupError."""
        return keyring([*self.read(), *self._also])

    def look_again(self) -> Keyring | None:
        """Return all keys where the file was written since it was last read, else None; never raises."""
        if self._signature() == self._seen:
            return None
        try:
            return self.ring()
        except StartupError as error:
            logger.error("The encryption keys stay as they were: {}", error)
            return None

    def write(self, keys: Sequence[bytes]) -> None:
        """Replace the file, whole or not at all, durably, mode 0600; raises StartupError."""
        scratch = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        content = "".join(f"{base64.b64encode(key).decode()}\n" for key in keys)
        try:
            descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            try:
                with os.fdopen(descriptor, "w", encoding="ascii") as handle:
                    handle.write(content)
                    handle.flush()
                    os.fsync(handle.fileno())
                scratch.replace(self.path)
            finally:
                scratch.unlink(missing_ok=True)
            _sync_folder(self.path.parent)
        except OSError as error:
            raise StartupError(
                f"The key file {self.path} cannot be written ({error.strerror}): make it writable."
            ) from error

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other rotations out for the length of a block; raises StartupError where one is under way."""
        lock = self.path.with_name(f".{self.path.name}.lock")
        try:
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StartupError(
                f"The folder {lock.parent} cannot be written to ({error.strerror}): make it writable."
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise StartupError(
                "Another rotation of this key is under way: wait until it has ended."
            ) from error
        try:
            yield
        finally:
            os.close(descriptor)

    def _signature(self) -> tuple[int, ...] | None:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return (found.st_mtime_ns, found.st_ino, found.st_size)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
