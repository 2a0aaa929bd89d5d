"""A host on the internet, as far as the guard can tell, that does what it is told to each path."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

HOST = "127.0.0.9"
"""Where it listens; tests let the guard take this one address for a public one."""

Behaviour = Callable[[asyncio.StreamWriter], Awaitable[None]]


def says(text: str | bytes) -> Behaviour:
    """Write these bytes and hang up."""

    async def behave(writer: asyncio.StreamWriter) -> None:
        writer.write(text if isinstance(text, bytes) else text.encode())
        await writer.drain()

    return behave


def answers(headers: Sequence[str] = (), body: bytes = b"", status: str = "200 OK") -> Behaviour:
    """Write a whole answer; a Content-Length only where `headers` has one."""
    return says("\r\n".join([f"HTTP/1.1 {status}", *headers, "", ""]).encode() + body)


def redirects(target: str, status: int = 302) -> Behaviour:
    """Send the client elsewhere."""
    return answers([f"Location: {target}", "Content-Length: 0"], status=f"{status} Found")


class Attacker:
    """What it does by path; `asked` are the paths in the order in which they were asked for."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.behaviours: dict[str, Behaviour] = {}
        self.asked: list[str] = []

    def url(self, path: str, host: str = "files.example") -> str:
        """A URL of this host under a name that resolves to it."""
        return f"http://{host}:{self.port}{path}"


@asynccontextmanager
async def running_attacker() -> AsyncIterator[Attacker]:
    """A listening attacker until the block ends."""
    attacker: Attacker
    connections: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        try:
            request = await reader.readuntil(b"\r\n\r\n")
            path = request.split(b" ")[1].decode()
            attacker.asked.append(path)
            await attacker.behaviours[path](writer)
        except (ConnectionError, asyncio.CancelledError, asyncio.IncompleteReadError):
            pass
        finally:
            connections.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, HOST, 0)
    attacker = Attacker(server.sockets[0].getsockname()[1])
    try:
        yield attacker
    finally:
        for task in list(connections):
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
        server.close()
        await server.wait_closed()
