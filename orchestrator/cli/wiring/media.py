"""Where this process keeps files and where they are on their way."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from loguru import logger

from orchestrator.config import Settings
from orchestrator.domain.media import MediaLimits
from orchestrator.media.object_storage import s3_storage
from orchestrator.media.spool import Spool
from orchestrator.media.storage import FolderStorage, MediaStorage
from orchestrator.media.url_fetcher import UrlFetcher
from orchestrator.services.context import Context
from orchestrator.services.media import MediaService, MediaSettings
from orchestrator.startup import StartupError
from orchestrator.url_guard.guard import UrlGuard


def make_media(settings: Settings, context: Context) -> MediaService:
    """Make the service of files. Raises StartupError for a PONTE_MEDIA_URL or folder that cannot be used."""
    spool = Spool(spool_folder(settings))
    try:
        spool.prepare()
    except OSError as error:
        raise StartupError(f"PONTE_SPOOL_DIR={spool.folder} cannot be used ({error.strerror}).") from error
    guard = UrlGuard(allow_private_networks=settings.media_allow_private_networks)
    limits = MediaLimits(
        document=settings.media_document_limit_bytes,
        video=settings.media_video_limit_bytes,
        other=settings.media_other_limit_bytes,
    )
    return MediaService(
        context,
        _storage(settings, spool),
        spool,
        UrlFetcher(guard),
        MediaSettings(limits, settings.media_retention_days),
    )


def spool_folder(settings: Settings) -> Path:
    """Where files lie that are on their way; a gateway and its bridge share it."""
    return (settings.spool_dir or settings.data_dir / "spool").absolute()


def _storage(settings: Settings, spool: Spool) -> MediaStorage:
    url = settings.media_url
    if url is None:
        if settings.redis_url is not None:
            logger.warning("Files are kept in {}: other processes need PONTE_MEDIA_URL.", settings.data_dir)
        return FolderStorage(settings.data_dir.absolute() / "media")
    if url.startswith("s3://"):
        try:
            return s3_storage(url, spool)
        except ValueError as error:
            raise StartupError(f"PONTE_MEDIA_URL cannot be used: {error}.") from error
    return FolderStorage(Path(unquote(urlsplit(url).path)))
