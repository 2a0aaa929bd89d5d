"""The tests' own servers: empty for each test, and gone when the test process is, however it ends."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import text

from orchestrator.store.database import Database, SystemScope
from tests.support.ponte import gone
from tests.support.servers import ServerUnavailable, give_up, remove_folders_of_the_dead

_SERVER = """
import time
from pathlib import Path
from tests.support.{module} import embedded_{module}
with embedded_{module}(Path('{folder}')):
    print("ready", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("number", range(2))
def test_each_test_begins_with_an_empty_redis(redis_url: str, number: int) -> None:
    with Redis.from_url(redis_url) as redis:
        assert redis.dbsize() == 0
        redis.set("left", number)


@pytest.mark.parametrize("database_kind", ["postgresql"])
async def test_a_test_is_held_by_row_level_security(database: Database) -> None:
    async with database.reading(SystemScope()) as tx:
        powers = text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
        assert (await tx.connection.execute(powers)).scalar_one() is False


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder whose name leaves room for a socket's; a killed process cannot remove its own."""
    with tempfile.TemporaryDirectory(prefix="ponte-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_folders_of_killed_test_processes_are_removed(tmp_path: Path) -> None:
    highest = int(Path("/proc/sys/kernel/pid_max").read_text())
    for name in (f"x-{os.getpid()}-mine", f"x-{highest + 1}-dead", "x-other", "y-1"):
        (tmp_path / name).mkdir()

    remove_folders_of_the_dead(tmp_path, "x-")

    assert {folder.name for folder in tmp_path.iterdir()} == {f"x-{os.getpid()}-mine", "x-other", "y-1"}


@pytest.mark.parametrize("module", ["valkey", "postgresql"])
async def test_a_server_ends_with_a_killed_test_process(module: str, short_folder: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _SERVER.format(module=module, folder=short_folder),
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    assert process.stdout is not None
    assert (await asyncio.wait_for(process.stdout.readline(), 60)).strip() == b"ready"
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    assert children

    process.send_signal(signal.SIGKILL)
    await process.wait()

    await gone([int(child) for child in children])


def test_a_missing_server_fails_in_ci_and_skips_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no PostgreSQL"):
        give_up("PostgreSQL", ServerUnavailable("none"))
    monkeypatch.delenv("CI")
    with pytest.raises(pytest.skip.Exception, match="no PostgreSQL"):
        give_up("PostgreSQL", ServerUnavailable("none"))
