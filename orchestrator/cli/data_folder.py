"""The data folder: made, private, and used by one Ponte at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from orchestrator.startup import StartupError

_ORPHANS_GONE_S = 5.0
"""Longest that the children of a killed Ponte take to end; they hold the lock with it until then."""

_POLL_S = 0.05


class DataFolder:
    """An opened and locked data folder; a context manager that gives the lock back.

    The lock is the kernel's (flock), so it is gone with the last process that holds it, however that ends. Children
    get `lock_file` too: a new Ponte then cannot start beside the last moments of a killed one's database and queue.
    """

    def __init__(self, path: Path, lock_file: int) -> None:
        self.path = path
        self.lock_file = lock_file

    @classmethod
    def open(cls, path: Path) -> Self:
        """Make `path` (mode 0700) where it is missing and lock it; raises StartupError."""
        path = path.absolute()
        lock_file = _open_lock_file(path)
        try:
            _lock(lock_file, path)
            os.ftruncate(lock_file, 0)
            os.pwrite(lock_file, f"{os.getpid()}\n".encode(), 0)
        except BaseException:
            os.close(lock_file)
            raise
        return cls(path, lock_file)

    def close(self) -> None:
        """Give the lock back."""
        with contextlib.suppress(OSError):
            os.close(self.lock_file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _open_lock_file(path: Path) -> int:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        reason = error.strerror or str(error)
        raise StartupError(
            f"The data folder {path} cannot be written to ({reason}): "
            "make it writable, or set PONTE_DATA_DIR to another folder."
        ) from error


def _lock(lock_file: int, path: Path) -> None:
    deadline = time.monotonic() + _ORPHANS_GONE_S
    while True:
        try:
            fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except OSError as error:
            holder = _holder(lock_file)
            if (holder and _is_alive(holder)) or time.monotonic() > deadline:
                who = f" by process {holder}" if holder else ""
                raise StartupError(
                    f"The data folder {path} is in use{who}: stop that Ponte, or set PONTE_DATA_DIR to another folder."
                ) from error
        time.sleep(_POLL_S)


def _holder(lock_file: int) -> int:
    written = os.pread(lock_file, 32, 0).strip()
    return int(written) if written.isdigit() else 0


def _is_alive(process_id: int) -> bool:
    try:
        state = Path(f"/proc/{process_id}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return not Path("/proc/self").exists()
    except OSError:
        return True
    # A zombie holds no files any more.
    return state != "Z"
