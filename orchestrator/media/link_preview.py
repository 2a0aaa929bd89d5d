"""What a page says of itself, fetched behind the guard: the title, description and picture of a link's preview."""

import asyncio
import codecs
import re
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from email.message import Message
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urljoin

from loguru import logger

from orchestrator.domain.content.text import MOST_THUMBNAIL_BYTES
from orchestrator.domain.errors import PonteError
from orchestrator.domain.media import IMAGE_TYPES, MIB
from orchestrator.media.bombs import check_picture
from orchestrator.media.conversion import Converter
from orchestrator.media.sniffing import sniff
from orchestrator.media.spool import Spool
from orchestrator.media.url_fetcher import UrlFetcher

LONGEST_S: Final = 6.0
"""A message waits for its preview so long at most, page and picture together."""

_MOST_PAGE_BYTES: Final = 512 * 1024
"""Of a page only its beginning is read, where its head is."""

_LARGEST_PAGE_BYTES: Final = 64 * MIB
_MOST_PICTURE_BYTES: Final = 5 * MIB
_MOST_TITLE: Final = 300
_MOST_DESCRIPTION: Final = 500
_PAGE_TYPES: Final = ("text/html", "application/xhtml+xml")
_CHARSET: Final = re.compile(rb"<meta[^>]{1,200}charset\s*=\s*[\"']?([A-Za-z0-9_-]{1,40})", re.IGNORECASE)
_CHARSETS: Final = (
    "utf",
    "iso8859",
    "cp",
    "koi8",
    "shift_jis",
    "euc",
    "gb",
    "big5",
    "ascii",
    "iso2022",
    "mac",
)
"""Beginnings of the names of those that pages are written in: Python has others, some of them slow or no text."""

_CHARSET_IS_WITHIN: Final = 1024
"""HTML's own bound for where it stands."""

_TITLES: Final = ("og:title", "twitter:title", "title")
_DESCRIPTIONS: Final = ("og:description", "twitter:description", "description")
_PICTURES: Final = ("og:image:secure_url", "og:image:url", "og:image", "twitter:image")


@dataclass(frozen=True, slots=True)
class PagePreview:
    """What is shown of a page; `thumbnail` is a small JPEG, or empty."""

    title: str
    description: str = ""
    thumbnail: bytes = b""


class LinkPreviews:
    """Reads pages. Whatever goes wrong costs the preview, or its picture, and never the message."""

    def __init__(
        self, fetcher: UrlFetcher, spool: Spool, converter: Converter, longest_s: float = LONGEST_S
    ) -> None:
        self._fetcher = fetcher
        self._spool = spool
        self._converter = converter
        self._longest_s = longest_s

    async def read(self, url: str) -> PagePreview | None:
        """Give what the page at `url` says of itself; None where it cannot be had, is no page, or has no title."""
        ends_at = asyncio.get_running_loop().time() + self._longest_s
        try:
            async with asyncio.timeout_at(ends_at):
                head, base = await self._read_head(url)
        except (PonteError, TimeoutError, OSError) as error:
            logger.info("A link is shown without a preview: {}", _code_of(error))
            return None
        title = _first(head, _TITLES)[:_MOST_TITLE]
        if not title:
            return None
        thumbnail = b""
        try:
            async with asyncio.timeout_at(ends_at):
                thumbnail = await self._thumbnail(base, _first(head, _PICTURES))
        except (PonteError, TimeoutError, OSError) as error:
            logger.info("A link's preview has no picture: {}", _code_of(error))
        return PagePreview(title, _first(head, _DESCRIPTIONS)[:_MOST_DESCRIPTION], thumbnail)

    async def _read_head(self, url: str) -> tuple[dict[str, str], str]:
        async with self._fetcher.open(url, _LARGEST_PAGE_BYTES) as remote:
            kind = Message()
            kind["content-type"] = remote.declared_type
            if kind.get_content_type() not in _PAGE_TYPES:
                return {}, url
            async with aclosing(remote.chunks) as chunks:
                page = await _beginning(chunks)
            # Of a page that was made to be slow, a thread's time is lost, not everybody's.
            return await asyncio.to_thread(_head_of, page, kind.get_content_charset()), remote.url

    async def _thumbnail(self, base: str, picture: str) -> bytes:
        if not picture:
            return b""
        try:
            url = urljoin(base, picture)
        except ValueError:
            return b""
        async with self._fetcher.open(url, _MOST_PICTURE_BYTES) as remote:
            file = await self._spool.receive(remote.chunks, _MOST_PICTURE_BYTES)
        try:
            if sniff(file.head) not in IMAGE_TYPES:
                return b""
            await asyncio.to_thread(check_picture, file.path)
            made = await self._converter.thumbnail(file.path)
            return made if len(made) <= MOST_THUMBNAIL_BYTES else b""
        finally:
            file.remove()


async def _beginning(chunks: AsyncIterator[bytes]) -> bytes:
    page = bytearray()
    async for chunk in chunks:
        page += chunk
        if len(page) >= _MOST_PAGE_BYTES:
            break
    return bytes(page[:_MOST_PAGE_BYTES])


def _head_of(page: bytes, declared_charset: str | None) -> dict[str, str]:
    found = _CHARSET.search(page[:_CHARSET_IS_WITHIN])
    charset = _known_charset(declared_charset or (found.group(1).decode() if found else ""))
    reader = _HeadReader()
    # What no parser takes ends the reading; what was said before counts.
    with suppress(ValueError, AssertionError):
        reader.feed(page.decode(charset, "replace"))
    return reader.said


def _known_charset(name: str) -> str:
    """Give Python's name of an encoding that pages are written in; UTF-8 for anything else."""
    try:
        known = codecs.lookup(name).name
    except (LookupError, ValueError):
        return "utf-8"
    return known if known.startswith(_CHARSETS) and known != "utf-7" else "utf-8"


class _HeadReader(HTMLParser):
    """Collects what `meta` and `title` say, each name once: the first that says anything."""

    def __init__(self) -> None:
        super().__init__()
        self.said: dict[str, str] = {}
        self._title: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "title":
            self._title = []
        if tag != "meta":
            return
        given = {name: value or "" for name, value in attrs}
        self._say((given.get("property") or given.get("name", "")).lower(), given.get("content", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "title" and self._title is not None:
            self._say("title", "".join(self._title))
            self._title = None

    def handle_data(self, data: str) -> None:
        if self._title is not None:
            self._title.append(data)

    def _say(self, name: str, value: str) -> None:
        value = " ".join(value.replace("\0", " ").encode(errors="ignore").decode().split())
        if name and value:
            self.said.setdefault(name, value)


def _first(said: dict[str, str], names: tuple[str, ...]) -> str:
    return next((said[name] for name in names if name in said), "")


def _code_of(error: Exception) -> str:
    return error.code.name if isinstance(error, PonteError) else "it took too long"
