"""A folder for unix sockets whose path is short enough for the kernel."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from orchestrator.startup import StartupError

LONGEST_SOCKET_PATH = 103
"""Bytes of a unix socket's path, without the closing zero: 107 on Linux, 103 on macOS (sun_path in sys/un.h)."""

_LONGEST_NAME = len("/valkey.sock")


def runtime_folder(data_folder: Path) -> Path:
    """Return a folder for sockets, mode 0700: inside `data_folder`, or in the temporary folder when that is too deep.

    The same data folder always gives the same path, so that a stale socket is found and removed.
    Raises StartupError when the folder cannot be made or belongs to someone else.
    """
    inside = data_folder.absolute() / "run"
    if len(os.fsencode(inside)) + _LONGEST_NAME <= LONGEST_SOCKET_PATH:
        return _private(inside)
    digest = hashlib.sha256(os.fsencode(data_folder.absolute())).hexdigest()[:12]
    return _private(Path(tempfile.gettempdir()) / f"ponte-{os.getuid()}-{digest}")


def _private(folder: Path) -> Path:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        owner = folder.lstat()
    except OSError as error:
        raise StartupError(
            f"The folder {folder} cannot be made ({error.strerror}): check its parent."
        ) from error
    if folder.is_symlink() or owner.st_uid != os.getuid():
        raise StartupError(f"The folder {folder} belongs to another user: remove it, or set TMPDIR.")
    folder.chmod(0o700)
    return folder
