"""What this process holds: children, descriptors, threads and tasks that a test may have left."""

import asyncio
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from tests.support.ponte import descendants

SETTLE_S = 5.0
"""How long what was closed may take to be gone."""


@dataclass(frozen=True)
class Holdings:
    """A snapshot, each entry with a readable name."""

    processes: frozenset[str]
    descriptors: frozenset[str]
    threads: frozenset[str]

    @classmethod
    def now(cls) -> "Holdings":
        """Take a snapshot."""
        return cls(_processes(), _descriptors(), _threads())

    def added_since(self, before: "Holdings") -> list[str]:
        """What is held now and was not before."""
        new = (
            self.processes - before.processes,
            self.descriptors - before.descriptors,
            self.threads - before.threads,
        )
        return sorted(entry for entries in new for entry in entries)


def assert_nothing_left(before: Holdings) -> None:
    """Fail when something that was not held `before` is still held after SETTLE_S."""
    deadline = time.monotonic() + SETTLE_S
    while left := Holdings.now().added_since(before):
        assert time.monotonic() < deadline, f"left behind: {left}"
        time.sleep(0.02)


def other_tasks() -> list[asyncio.Task[object]]:
    """Tasks of the running loop besides the current one."""
    return [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]


def _processes() -> frozenset[str]:
    return frozenset(f"process {pid} {_command(pid)}" for pid in descendants(os.getpid()))


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")[:100]
    except OSError:
        return "?"


def _descriptors() -> frozenset[str]:
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            target = os.readlink(entry)
        except OSError:
            continue
        if target.startswith(("socket:", "/", "pipe:")) and not target.startswith(("/dev/", "/proc/")):
            found.add(f"descriptor {entry.name} {target}")
    return frozenset(found)


def _threads() -> frozenset[str]:
    return frozenset(f"thread {thread.ident} {thread.name}" for thread in threading.enumerate())
