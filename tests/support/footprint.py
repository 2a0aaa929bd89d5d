"""What processes cost: memory, processor time and open files, read from /proc."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Footprint:
    """Of one process."""

    name: str
    resident_bytes: int
    cpu_s: float
    descriptors: int

    @classmethod
    def of(cls, pid: int) -> "Footprint":
        """Look at a running process. Raises OSError where there is none."""
        folder = Path(f"/proc/{pid}")
        status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
        times = (folder / "stat").read_text().rpartition(")")[2].split()[11:13]
        return cls(
            name=status["Name"].strip(),
            resident_bytes=int(status["VmRSS"].split()[0]) * 1024,
            cpu_s=sum(map(int, times)) / _TICKS_PER_S,
            descriptors=len(list((folder / "fd").iterdir())),
        )


def footprints(pids: Iterable[int]) -> dict[int, Footprint]:
    """Of those that run."""
    found = {}
    for pid in pids:
        try:
            found[pid] = Footprint.of(pid)
        except OSError:
            continue
    return found
