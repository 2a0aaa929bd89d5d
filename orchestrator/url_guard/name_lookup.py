"""Resolves host names as the operating system does, on threads that hold up neither the event loop nor an exit."""

import asyncio
import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from ipaddress import ip_address
from typing import Final

LOOK_UPS_AT_ONCE: Final = 8
"""More wait. A look-up that nobody waits for any more still counts until the operating system gives up."""


class SystemNames:
    """Looks names up; belongs to one event loop."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(LOOK_UPS_AT_ONCE)

    async def __call__(self, host: str) -> Sequence[str]:
        """Give a host's numeric addresses; raises OSError where it has none."""
        if _is_numeric(host):
            return (host,)
        await self._free.acquire()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Sequence[str]] = loop.create_future()

        def settle(found: Sequence[str] | OSError) -> None:
            self._free.release()
            if answer.done():
                return
            if isinstance(found, OSError):
                answer.set_exception(found)
            else:
                answer.set_result(found)

        def look_up() -> None:
            found = _addresses(host)
            with suppress(RuntimeError):  # The loop was closed meanwhile.
                loop.call_soon_threadsafe(settle, found)

        # Not an executor: its threads are waited for when the process ends, and a name server may take half a minute.
        threading.Thread(target=look_up, name="url-guard-dns", daemon=True).start()
        return await answer


def _addresses(host: str) -> Sequence[str] | OSError:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    except OSError as error:
        return error
    except UnicodeError:
        return OSError("the host name is not a name")
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _is_numeric(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
