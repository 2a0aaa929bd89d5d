"""Keeps files in an S3-compatible store, streamed both ways."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import ObjectStore, S3Store

from orchestrator.domain import errors
from orchestrator.domain.errors import PonteError
from orchestrator.media.spool import CHUNK_BYTES, Spool, SpooledFile
from orchestrator.media.storage import storage_key

_PART_BYTES: Final = 5 * 1024 * 1024
"""The smallest part of a multipart upload that S3 takes."""

_PARTS_AT_ONCE: Final = 2
_READ_BYTES: Final = 1024 * 1024


def s3_storage(url: str, spool: Spool) -> ObjectStorage:
    """Open `s3://bucket/prefix`. Credentials, region and endpoint come from AWS's own variables.

    AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL, and AWS_ALLOW_HTTP=true for a store of the
    own network without TLS. Raises ValueError for an unusable URL.
    """
    try:
        return ObjectStorage(S3Store.from_url(url), spool)
    except BaseError as error:
        raise ValueError("give s3://bucket or s3://bucket/prefix, and AWS's variables") from error


class ObjectStorage:
    """An object store of obstore; files for the bridge are copied into the spool for as long as they are needed."""

    def __init__(self, store: ObjectStore, spool: Spool) -> None:
        self._store = store
        self._spool = spool

    async def keep(self, company_id: str, file: SpooledFile) -> None:
        """Upload in parts, then remove the spooled file."""
        try:
            await obstore.put_async(
                self._store,
                storage_key(company_id, file.sha256),
                file.path,
                chunk_size=_PART_BYTES,
                max_concurrency=_PARTS_AT_ONCE,
            )
        except BaseError as error:
            raise PonteError(errors.MEDIA_STORE_FAILED) from error
        file.remove()

    async def has(self, company_id: str, sha256: str) -> bool:
        """Ask the store."""
        try:
            await obstore.head_async(self._store, storage_key(company_id, sha256))
        except (NotFoundError, FileNotFoundError):
            return False
        except BaseError as error:
            raise PonteError(errors.MEDIA_STORE_FAILED) from error
        return True

    async def read(self, company_id: str, sha256: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Read a part of the object, a range at a time, so that a slow reader holds little."""
        key = storage_key(company_id, sha256)
        for begin in range(start, end, _READ_BYTES):
            try:
                part = await obstore.get_range_async(
                    self._store, key, start=begin, end=min(begin + _READ_BYTES, end)
                )
            except (NotFoundError, FileNotFoundError):
                raise PonteError(errors.MEDIA_NOT_STORED) from None
            except BaseError as error:
                raise PonteError(errors.MEDIA_STORE_FAILED) from error
            whole = part.to_bytes()
            for at in range(0, len(whole), CHUNK_BYTES):
                yield whole[at : at + CHUNK_BYTES]

    @asynccontextmanager
    async def local_file(self, company_id: str, sha256: str) -> AsyncIterator[Path]:
        """A copy in the spool, removed at the end of the block."""
        key = storage_key(company_id, sha256)
        try:
            size = (await obstore.head_async(self._store, key))["size"]
        except (NotFoundError, FileNotFoundError):
            raise PonteError(errors.MEDIA_NOT_STORED) from None
        except BaseError as error:
            raise PonteError(errors.MEDIA_STORE_FAILED) from error
        copy = await self._spool.receive(self.read(company_id, sha256, 0, size), size)
        try:
            yield copy.path
        finally:
            copy.remove()

    async def remove(self, company_id: str, sha256: str) -> None:
        """Delete the object."""
        try:
            await obstore.delete_async(self._store, storage_key(company_id, sha256))
        except (NotFoundError, FileNotFoundError):
            return
        except BaseError as error:
            raise PonteError(errors.MEDIA_STORE_FAILED) from error
