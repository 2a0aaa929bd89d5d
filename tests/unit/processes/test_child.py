import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from random import Random
from typing import Any, Unpack

import pytest
from loguru import logger

from orchestrator.processes.child import ChildOptions, Command, Timing, restart_delay
from orchestrator.processes.ready_line import ReadyLineProcess
from orchestrator.startup import StartupError

FAKE_CHILD = Path(__file__).with_name("fake_child.py")
FAST = Timing(ready_s=10, stop_s=0.5, first_restart_s=0.01, longest_restart_s=0.05)


class FakeChild(ReadyLineProcess):
    name = "fake"

    def __init__(self, *arguments: str, folder: Path | None = None, **options: Unpack[ChildOptions]) -> None:
        options.setdefault("timing", FAST)
        super().__init__(**options)
        self.arguments = arguments
        self.folder = folder
        self.said: dict[str, Any] = {}
        self.starts = 0

    def command(self) -> Command:
        return Command([sys.executable, str(FAKE_CHILD), *self.arguments], {"A_WORD": "open"}, self.folder)

    def on_ready(self, said: dict[str, Any]) -> None:
        self.said = said
        self.starts += 1


def is_running(process_id: int) -> bool:
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def until(condition: Callable[[], bool], within_s: float = 10) -> None:
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.fixture
async def log() -> AsyncIterator[list[Any]]:
    lines: list[Any] = []
    sink = logger.add(lambda message: lines.append(message.record), level="DEBUG")
    yield lines
    logger.remove(sink)


async def test_start_waits_for_the_ready_line_and_stop_leaves_no_process(tmp_path: Path) -> None:
    child = FakeChild("serve", folder=tmp_path)
    await child.start()
    try:
        assert child.process_id == child.said["pid"], "the launcher becomes the program itself"
        assert Path(child.said["cwd"]) == tmp_path
        assert child.said["word"] == "open"
    finally:
        await child.stop()
    assert child.process_id is None
    assert not is_running(child.said["pid"])


async def test_a_child_that_ends_at_once_is_a_startup_error_with_its_words() -> None:
    child = FakeChild("fail")
    with pytest.raises(
        StartupError, match="ended with code 7 while starting; it said: no such thing as luck"
    ):
        await child.start()
    assert child.process_id is None


async def test_a_program_that_does_not_exist_is_a_startup_error() -> None:
    child = FakeChild()
    child.command = lambda: Command(["/nowhere/at-all"])  # type: ignore[method-assign]
    with pytest.raises(StartupError, match="fake ended with code 1"):
        await child.start()


async def test_a_folder_that_does_not_exist_is_a_startup_error(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="fake could not be started: No such file or directory"):
        await FakeChild("serve", folder=tmp_path / "missing").start()


async def test_a_child_that_never_gets_ready_is_ended() -> None:
    child = FakeChild("silent", timing=Timing(ready_s=0.3, stop_s=0.5))
    with pytest.raises(StartupError, match="fake was not ready in 0 s"):
        await child.start()
    assert child.process_id is None


async def test_a_child_that_dies_is_started_again(log: list[Any]) -> None:
    child = FakeChild("serve")
    await child.start()
    try:
        first = child.said["pid"]
        os.kill(first, signal.SIGKILL)
        await until(lambda: child.starts == 2)
        assert child.process_id not in (None, first)
    finally:
        await child.stop()
    assert any("fake has ended with code -9" in record["message"] for record in log)


async def test_a_restart_that_fails_is_tried_again() -> None:
    child = FakeChild("serve")
    await child.start()
    try:
        child.arguments = ("fail",)
        os.kill(child.said["pid"], signal.SIGKILL)
        await asyncio.sleep(0.3)
        child.arguments = ("serve",)
        await until(lambda: child.starts == 2)
    finally:
        await child.stop()


async def test_a_restart_that_was_asked_for_waits_for_nothing(log: list[Any]) -> None:
    child = FakeChild("serve", timing=Timing(first_restart_s=600, longest_restart_s=600))
    await child.start()
    first = child.said["pid"]
    try:
        await child.restart()
        await until(lambda: child.starts == 2)
        assert child.process_id not in (None, first)
        assert not is_running(first)
        assert not [record for record in log if record["level"].name in ("WARNING", "ERROR")]
    finally:
        await child.stop()


async def test_a_child_that_does_not_heed_a_restart_is_killed() -> None:
    child = FakeChild("stubborn")
    await child.start()
    first = child.said["pid"]
    try:
        await child.restart()
        await until(lambda: child.starts == 2)
        assert not is_running(first)
    finally:
        await child.stop()


async def test_a_restart_of_nothing_does_nothing() -> None:
    await FakeChild("serve").restart()


async def test_a_child_without_restarts_is_said_to_have_exited() -> None:
    child = FakeChild("serve")
    child.restarts = False
    await child.start()
    os.kill(child.said["pid"], signal.SIGTERM)
    await asyncio.wait_for(child.exited(), 5)
    assert child.starts == 1
    await child.stop()


async def test_a_child_that_ignores_sigterm_is_killed() -> None:
    child = FakeChild("stubborn")
    await child.start()
    await child.stop()
    assert not is_running(child.said["pid"])


async def test_what_a_child_has_started_is_ended_with_it() -> None:
    child = FakeChild("family")
    await child.start()
    await child.stop()
    await until(lambda: not is_running(child.said["grandchild"]), 5)


async def test_output_is_logged_in_bounded_lines_with_level_and_ids(log: list[Any]) -> None:
    child = FakeChild("talkative")
    await child.start()
    await child.stop()
    by_start = {record["message"][:7]: record for record in log}
    assert len(by_start["xxxxxxx"]["message"]) <= 16_384
    careful = by_start["careful"]
    assert careful["level"].name == "WARNING"
    assert careful["extra"]["session_id"] == "s-1"
    assert careful["extra"]["process"] == "fake"
    assert '{"extra": 1}' in careful["message"]


async def test_held_files_stay_open_in_the_child(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as lock:
        child = FakeChild("held", str(lock.fileno()), held_files=[lock.fileno()])
        await child.start()
        await child.stop()
        assert child.said["open"] == os.fstat(lock.fileno()).st_ino


async def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    program = f"""
import asyncio, sys
sys.path.insert(0, {str(FAKE_CHILD.parent)!r})
from test_child import FakeChild
async def main():
    child = FakeChild("serve")
    await child.start()
    print(child.said["pid"], flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[3]
    )
    assert parent.stdout
    child_id = int(await asyncio.wait_for(parent.stdout.readline(), 20))
    assert is_running(child_id)
    parent.kill()
    await parent.wait()
    await until(lambda: not is_running(child_id), 5)


async def test_a_launcher_whose_parent_is_gone_starts_nothing(tmp_path: Path) -> None:
    launcher = FAKE_CHILD.parents[3] / "orchestrator" / "processes" / "launcher.py"
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(launcher), "15", "1", "--", "touch", str(tmp_path / "started")
    )
    assert await process.wait() == 1
    assert not (tmp_path / "started").exists()


def test_restart_delays_double_up_to_the_longest_with_jitter() -> None:
    timing = Timing(first_restart_s=1, longest_restart_s=30)
    longest = [
        max(restart_delay(failures, timing, Random(seed)) for seed in range(200)) for failures in range(1, 9)
    ]
    assert [round(delay) for delay in longest] == [1, 2, 4, 8, 16, 30, 30, 30]
    assert min(restart_delay(1, timing, Random(seed)) for seed in range(200)) >= 0.5
    assert restart_delay(10_000, timing, Random(1)) <= 30
