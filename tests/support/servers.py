"""Starting the servers that tests need: what is common to PostgreSQL and Valkey."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

import pytest

START_TIMEOUT_S = 30.0


class ServerUnavailable(Exception):
    """No way to get the server works on this machine."""


def give_up(server: str, error: ServerUnavailable) -> NoReturn:
    """In CI a missing server is a failure; elsewhere the test is skipped."""
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(f"no {server}: {error}")
    pytest.skip(f"no {server}: {error}")


def worker_index() -> int:
    """This pytest-xdist worker's number, 0 without xdist."""
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


def docker_answers() -> bool:
    """True when a docker daemon is there."""
    if not os.environ.get("DOCKER_HOST") and not Path("/var/run/docker.sock").exists():
        return False
    import docker  # type: ignore[import-untyped]  # comes with testcontainers

    try:
        client = docker.from_env(timeout=5)
        try:
            return bool(client.ping())
        finally:
            client.close()
    except Exception:
        return False


def start_server(
    command: Sequence[str], log: Path, *, death_signal: signal.Signals, user: int | None = None
) -> subprocess.Popen[bytes]:
    """Start a server that gets `death_signal` when this process ends, however it ends.

    By `setpriv`, not by `preexec_fn` and `user`: those run gRPC's handlers in the forked child, which now and then
    abort it before it becomes the server ("epoll_wait error: Bad file descriptor").
    """
    with log.open("wb") as output:
        return subprocess.Popen(
            ["setpriv", "--pdeathsig", death_signal.name, *_becoming(user), *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
        )


def run_as(user: int | None, command: Sequence[str | Path]) -> None:
    """Run a command to its end as another user, or as this one. Raises subprocess.CalledProcessError."""
    subprocess.run(
        ["setpriv", *_becoming(user), *command], check=True, capture_output=True, timeout=60, cwd="/"
    )


def _becoming(user: int | None) -> list[str]:
    return [] if user is None else ["--reuid", str(user), "--regid", str(user), "--clear-groups"]


def remove_folders_of_the_dead(base: Path, prefix: str) -> None:
    """Remove folders named `<prefix><process id>-...` that a killed test process could not remove."""
    for folder in base.glob(f"{prefix}*"):
        process_id = folder.name.removeprefix(prefix).partition("-")[0]
        if process_id.isdigit() and not Path(f"/proc/{process_id}").exists():
            shutil.rmtree(folder, ignore_errors=True)


def wait_until(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a started server is ready. Raises ServerUnavailable where it ends or takes too long."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            stop_server(process)
            raise ServerUnavailable(log.read_text(errors="replace")[-500:])
        time.sleep(0.02)


def stop_server(process: subprocess.Popen[bytes]) -> None:
    """Stop a server and wait for it."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
