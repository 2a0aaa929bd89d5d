"""The checks for what a test leaves behind find it."""

import asyncio
import socket
import subprocess
import threading

import pytest

from tests.support import leaks
from tests.support.leaks import Holdings, assert_nothing_left


def test_nothing_new_is_nothing_left() -> None:
    assert_nothing_left(Holdings.now())


def test_a_process_a_descriptor_and_a_thread_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaks, "SETTLE_S", 0.05)
    before = Holdings.now()
    release = threading.Event()
    thread = threading.Thread(target=release.wait, name="left-thread")
    thread.start()
    process = subprocess.Popen(["sleep", "60"])
    with socket.socket():
        with pytest.raises(AssertionError, match="left behind") as failure:
            assert_nothing_left(before)
        process.kill()
        process.wait()
        release.set()
        thread.join()

    for found in ("sleep 60", "socket:", "left-thread"):
        assert found in str(failure.value)
    assert_nothing_left(before)


def test_what_is_gone_in_a_moment_is_waited_for() -> None:
    before = Holdings.now()
    thread = threading.Timer(0.1, lambda: None)
    thread.start()

    assert_nothing_left(before)


async def test_other_tasks_are_seen() -> None:
    task = asyncio.create_task(asyncio.sleep(60))

    assert leaks.other_tasks() == [task]
    task.cancel()
    await asyncio.wait([task])
    assert leaks.other_tasks() == []
