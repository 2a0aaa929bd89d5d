"""Fetches a file from a URL that a company gave, behind the guard: each hop and each connected address is checked.

Nothing that the answer says is believed but its bytes, and of those only so many, in so much time.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.message import Message
from typing import Final
from urllib.parse import unquote, urljoin

import aiohttp
from yarl import URL

from orchestrator.domain import errors
from orchestrator.domain.errors import FieldViolation, PonteError
from orchestrator.domain.media import too_large
from orchestrator.media.spool import CHUNK_BYTES
from orchestrator.url_guard.guard import AddressNotAllowed, UrlGuard

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_LONGEST_NAME: Final = 255
_USER_AGENT: Final = "Ponte-Media/1"


@dataclass(frozen=True, slots=True)
class FetchSettings:
    """Bounds of one fetch; seconds and bytes."""

    total_s: float = 120.0
    """From the first look-up to the last byte, redirects included."""
    connect_s: float = 10.0
    silence_s: float = 15.0
    """The longest wait for more bytes."""
    most_redirects: int = 5
    at_once: int = 16
    """Fetches of this process; more wait, and their time is running."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """An answer whose bytes are still to be read; `declared_type` and `file_name` are what the host says, `url` is
    where it came from after all redirects."""

    declared_type: str
    file_name: str
    chunks: AsyncGenerator[bytes]
    url: str


class UrlFetcher:
    """GETs files. Uses no proxy, keeps no cookie and no connection; belongs to one event loop."""

    def __init__(self, guard: UrlGuard, settings: FetchSettings | None = None) -> None:
        self._guard = guard
        self._settings = settings or FetchSettings()
        self._session: aiohttp.ClientSession | None = None
        self._room = asyncio.Semaphore(self._settings.at_once)

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    @asynccontextmanager
    async def open(self, url: str, limit: int, field: str = "url") -> AsyncIterator[RemoteFile]:
        """Give the file at `url`, of at most `limit` bytes, for the length of a block that reads it.

        Raises PonteError naming `field`: INVALID_URL, URL_NOT_ALLOWED, MEDIA_URL_FAILED, MEDIA_URL_TIMED_OUT,
        MEDIA_TOO_LARGE; the last three also while it is read.
        """
        try:
            async with asyncio.timeout(self._settings.total_s), self._room:
                response = await self._follow(url, field)
                try:
                    yield _remote_file(response, limit, field)
                finally:
                    response.close()
        except TimeoutError:
            raise _refused(errors.MEDIA_URL_TIMED_OUT, field) from None
        except aiohttp.ClientError as error:
            raise _explain(error, field) from None
        except OSError as error:
            if isinstance(error, AddressNotAllowed):
                raise _refused(errors.URL_NOT_ALLOWED, field) from None
            raise

    async def _follow(self, url: str, field: str) -> aiohttp.ClientResponse:
        for _ in range(self._settings.most_redirects + 1):
            await self._guard.check(url, field)
            response = await self._open_session().get(url, allow_redirects=False)
            if response.status not in _REDIRECTS:
                return response
            target = response.headers.get("Location", "")
            response.close()
            if not target:
                raise _failed(field, f"The host answers {response.status} and does not say where to.")
            url = _joined(str(response.url), target, field)
        raise _failed(field, f"The URL leads through more than {self._settings.most_redirects} redirects.")

    def _open_session(self) -> aiohttp.ClientSession:
        """Made at the first use, since it belongs to the running loop."""
        if self._session is None:
            settings = self._settings
            connector = aiohttp.TCPConnector(
                resolver=self._guard.resolver,
                socket_factory=self._guard.open_socket,
                limit=settings.at_once,
                force_close=True,
                use_dns_cache=False,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(
                    total=settings.total_s, connect=settings.connect_s, sock_read=settings.silence_s
                ),
                trust_env=False,
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"user-agent": _USER_AGENT, "accept": "*/*", "accept-encoding": "identity"},
                read_bufsize=CHUNK_BYTES,
            )
        return self._session


def _remote_file(response: aiohttp.ClientResponse, limit: int, field: str) -> RemoteFile:
    if response.status != 200:
        raise _failed(field, f"The host answers {response.status}.")
    if response.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise _failed(field, "The host sends the file compressed although it was asked not to.")
    length = response.content_length
    if length is not None and length > limit:
        raise too_large(limit, field)
    return RemoteFile(
        response.headers.get("Content-Type", "")[:_LONGEST_NAME],
        _name_of(response),
        _body(response, limit, field),
        str(response.url),
    )


async def _body(response: aiohttp.ClientResponse, limit: int, field: str) -> AsyncGenerator[bytes]:
    size = 0
    async for chunk in response.content.iter_chunked(CHUNK_BYTES):
        size += len(chunk)
        if size > limit:
            raise too_large(limit, field)
        yield chunk


def _name_of(response: aiohttp.ClientResponse) -> str:
    header = Message()
    header["content-disposition"] = response.headers.get("Content-Disposition", "")
    try:
        given = header.get_filename() or ""
    except (ValueError, LookupError):
        given = ""
    name = given or unquote(response.url.path.rpartition("/")[2])
    return re.sub(r"[\x00-\x1f\x7f/\\]", "_", name)[-_LONGEST_NAME:]


def _joined(base: str, target: str, field: str) -> str:
    try:
        joined = urljoin(base, target.strip())
        return str(URL(joined).with_fragment(None))
    except ValueError:
        raise _failed(field, "The host redirects to what is no URL.") from None


def _explain(error: aiohttp.ClientError, field: str) -> PonteError:
    if isinstance(error, aiohttp.InvalidURL):
        return _refused(errors.INVALID_URL, field)
    if isinstance(error, aiohttp.ServerTimeoutError):
        return _refused(errors.MEDIA_URL_TIMED_OUT, field)
    if _is_forbidden(error):
        return _refused(errors.URL_NOT_ALLOWED, field)
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return _failed(field, "The URL's host name cannot be resolved.")
    if isinstance(error, aiohttp.ClientSSLError):
        return _failed(field, "The URL's host has no valid certificate.")
    if isinstance(error, aiohttp.ClientConnectorError):
        return _failed(field, "The URL's host cannot be connected to.")
    if isinstance(error, aiohttp.ClientPayloadError):
        return _failed(field, "The host ended the file before its announced length.")
    return _failed(field, "The host's answer is not valid HTTP, or the connection was lost.")


def _is_forbidden(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, AddressNotAllowed) or isinstance(
            getattr(error, "os_error", None), AddressNotAllowed
        ):
            return True
        error = error.__cause__
    return False


def _failed(field: str, detail: str) -> PonteError:
    return PonteError(errors.MEDIA_URL_FAILED, detail, violations=(FieldViolation(field, detail),))


def _refused(code: errors.ErrorCode, field: str) -> PonteError:
    return PonteError(code, violations=(FieldViolation(field, code.sentence),))
