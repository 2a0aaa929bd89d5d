import os
import tempfile
from pathlib import Path

import pytest

from orchestrator.processes.runtime_folder import LONGEST_SOCKET_PATH, runtime_folder
from orchestrator.startup import StartupError


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder with a short path, which tmp_path has not."""
    folder = Path(tempfile.mkdtemp(prefix="p", dir="/tmp"))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_it_is_inside_the_data_folder_and_private(short: Path) -> None:
    folder = runtime_folder(short / "data")
    assert folder == short / "data" / "run"
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_deep_data_folder_gets_a_short_one_elsewhere_always_the_same(short: Path) -> None:
    deep = short / ("d" * 80) / ("e" * 40)
    folder = runtime_folder(deep)
    assert len(os.fsencode(folder / "valkey.sock")) <= LONGEST_SOCKET_PATH
    assert folder == runtime_folder(deep)
    assert folder != runtime_folder(deep / "other")
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_link_in_its_place_is_refused(short: Path) -> None:
    (short / "data").mkdir()
    (short / "elsewhere").mkdir()
    (short / "data" / "run").symlink_to(short / "elsewhere")
    with pytest.raises(StartupError, match="belongs to another user"):
        runtime_folder(short / "data")


def test_one_that_cannot_be_made_is_said(short: Path) -> None:
    (short / "data").write_text("a file")
    with pytest.raises(StartupError, match="cannot be made"):
        runtime_folder(short / "data")
