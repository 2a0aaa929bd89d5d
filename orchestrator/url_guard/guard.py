"""Keeps calls to URLs that companies give out of private networks: asked beforehand and again on each connect.

The connect check sees the very address that the socket is opened to, so neither DNS rebinding nor an odd way of
writing an address gets round it. Those who call never let the client follow redirects and never use proxies.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.connector import AddrInfoType
from yarl import URL

from orchestrator.domain import errors
from orchestrator.domain.errors import PonteError, invalid_field
from orchestrator.url_guard.addresses import is_allowed
from orchestrator.url_guard.name_lookup import SystemNames

MAX_URL_CHARACTERS: Final = 2000

LOOK_UP_AT_SAVE_S: Final = 2.0
"""A name that takes longer to resolve is saved: the check at connect holds anyhow."""

LookUp = Callable[[str], Awaitable[Sequence[str]]]
"""Resolves a host to numeric addresses; raises OSError where it has none."""


class AddressNotAllowed(OSError):
    """The host is at an address that must not be reached."""


class UrlGuard:
    """Decides which URLs and addresses may be called."""

    def __init__(
        self,
        *,
        allow_private_networks: bool = False,
        denied_ports: frozenset[int] = frozenset(),
        look_up: LookUp | None = None,
    ) -> None:
        self._allow_private = allow_private_networks
        self._denied_ports = denied_ports
        self._look_up = look_up or SystemNames()
        self._checking_resolver = _GuardedResolver(self)

    @property
    def resolver(self) -> AbstractResolver:
        """For the HTTP client: resolves names to allowed addresses only."""
        return self._checking_resolver

    async def check(self, url: str, field_path: str = "url") -> None:
        """Refuse a URL that is not usable or leads to an address that is not allowed.

        Raises PonteError(INVALID_URL or URL_NOT_ALLOWED) naming `field_path`. A name that has no address now passes.
        """
        parsed = _parse(url, field_path)
        host = (parsed.host or "").rstrip(".")
        if parsed.port in self._denied_ports:
            raise invalid_field(errors.URL_NOT_ALLOWED, field_path, f"Port {parsed.port} may not be used.")
        if not self._allow_private and (host == "localhost" or host.endswith(".localhost")):
            raise self._not_allowed(field_path)
        try:
            async with asyncio.timeout(LOOK_UP_AT_SAVE_S):
                addresses = await self._look_up(host)
        except (OSError, TimeoutError):
            return
        # One bad address is enough: at connect only the good ones are used, but such a name means no good.
        if not all(is_allowed(address, self._allow_private) for address in addresses):
            raise self._not_allowed(field_path)

    def _not_allowed(self, field_path: str) -> PonteError:
        never = "Link-local, multicast and reserved addresses are never allowed."
        return invalid_field(errors.URL_NOT_ALLOWED, field_path, never if self._allow_private else "")

    async def allowed_addresses(self, host: str) -> list[str]:
        """Resolve a host and keep what is allowed; raises AddressNotAllowed where nothing is left."""
        allowed = [
            address for address in await self._look_up(host) if is_allowed(address, self._allow_private)
        ]
        if not allowed:
            raise AddressNotAllowed("the address is not allowed")
        return allowed

    def open_socket(self, address: AddrInfoType) -> socket.socket:
        """Open the socket for a connect, unless its address or port is not allowed (AddressNotAllowed)."""
        family, kind, protocol, _, socket_address = address
        host, port = socket_address[0], socket_address[1]
        if port in self._denied_ports or not is_allowed(str(host), self._allow_private):
            raise AddressNotAllowed("the address is not allowed")
        return socket.socket(family, kind, protocol)


class _GuardedResolver(AbstractResolver):
    def __init__(self, guard: UrlGuard) -> None:
        self._guard = guard

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address in await self._guard.allowed_addresses(host)
        ]

    async def close(self) -> None:
        """Nothing is held."""


def _parse(url: str, field_path: str) -> URL:
    if not url or len(url) > MAX_URL_CHARACTERS:
        raise _invalid(field_path, f"Give a URL of 1 to {MAX_URL_CHARACTERS} characters.")
    if any(character <= " " or character in '\\"<>^`{|}\x7f' for character in url):
        raise _invalid(field_path, "The URL has characters that must be written as %XX.")
    try:
        parsed = URL(url)
        port = parsed.port
    except ValueError as error:
        raise _invalid(field_path, "The URL cannot be read.") from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise _invalid(field_path, "Give an absolute http or https URL.")
    if "@" in url.partition("://")[2].partition("/")[0].partition("?")[0]:
        raise _invalid(field_path, "Give no user name or password in the URL.")
    if port is None or not 1 <= port <= 65_535:
        raise _invalid(field_path, "The port is not one of 1 to 65535.")
    if parsed.fragment:
        raise _invalid(field_path, "Leave out the part after #.")
    if _is_odd_number(parsed.host):
        raise _invalid(field_path, "Write an IPv4 address as four decimal numbers, such as 203.0.113.7.")
    return parsed


def _is_odd_number(host: str) -> bool:
    """Hosts whose last part is a number are IPv4 addresses (WHATWG URL, section 3.5); only one spelling is taken."""
    if ":" in host:
        return False
    last = host.rstrip(".").rpartition(".")[2].lower()
    is_number = last.isdigit() or (
        last.startswith("0x") and all(digit in "0123456789abcdef" for digit in last[2:])
    )
    if not is_number:
        return False
    parts = host.split(".")
    return len(parts) != 4 or any(
        not part.isdigit() or str(int(part)) != part or int(part) > 255 for part in parts
    )


def _invalid(field_path: str, description: str) -> PonteError:
    return invalid_field(errors.INVALID_URL, field_path, description)
