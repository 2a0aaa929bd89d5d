import subprocess
import sys
import time
from pathlib import Path

import pytest

from orchestrator.cli import data_folder
from orchestrator.cli.data_folder import DataFolder
from orchestrator.startup import StartupError

HOLD = """
import sys, time
from pathlib import Path
from orchestrator.cli.data_folder import DataFolder
folder = DataFolder.open(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(600)
"""


def test_it_is_made_private_and_given_back(tmp_path: Path) -> None:
    path = tmp_path / "a" / "data"
    with DataFolder.open(path) as folder:
        assert folder.path == path
        assert path.stat().st_mode & 0o777 == 0o700
    with DataFolder.open(path):
        pass


def test_a_second_ponte_is_told_who_has_it(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        started = time.monotonic()
        with pytest.raises(StartupError, match=f"is in use by process {holder.pid}: stop that Ponte"):
            DataFolder.open(tmp_path)
        assert time.monotonic() - started < 2, "said at once"
        holder.kill()
    with DataFolder.open(tmp_path):
        pass


def test_a_killed_pontes_children_are_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parent = (
        "import subprocess, sys\nfrom pathlib import Path\nfrom orchestrator.cli.data_folder import DataFolder\n"
        "folder = DataFolder.open(Path(sys.argv[1]))\n"
        "child = subprocess.Popen(['sleep', '0.7'], pass_fds=[folder.lock_file], stdout=subprocess.DEVNULL)\n"
    )
    subprocess.run([sys.executable, "-c", parent, str(tmp_path)], check=True)
    started = time.monotonic()
    with DataFolder.open(tmp_path):
        assert time.monotonic() - started > 0.2


def test_a_child_that_does_not_end_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_folder, "_ORPHANS_GONE_S", 0.1)
    monkeypatch.setattr(data_folder, "_is_alive", lambda process_id: False)
    with DataFolder.open(tmp_path), pytest.raises(StartupError, match="in use"):
        DataFolder.open(tmp_path)


def test_a_folder_that_cannot_be_written_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file is in the way")
    with pytest.raises(
        StartupError, match=r"cannot be written to .*: make it writable, or set PONTE_DATA_DIR"
    ):
        DataFolder.open(tmp_path / "data")
