import importlib.util
import sys
from pathlib import Path

import pytest

from orchestrator.processes import node
from orchestrator.startup import StartupError


def fake_node(folder: Path, version: str) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    binary = folder / "node"
    binary.write_text(f"#!/bin/sh\necho {version}\n")
    binary.chmod(0o755)
    return str(binary)


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No Node on PATH, beside Python or in a wheel."""
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python" / "python3"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    return tmp_path


@pytest.mark.parametrize(
    ("said", "version"), [("v20.11.1", (20, 11, 1)), ("v24.0.0-rc.1", (24, 0, 0)), ("hello", None)]
)
def test_the_version_is_what_the_binary_says(
    tmp_path: Path, said: str, version: tuple[int, ...] | None
) -> None:
    assert node.node_version(fake_node(tmp_path, said)) == version


def test_a_binary_that_does_not_run_has_no_version(tmp_path: Path) -> None:
    assert node.node_version(str(tmp_path / "node")) is None


def test_the_machines_node_is_taken(nowhere: Path) -> None:
    binary = fake_node(nowhere / "path", "v22.1.0")
    assert node.find_node(None) == binary


def test_one_beside_python_stands_in_for_an_old_one(nowhere: Path) -> None:
    fake_node(nowhere / "path", "v18.20.0")
    binary = fake_node(nowhere / "python", "v24.1.0")
    assert node.find_node(None) == binary


def test_one_from_the_wheel_is_the_last_resort(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    binary = fake_node(nowhere / "wheel" / "bin", "v24.1.0")

    class Spec:
        origin = str(nowhere / "wheel" / "__init__.py")

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: Spec())
    assert node.find_node(None) == binary


def test_none_at_all_is_said_with_what_to_do(nowhere: Path) -> None:
    with pytest.raises(StartupError, match=r"Node 20 or newer is needed and was not found: install it"):
        node.find_node(None)


def test_one_that_is_too_old_is_named(nowhere: Path) -> None:
    binary = fake_node(nowhere / "path", "v18.20.0")
    with pytest.raises(StartupError, match=rf"was not found \({binary} is 18\.20\.0\)"):
        node.find_node(None)


def test_a_named_one_is_the_only_one_tried(nowhere: Path) -> None:
    fake_node(nowhere / "path", "v22.1.0")
    old = fake_node(nowhere / "named", "v16.0.0")
    with pytest.raises(StartupError, match=r"is Node 16\.0\.0"):
        node.find_node(old)
    with pytest.raises(StartupError, match=r"PONTE_NODE=/no/node does not run"):
        node.find_node("/no/node")
    new = fake_node(nowhere / "new", "v20.0.0")
    assert node.find_node(new) == new
