"""The name by which this Ponte holds leases and claims."""

from __future__ import annotations

import uuid
from pathlib import Path

INSTANCE_FILE = "instance.id"


def instance_name(data_folder: Path) -> str:
    """Return the name kept in `data_folder`, made there the first time.

    A restart goes by the same name, so that it takes its sessions back at once instead of waiting for leases to end.
    The data folder's lock sees to it that no two running processes share it.
    """
    file = data_folder / INSTANCE_FILE
    if not file.exists():
        file.write_text(f"{uuid.uuid4()}\n", encoding="ascii")
    return file.read_text(encoding="ascii").strip()
