"""docs/errors.md has every code of the error tree, with its statuses and its sentence."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_code_is_documented_as_it_is() -> None:
    done = subprocess.run(
        [sys.executable, "deploy/scripts/document_errors.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
