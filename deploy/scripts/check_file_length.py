"""Fails when a hand-written source file is longer than 400 lines: such a file has more than one subject."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

LIMIT = 400
SUFFIXES = {".py", ".ts", ".mts", ".mjs", ".js", ".proto", ".sh", ".html", ".css"}


def main() -> int:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        check=True,
        capture_output=True,
        text=True,
    )
    too_long = [(path, lines) for path in listed.stdout.splitlines() if (lines := length(Path(path))) > LIMIT]
    for path, lines in too_long:
        print(f"{path}: {lines} lines, at most {LIMIT}")
    return 1 if too_long else 0


def length(path: Path) -> int:
    """Returns the number of lines of a source file, 0 for anything else."""
    if path.suffix not in SUFFIXES or not path.is_file():
        return 0
    return len(path.read_text(encoding="utf-8").splitlines())


if __name__ == "__main__":
    sys.exit(main())
