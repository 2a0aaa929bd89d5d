"""Files of a company: received or fetched, looked at, kept once per content, read, used in messages, forgotten."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from loguru import logger

from orchestrator.domain import errors
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError, invalid_field, not_found
from orchestrator.domain.ids import is_id, make_id
from orchestrator.domain.media import IMAGE_TYPES, Media, MediaFacts, MediaLimits, MediaSource
from orchestrator.media.bombs import check_archive, check_picture
from orchestrator.media.conversion import Converter
from orchestrator.media.link_preview import LinkPreviews
from orchestrator.media.sniffing import sniff
from orchestrator.media.spool import Spool, SpooledFile
from orchestrator.media.storage import MediaStorage
from orchestrator.media.url_fetcher import UrlFetcher
from orchestrator.services.context import Context
from orchestrator.store import idempotency
from orchestrator.store import media as media_store
from orchestrator.store import messages as message_store
from orchestrator.store.database import SystemScope, Transaction

_LONGEST_NAME: Final = 255
_PURGED_AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True)
class MediaSettings:
    """Bounds of files. `retention_days` is how long one is kept after it was made or last used; 0 is for ever."""

    limits: MediaLimits = field(default_factory=MediaLimits)
    retention_days: int = 90


class MediaService:
    """Files and what is known of them."""

    def __init__(
        self,
        context: Context,
        storage: MediaStorage,
        spool: Spool,
        fetcher: UrlFetcher,
        settings: MediaSettings | None = None,
    ) -> None:
        self._context = context
        self._storage = storage
        self._spool = spool
        self._fetcher = fetcher
        self._converter = Converter(spool)
        self._previews = LinkPreviews(fetcher, spool, self._converter)
        self._settings = settings or MediaSettings()

    @property
    def limits(self) -> MediaLimits:
        """How large files may be."""
        return self._settings.limits

    @property
    def spool(self) -> Spool:
        """Where files lie that are on their way."""
        return self._spool

    @property
    def converter(self) -> Converter:
        """What makes voice notes, stickers and thumbnails."""
        return self._converter

    @property
    def previews(self) -> LinkPreviews:
        """What reads pages for the previews of links."""
        return self._previews

    async def close(self) -> None:
        """Close what URLs are fetched with."""
        await self._fetcher.close()

    async def add(
        self,
        scope: CompanyScope,
        chunks: AsyncIterator[bytes],
        declared_type: str = "",
        file_name: str = "",
        idempotency_key: str = "",
    ) -> Media:
        """Store a stream. Its type is read from its bytes; `declared_type` only helps where they leave it open.

        Raises MEDIA_TOO_LARGE, MEDIA_EMPTY, MEDIA_NOT_USABLE (a bomb, a damaged picture), INVALID_ARGUMENT,
        IDEMPOTENCY_KEY_REUSED, MEDIA_STORE_FAILED.
        """
        name = _checked_name(file_name)
        file = await self._spool.receive(chunks, self.limits.largest)
        key = _Once(idempotency_key, "UploadMedia", idempotency.hash_request(file.sha256, name))
        return await self._keep(scope, file, declared_type, name, MediaSource.UPLOADED, key)

    async def fetch_url(
        self, scope: CompanyScope, url: str, file_name: str = "", idempotency_key: str = ""
    ) -> Media:
        """Fetch a file from a URL and store it, named as its host names it where no name is given.

        Raises what `add` raises, and INVALID_URL, URL_NOT_ALLOWED, MEDIA_URL_FAILED, MEDIA_URL_TIMED_OUT.
        """
        name = _checked_name(file_name)
        async with self._fetcher.open(url, self.limits.largest) as remote:
            file = await self._spool.receive(remote.chunks, self.limits.largest)
        key = _Once(idempotency_key, "CreateMedia", idempotency.hash_request(url, name))
        name = name or remote.file_name
        return await self._keep(scope, file, remote.declared_type, name, MediaSource.FETCHED, key)

    async def adopt(
        self, scope: CompanyScope, path: Path, declared_type: str = "", file_name: str = ""
    ) -> Media:
        """Store a file that the bridge wrote into the spool; what it is does not matter, it came from WhatsApp.

        The spooled file is gone afterwards. Raises MEDIA_TOO_LARGE, MEDIA_EMPTY, MEDIA_STORE_FAILED.
        """
        try:
            file = await self._spool.take(path, self.limits.largest)
        except BaseException:
            _remove(path)
            raise
        name = file_name.replace("\0", "")[:_LONGEST_NAME]
        return await self._keep(scope, file, declared_type, name, MediaSource.RECEIVED)

    async def add_converted(self, scope: CompanyScope, path: Path, mime_type: str, file_name: str) -> Media:
        """Store what the converter made in the spool, which is gone afterwards. Raises as `adopt`."""
        file = await self._spool.take(path, self.limits.largest)
        return await self._keep(scope, file, mime_type, file_name, MediaSource.UPLOADED)

    async def get(self, scope: CompanyScope, media_id: str) -> Media:
        """Say what is known of a file. Raises NOT_FOUND."""
        async with self._context.database.reading(scope) as tx:
            return await _found(tx, scope, media_id)

    async def use(self, scope: CompanyScope, media_id: str, at: datetime | None = None) -> Media:
        """As `get`, for a message that is sent `at` that time (now where it is None): retention counts from then."""
        async with self._context.database.transaction(scope) as tx:
            media = await _found(tx, scope, media_id)
            until = self._expiry(max(at, self._context.clock()) if at else self._context.clock())
            if until is not None:
                await media_store.keep_until(tx, scope, media_id, until)
        return media

    def open(self, media: Media, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Give a file's bytes from `start` up to but not including `end`, in chunks. Raises MEDIA_NOT_STORED."""
        return self._storage.read(media.company_id, media.sha256, start, media.size if end is None else end)

    def local_path(self, media: Media) -> AbstractAsyncContextManager[Path]:
        """Give a file of this machine that the bridge can read, for the length of a block. Raises MEDIA_NOT_STORED."""
        return self._storage.local_file(media.company_id, media.sha256)

    async def delete(self, scope: CompanyScope, media_id: str) -> None:
        """Forget a file; its bytes go with the last that refers to them. Raises NOT_FOUND."""
        async with self._context.database.transaction(scope) as tx:
            await message_store.lock_company(tx, scope)
            sha256 = await media_store.remove(tx, scope, media_id) if is_id(media_id) else None
            if sha256 is None:
                raise not_found()
            await self._drop_unused(tx, scope, sha256)

    async def purge_expired(self) -> int:
        """Forget files whose time is over, of all companies, in bounded pieces; gives how many."""
        now = self._context.clock()
        async with self._context.database.reading(SystemScope()) as tx:
            expired = await media_store.list_expired(tx, SystemScope(), now, _PURGED_AT_ONCE)
        for scope, media_id in expired:
            async with self._context.database.transaction(scope) as tx:
                await message_store.lock_company(tx, scope)
                sha256 = await media_store.remove_expired(tx, scope, media_id, now)
                if sha256 is not None:
                    await self._drop_unused(tx, scope, sha256)
        if expired:
            logger.info("{} files were removed by retention", len(expired))
        return len(expired)

    async def _keep(
        self,
        scope: CompanyScope,
        file: SpooledFile,
        declared_type: str,
        file_name: str,
        source: MediaSource,
        once: "_Once | None" = None,
    ) -> Media:
        try:
            mime_type = sniff(file.head, declared_type)
            facts = await self._look_at(file, mime_type, trusted=source is MediaSource.RECEIVED)
            await self._storage.keep(scope.company_id, file)
        finally:
            await asyncio.to_thread(file.remove)
        now = self._context.clock()
        media = Media(
            id=make_id(now, self._context.rng),
            company_id=scope.company_id,
            sha256=file.sha256,
            mime_type=mime_type,
            size=file.size,
            file_name=file_name,
            source=source,
            created_at=now,
            expires_at=self._expiry(now),
            facts=facts,
        )
        async with self._context.database.transaction(scope) as tx:
            await message_store.lock_company(tx, scope)
            if once is not None:
                earlier = await idempotency.remember(
                    tx, scope, once.key, once.method, once.request_hash, media.id, now=now
                )
                if earlier is not None:
                    return await _found(tx, scope, earlier.resource_id)
            # A file of the same contents may have been removed since; nobody removes while the company is locked.
            if not await self._storage.has(scope.company_id, file.sha256):
                raise PonteError(errors.MEDIA_STORE_FAILED, retry_after_s=1.0)
            await media_store.add(tx, scope, media)
        return media

    async def _look_at(self, file: SpooledFile, mime_type: str, *, trusted: bool) -> MediaFacts:
        try:
            if mime_type in IMAGE_TYPES:
                return await asyncio.to_thread(check_picture, file.path)
            if file.head.startswith(b"PK\x03\x04"):
                await asyncio.to_thread(check_archive, file.path)
        except PonteError:
            if not trusted:
                raise
        if mime_type.startswith(("video/", "audio/")):
            return await self._converter.facts(file.path)
        return MediaFacts()

    async def _drop_unused(self, tx: Transaction, scope: CompanyScope, sha256: str) -> None:
        if not await media_store.is_referred_to(tx, scope, sha256):
            await self._storage.remove(scope.company_id, sha256)

    def _expiry(self, now: datetime) -> datetime | None:
        days = self._settings.retention_days
        return now + timedelta(days=days) if days else None


@dataclass(frozen=True, slots=True)
class _Once:
    key: str
    method: str
    request_hash: str


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def _checked_name(file_name: str) -> str:
    if len(file_name) > _LONGEST_NAME or any(
        character < " " or character in "/\\" for character in file_name
    ):
        raise invalid_field(
            errors.INVALID_ARGUMENT, "file_name", f"Give at most {_LONGEST_NAME} characters without slashes."
        )
    return file_name


async def _found(tx: Transaction, scope: CompanyScope, media_id: str) -> Media:
    media = await media_store.get(tx, scope, media_id) if is_id(media_id) else None
    if media is None:
        raise not_found()
    return media
