"""Where files are kept for good: by company and hash, in a folder or in an S3-compatible store."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Protocol

from orchestrator.domain import errors
from orchestrator.domain.errors import PonteError
from orchestrator.media.spool import CHUNK_BYTES, SpooledFile


class MediaStorage(Protocol):
    """Keeps files by company and SHA-256. A missing file is MEDIA_NOT_STORED, a store that fails MEDIA_STORE_FAILED."""

    async def keep(self, company_id: str, file: SpooledFile) -> None:
        """Store a spooled file under its hash, durably; what is stored there already is the same. The file stays or
        is moved away."""
        ...

    async def has(self, company_id: str, sha256: str) -> bool:
        """Tell whether a file is stored."""
        ...

    def read(self, company_id: str, sha256: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Give the bytes from `start` up to but not including `end`, in chunks."""
        ...

    def local_file(self, company_id: str, sha256: str) -> AbstractAsyncContextManager[Path]:
        """Give a file of this machine with the contents, to be read only, for the length of a block."""
        ...

    async def remove(self, company_id: str, sha256: str) -> None:
        """Remove a file; one that is not there is no error."""
        ...


def storage_key(company_id: str, sha256: str) -> str:
    """Where a file is, below the folder or the bucket's prefix."""
    return f"{company_id}/{sha256[:2]}/{sha256}"


class FolderStorage:
    """A folder of this machine, or one that all processes share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def keep(self, company_id: str, file: SpooledFile) -> None:
        """Move the file to its place: a rename where spool and folder share a file system."""
        await asyncio.to_thread(_move_durably, file.path, self._path(company_id, file.sha256))

    async def has(self, company_id: str, sha256: str) -> bool:
        """Look whether the file is there."""
        return await asyncio.to_thread(self._path(company_id, sha256).is_file)

    async def read(self, company_id: str, sha256: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Read a part of the file."""
        try:
            file = await asyncio.to_thread(self._path(company_id, sha256).open, "rb")
        except FileNotFoundError:
            raise PonteError(errors.MEDIA_NOT_STORED) from None
        try:
            await asyncio.to_thread(file.seek, start)
            left = end - start
            while left > 0 and (chunk := await asyncio.to_thread(file.read, min(left, CHUNK_BYTES))):
                left -= len(chunk)
                yield chunk
        finally:
            file.close()

    @asynccontextmanager
    async def local_file(self, company_id: str, sha256: str) -> AsyncIterator[Path]:
        """The stored file itself."""
        path = self._path(company_id, sha256)
        if not await asyncio.to_thread(path.is_file):
            raise PonteError(errors.MEDIA_NOT_STORED)
        yield path

    async def remove(self, company_id: str, sha256: str) -> None:
        """Unlink the file."""
        await asyncio.to_thread(self._path(company_id, sha256).unlink, missing_ok=True)

    def _path(self, company_id: str, sha256: str) -> Path:
        return self._folder / storage_key(company_id, sha256)


def _move_durably(source: Path, place: Path) -> None:
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        os.replace(source, place)
    except OSError:
        # Another file system: copied beside its place first, so that nobody sees half of it.
        beside = place.with_name(f"{source.name}.part")
        shutil.copyfile(source, beside)
        with beside.open("rb") as copied:
            os.fsync(copied.fileno())
        os.replace(beside, place)
        source.unlink()
    folder = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
