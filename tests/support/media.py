"""The service of files on a folder of the test's own."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from orchestrator.media.spool import Spool
from orchestrator.media.storage import FolderStorage
from orchestrator.media.url_fetcher import UrlFetcher
from orchestrator.services.context import Context
from orchestrator.services.media import MediaService, MediaSettings
from orchestrator.url_guard.guard import UrlGuard


def make_media(
    context: Context, folder: Path, guard: UrlGuard | None = None, **settings: Any
) -> MediaService:
    """Files in `folder`; `settings` are those of the service."""
    spool = Spool(folder / "spool")
    spool.prepare()
    storage = FolderStorage(folder / "media")
    return MediaService(context, storage, spool, UrlFetcher(guard or UrlGuard()), MediaSettings(**settings))


async def in_one_piece(contents: bytes) -> AsyncIterator[bytes]:
    """A file's contents as an upload that comes all at once."""
    yield contents
