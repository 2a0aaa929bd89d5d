"""What a bridge under test has in use after it collected its garbage; resident memory says more about luck.

PONTE_TEST_HEAP_SNAPSHOTS names a folder into which each look also writes a heap snapshot, to find what grew.
"""

import os
import signal
from pathlib import Path

from tests.support.simulator import eventually

_PRELOAD = Path(__file__).with_name("heap_probe.mjs")
_LOOK_S = 60.0


def heap_file(folder: Path) -> Path:
    """Where the bridge that runs in a folder says it."""
    return folder / "bridge.heap"


def with_heap_probe(folder: Path, environment: dict[str, str]) -> dict[str, str]:
    """The environment of a bridge that answers `used_heap` of the same folder."""
    options = f"{environment.get('NODE_OPTIONS', '')} --import {_PRELOAD}".strip()
    return {**environment, "NODE_OPTIONS": options, "PONTE_TEST_HEAP_FILE": str(heap_file(folder))}


async def used_heap(pid: int, folder: Path) -> int:
    """Bytes that a bridge's heap and buffers take, all garbage collected."""
    file = heap_file(folder)
    file.unlink(missing_ok=True)
    os.kill(pid, signal.SIGUSR2)

    async def look() -> str:
        return file.read_text() if file.exists() else ""

    return int(await eventually(look, timeout_s=_LOOK_S))
