"""Whether the addresses to serve on are free, asked before anything is started."""

from __future__ import annotations

import errno
import socket

from orchestrator.config import Address
from orchestrator.startup import StartupError


def check_free(variable: str, address: Address) -> None:
    """Raise StartupError naming `variable` where nobody can listen on `address` now; port 0 is always free."""
    try:
        family, _, _, _, place = socket.getaddrinfo(
            *address, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise StartupError(f"{variable}: the host {address.host} is not known ({error.strerror}).") from error
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As the servers do: an address whose last connections are still fading away is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(place)
        except OSError as error:
            raise StartupError(_sentence(variable, address, error)) from error


def _sentence(variable: str, address: Address, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {address.port} on {address.host} is taken: stop what uses it, or set {variable} to another one."
    return f"{variable}={address} cannot be listened on ({error.strerror}): set it to an address of this machine."
