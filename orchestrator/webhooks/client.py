"""One attempt: a signed POST to an endpoint, and what it said."""

import asyncio
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import aiohttp

from orchestrator.domain.webhook import DeliveryAnswer
from orchestrator.url_guard.guard import AddressNotAllowed, UrlGuard
from orchestrator.webhooks.settings import WebhookSettings
from orchestrator.webhooks.signing import Signer

LONGEST_RETRY_AFTER_S: Final = 86_400.0
"""An endpoint may ask for a longer wait; the longest of our own schedule is enough."""

_READ_ANSWER_BYTES: Final = 16_384
"""An answer up to this size is read, and thrown away, so that its connection can be used again."""

_USER_AGENT: Final = "Ponte-Webhooks/1"


class WebhookClient:
    """Sends deliveries over shared connections. Follows no redirect, uses no proxy, keeps no cookie."""

    def __init__(
        self, guard: UrlGuard, clock: Callable[[], datetime], settings: WebhookSettings | None = None
    ) -> None:
        self._guard = guard
        self._clock = clock
        self._settings = settings or WebhookSettings()
        self._session: aiohttp.ClientSession | None = None

    @property
    def most_requests(self) -> int:
        """More at once wait for a connection, and their time is running."""
        return self._settings.most_requests

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def deliver(self, url: str, signer: Signer, event_id: str, body: str) -> DeliveryAnswer:
        """Send one event and give the endpoint's answer; never raises for what the endpoint or the network does."""
        now = self._clock()
        headers = {"content-type": "application/json", **signer.headers(event_id, body, now)}
        try:
            async with self._open().post(
                url, data=body.encode(), headers=headers, allow_redirects=False
            ) as response:
                await _throw_away(response)
                return DeliveryAnswer(
                    response.status,
                    "" if 200 <= response.status < 300 else f"HTTP {response.status}",
                    retry_after_s(response.headers.get("Retry-After", ""), now),
                )
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return DeliveryAnswer(0, describe_failure(error))

    def _open(self) -> aiohttp.ClientSession:
        """Made at the first use, since it belongs to the running loop."""
        if self._session is None:
            connector = aiohttp.TCPConnector(
                resolver=self._guard.resolver,
                socket_factory=self._guard.open_socket,
                limit=self._settings.most_requests,
                keepalive_timeout=self._settings.idle_connection_s,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=self._settings.request_timeout_s),
                trust_env=False,
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"user-agent": _USER_AGENT},
            )
        return self._session


async def _throw_away(response: aiohttp.ClientResponse) -> None:
    left = _READ_ANSWER_BYTES
    while left > 0:
        chunk = await response.content.read(left)
        if not chunk:
            return
        left -= len(chunk)
    response.close()


def retry_after_s(header: str, now: datetime) -> float | None:
    """Read a Retry-After header (seconds or an HTTP date, RFC 9110 section 10.2.3); None where there is none to use."""
    text = header.strip()
    if not text:
        return None
    if text.isascii() and text.isdigit():
        return min(float(text), LONGEST_RETRY_AFTER_S)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(0.0, (moment - now).total_seconds()), LONGEST_RETRY_AFTER_S)


def describe_failure(error: BaseException) -> str:
    """Name why there was no answer, in words that hold nothing of the URL."""
    if _is_caused_by(error, AddressNotAllowed):
        return "the address is not allowed"
    if isinstance(error, asyncio.TimeoutError):
        return "timed out"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "the host name cannot be resolved"
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        return "TLS failed"
    if isinstance(error, aiohttp.InvalidURL | ValueError):
        return "the URL is not usable"
    if isinstance(error, aiohttp.ClientConnectorError):
        return "the connection was refused or not possible"
    return "the connection was lost"


def _is_caused_by(error: BaseException | None, kind: type[BaseException]) -> bool:
    while error is not None:
        if isinstance(error, kind) or isinstance(getattr(error, "os_error", None), kind):
            return True
        error = error.__cause__
    return False
