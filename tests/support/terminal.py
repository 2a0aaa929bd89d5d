"""`ponte ...` on a pseudo terminal, as a person sees it."""

import asyncio
import codecs
import fcntl
import os
import pty
import re
import signal
import struct
import sys
import termios
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

_COLUMNS, _LINES = 120, 80
_CLEAR = "\x1b[2J"
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """A command on a terminal; `screen` is what was written since it was cleared last, without colours."""

    def __init__(self, process: asyncio.subprocess.Process, master: int) -> None:
        self._process = process
        self._master = master
        self._written = ""
        # A character may come in two reads.
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._changed = asyncio.Event()
        asyncio.get_running_loop().add_reader(master, self._read)

    @property
    def screen(self) -> str:
        """What stands on it."""
        return _ESCAPE.sub("", self._written.rpartition(_CLEAR)[2]).replace("\r\n", "\n")

    async def shows(self, wanted: Callable[[str], bool], timeout_s: float = 30.0) -> str:
        """Wait until the screen is as wanted, and give it. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while not wanted(self.screen):
                self._changed.clear()
                await self._changed.wait()
        return self.screen

    async def interrupt(self) -> int:
        """Press Ctrl-C; gives the exit code."""
        os.killpg(self._process.pid, signal.SIGINT)
        return await self.ended()

    async def ended(self) -> int:
        """Wait for the end; gives the exit code."""
        async with asyncio.timeout(30):
            return await self._process.wait()

    def close(self) -> None:
        """Let go of the terminal."""
        asyncio.get_running_loop().remove_reader(self._master)
        os.close(self._master)

    def _read(self) -> None:
        try:
            self._written += self._decoder.decode(os.read(self._master, 65536))
        except OSError:
            # The command has ended.
            asyncio.get_running_loop().remove_reader(self._master)
        self._changed.set()


@asynccontextmanager
async def ponte_on_terminal(*arguments: str, extra: Mapping[str, str]) -> AsyncIterator[Terminal]:
    """Run a command until the block ends."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", _LINES, _COLUMNS, 0, 0))
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PONTE_")}
    process = await asyncio.create_subprocess_exec(
        # Tests that a shell runs in the background ignore SIGINT, and what they start would too.
        *("env", "--default-signal=INT"),
        str(Path(sys.executable).with_name("ponte")),
        *arguments,
        env={**inherited, "TERM": "xterm", **extra},
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    terminal = Terminal(process, master)
    try:
        yield terminal
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        terminal.close()
