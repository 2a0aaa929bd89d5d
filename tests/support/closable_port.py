"""A port in front of a server, at which connections can be refused for a while."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

HOST = "127.0.0.1"


class ClosablePort:
    """Passes everything to the server's port while it is open."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        # Bound and never listening: nobody else gets the port while it is closed.
        self._held = socket.socket()
        self._held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._held.bind((HOST, 0))
        self._listener: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def port(self) -> int:
        """Where it is reached."""
        return int(self._held.getsockname()[1])

    async def open(self) -> None:
        """Accept connections."""
        self._listener = await asyncio.start_server(self._pass_on, HOST, self.port, reuse_port=True)

    async def close(self) -> None:
        """Cut every connection and refuse new ones."""
        if self._listener is not None:
            self._listener.close()
        writers = list(self._writers)
        for writer in writers:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)

    def give_back(self) -> None:
        """Let others have the port."""
        self._held.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection(HOST, self._server_port)
        ends = {writer, server_writer}
        self._writers |= ends
        try:
            await asyncio.gather(_copy(reader, server_writer), _copy(server_reader, writer))
        finally:
            self._writers -= ends


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def closable_port(server_port: int) -> AsyncIterator[ClosablePort]:
    """An open port until the block ends."""
    port = ClosablePort(server_port)
    await port.open()
    try:
        yield port
    finally:
        await port.close()
        port.give_back()
