"""The spool: a folder in which files are received, hashed on the way, before they are kept or after they are fetched.

It is shared with this process's bridge, which writes and reads media there.
"""

import asyncio
import hashlib
import os
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from orchestrator.domain import errors
from orchestrator.domain.errors import PonteError
from orchestrator.domain.media import too_large
from orchestrator.media.sniffing import HEAD_BYTES

CHUNK_BYTES: Final = 256 * 1024
"""Bytes that are read, written or handed over at once."""

_FORGOTTEN_S: Final = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class SpooledFile:
    """A complete file in the spool; whoever holds it keeps or removes it. `sha256` is lower-case hex."""

    path: Path
    size: int
    sha256: str
    head: bytes

    def remove(self) -> None:
        """Remove the file where it is still there."""
        self.path.unlink(missing_ok=True)


class Spool:
    """A private folder of this process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return self._folder

    def prepare(self) -> None:
        """Make the folder (mode 0700) and remove what a killed process left in it a day ago or earlier."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        oldest = time.time() - _FORGOTTEN_S
        for path in self._folder.iterdir():
            with suppress(OSError):
                if path.is_file() and path.stat().st_mtime < oldest:
                    path.unlink()

    def new_path(self, suffix: str = "") -> Path:
        """Give a name that no file has."""
        return self._folder / f"{uuid.uuid4().hex}{suffix}"

    async def receive(self, chunks: AsyncIterator[bytes], limit: int) -> SpooledFile:
        """Write a stream to a file, durably. Raises MEDIA_TOO_LARGE beyond `limit` bytes, MEDIA_EMPTY for none.

        Whatever is raised, also by the stream, leaves no file.
        """
        path = self.new_path()
        writer = await asyncio.to_thread(_Writer, path)
        try:
            async for chunk in chunks:
                if writer.size + len(chunk) > limit:
                    raise too_large(limit)
                await asyncio.to_thread(writer.write, chunk)
            if writer.size == 0:
                raise PonteError(errors.MEDIA_EMPTY)
            await asyncio.to_thread(writer.finish)
        except BaseException:
            writer.abandon()
            raise
        return SpooledFile(path, writer.size, writer.sha256, writer.head)

    async def take(self, path: Path, limit: int) -> SpooledFile:
        """Hash a file that another process wrote into the spool. Raises MEDIA_TOO_LARGE, MEDIA_EMPTY."""
        return await asyncio.to_thread(_hash_file, path, limit)


class _Writer:
    def __init__(self, path: Path) -> None:
        self._path = path
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file: BinaryIO = os.fdopen(descriptor, "wb", buffering=CHUNK_BYTES)
        self._hash = hashlib.sha256()
        self.size = 0
        self.head = b""

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def write(self, chunk: bytes) -> None:
        if len(self.head) < HEAD_BYTES:
            self.head += bytes(chunk[: HEAD_BYTES - len(self.head)])
        self._hash.update(chunk)
        self._file.write(chunk)
        self.size += len(chunk)

    def finish(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def abandon(self) -> None:
        with suppress(OSError):
            self._file.close()
        self._path.unlink(missing_ok=True)


def _hash_file(path: Path, limit: int) -> SpooledFile:
    digest = hashlib.sha256()
    size, head = 0, b""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            head = head or chunk[:HEAD_BYTES]
            digest.update(chunk)
            size += len(chunk)
            if size > limit:
                raise too_large(limit)
        os.fsync(file.fileno())
    if size == 0:
        raise PonteError(errors.MEDIA_EMPTY)
    return SpooledFile(path, size, digest.hexdigest(), head)
