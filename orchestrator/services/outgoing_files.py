"""Files of messages to send: found or fetched when the message is taken in, opened when it leaves."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.content import (
    Album,
    AlbumItem,
    Audio,
    Content,
    Document,
    Image,
    MediaRef,
    Sticker,
    Text,
    Video,
    Voice,
)
from orchestrator.domain.content.text import LinkPreview, first_link
from orchestrator.domain.media import FileAtHand, Media, MediaKind, check_sendable
from orchestrator.media.conversion import Converted
from orchestrator.media.link_preview import PagePreview
from orchestrator.services.media import MediaService

_REMEMBERED_THUMBNAILS: Final = 256

Carrier = Image | Video | Audio | Voice | Document | Sticker
"""The contents that carry one file."""

CarrierT = TypeVar("CarrierT", bound=Carrier)


class OutgoingFiles:
    """Makes contents ready to be sent, and gives their files to the bridge."""

    def __init__(self, media: MediaService) -> None:
        self._media = media
        self._thumbnails: dict[str, bytes] = {}

    async def resolve(
        self, scope: CompanyScope, content: Content, send_at: datetime | None = None
    ) -> Content:
        """Fill in what is known of a content's file, once it is stored and in the form that WhatsApp takes.

        Fetches a URL; makes a voice note of any sound, a film of a gif that is to play by itself, a sticker of a
        picture; asks a page for the preview of its link. Other contents are given back as they are. Raises NOT_FOUND
        and whatever is wrong with the file: MEDIA_TYPE_NOT_ALLOWED, MEDIA_TOO_LARGE, MEDIA_NOT_USABLE, or what
        MediaService.fetch_url raises.
        """
        body = content.body
        if isinstance(body, Text):
            return await self._with_preview(content, body)
        if isinstance(body, Album):
            return replace(content, body=replace(body, items=await self._resolve_items(scope, body, send_at)))
        if not isinstance(body, Carrier):
            return content
        return replace(content, body=await self._resolve_body(scope, body, send_at, body.kind))

    async def _with_preview(self, content: Content, body: Text) -> Content:
        given = body.preview
        if given is None or not given.fetch:
            return content
        url = given.url or first_link(body.body)
        page = await self._media.previews.read(url)
        if page is None and not given.title:
            return replace(content, body=replace(body, preview=None))
        page = page or PagePreview(given.title)
        shown = LinkPreview(
            url,
            given.title or page.title,
            given.description or page.description,
            given.thumbnail or page.thumbnail,
        )
        return replace(content, body=replace(body, preview=shown))

    async def _resolve_items(
        self, scope: CompanyScope, album: Album, send_at: datetime | None
    ) -> tuple[AlbumItem, ...]:
        """All at the same time: thirty URLs take as long as the slowest."""
        resolving = [
            self._resolve_item(scope, item, send_at, f"album.items[{index}]")
            for index, item in enumerate(album.items)
        ]
        done = await asyncio.gather(*resolving, return_exceptions=True)
        for one in done:
            if isinstance(one, BaseException):
                raise one
        return tuple(one for one in done if not isinstance(one, BaseException))

    async def _resolve_item(
        self, scope: CompanyScope, item: AlbumItem, send_at: datetime | None, path: str
    ) -> AlbumItem:
        image = item.image and await self._resolve_body(scope, item.image, send_at, f"{path}.image")
        video = item.video and await self._resolve_body(scope, item.video, send_at, f"{path}.video")
        return AlbumItem(image, video)

    async def _resolve_body(
        self, scope: CompanyScope, body: CarrierT, send_at: datetime | None, path: str
    ) -> CarrierT:
        reference = body.media
        media = await self._find(scope, reference, send_at)
        check_sendable(media, MediaKind(body.kind), self._media.limits, f"{path}.media")
        ready, waveform = await self._convert(scope, body, media)
        filled = _filled(ready, reference.file_name or media.file_name)
        if isinstance(body, Voice):
            return replace(body, media=filled, waveform=waveform or body.waveform)
        return replace(body, media=filled)

    @asynccontextmanager
    async def opened(self, scope: CompanyScope, content: Content | None) -> AsyncIterator[list[FileAtHand]]:
        """Give the files of a content, readable by the bridge for the length of a block; none where it has none.

        Raises NOT_FOUND or MEDIA_NOT_STORED where a file is gone.
        """
        body = content.body if content else None
        if not isinstance(body, Carrier):
            yield []
            return
        async with AsyncExitStack() as stack:
            media = await self._media.get(scope, body.media.media_id)
            path = await stack.enter_async_context(self._media.local_path(media))
            thumbnail = await self._thumbnail(media, path) if isinstance(body, Image | Video) else b""
            yield [FileAtHand(path, thumbnail)]

    @asynccontextmanager
    async def opened_file(self, scope: CompanyScope, media_id: str) -> AsyncIterator[Path]:
        """Give one file, readable by the bridge for the length of a block. Raises NOT_FOUND, MEDIA_NOT_STORED."""
        async with self._media.local_path(await self._media.get(scope, media_id)) as path:
            yield path

    async def group_picture(self, scope: CompanyScope, media_id: str) -> str:
        """Make a group's picture of a stored one, and give its media id.

        Raises NOT_FOUND, MEDIA_NOT_STORED, MEDIA_TYPE_NOT_ALLOWED, MEDIA_NOT_USABLE.
        """
        media = await self._media.use(scope, media_id)
        check_sendable(media, MediaKind.IMAGE, self._media.limits, "media_id")
        async with self._media.local_path(media) as path:
            made = await self._media.converter.square_picture(path)
        return (await self._store(scope, media, made)).id

    async def _find(self, scope: CompanyScope, reference: MediaRef, send_at: datetime | None) -> Media:
        if reference.url:
            return await self._media.fetch_url(scope, reference.url, reference.file_name)
        return await self._media.use(scope, reference.media_id, send_at)

    async def _convert(self, scope: CompanyScope, body: Carrier, media: Media) -> tuple[Media, bytes]:
        """Give the file in the form that is sent, and a voice note's waveform."""
        converter = self._media.converter
        if isinstance(body, Voice):
            # Also what is Opus already: its channels are not known, and its waveform is not either.
            make = converter.voice_note
        elif isinstance(body, Video) and media.mime_type == "image/gif":
            make = converter.gif_video
        elif isinstance(body, Sticker) and media.mime_type != "image/webp":
            make = converter.sticker
        else:
            return media, b""
        async with self._media.local_path(media) as path:
            made = await make(path)
        return await self._store(scope, media, made), made.waveform

    async def _store(self, scope: CompanyScope, original: Media, made: Converted) -> Media:
        name = f"{Path(original.file_name).stem}{made.path.suffix}" if original.file_name else ""
        stored = await self._media.add_converted(scope, made.path, made.mime_type, name)
        facts = replace(stored.facts, seconds=stored.facts.seconds or made.facts.seconds)
        return replace(stored, facts=facts)

    async def _thumbnail(self, media: Media, path: Path) -> bytes:
        known = self._thumbnails.get(media.sha256)
        if known is None:
            known = await self._media.converter.thumbnail(path)
            if len(self._thumbnails) >= _REMEMBERED_THUMBNAILS:
                self._thumbnails.pop(next(iter(self._thumbnails)))
            self._thumbnails[media.sha256] = known
        return known


def _filled(media: Media, file_name: str) -> MediaRef:
    return MediaRef(
        media_id=media.id,
        mime_type=media.mime_type,
        size=media.size,
        sha256=media.sha256,
        file_name=file_name,
        width=media.facts.width,
        height=media.facts.height,
        seconds=media.facts.seconds,
    )
