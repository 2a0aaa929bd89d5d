"""`ponte up` as a user runs it: a process of its own, reached over REST, killed in earnest."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

START_TIMEOUT_S = 60.0
GONE_S = 10.0
BETWEEN_LOOKS_S = 0.02
ADMIN_KEY = "an-admin-key-for-tests-0123456789abcdef"


def descendants(pid: int) -> list[int]:
    """All living processes below `pid`, read from /proc."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z":
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found: list[int] = []
    waiting = [pid]
    while waiting:
        children = parents.get(waiting.pop(), [])
        found += children
        waiting += children
    return found


def is_alive(pid: int) -> bool:
    """True while a process runs; a zombie counts as gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def kill(pids: Iterable[int]) -> None:
    """SIGKILL to all that are there."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


async def gone(pids: Sequence[int], timeout_s: float = GONE_S) -> None:
    """Wait until none is left: what was killed is there until the kernel has taken it down. Raises TimeoutError."""
    async with asyncio.timeout(timeout_s):
        while any(is_alive(pid) for pid in pids):
            await asyncio.sleep(BETWEEN_LOOKS_S)


@dataclass
class PonteProcess:
    """A running `ponte up`."""

    process: asyncio.subprocess.Process
    http_url: str
    grpc_address: str
    data_dir: Path
    log_path: Path

    def tree(self) -> list[int]:
        """The process and everything below it."""
        return [self.process.pid, *descendants(self.process.pid)]

    async def kill_tree(self) -> None:
        """SIGKILL to everything at once, as a machine that loses its power would look from outside."""
        pids = self.tree()
        kill(pids)
        await self.process.wait()
        await gone(pids)

    async def terminate(self) -> int:
        """SIGTERM, and the exit code."""
        if self.process.returncode is None:
            self.process.terminate()
        return await asyncio.wait_for(self.process.wait(), 30)

    def log_tail(self, lines: int = 40) -> str:
        """The end of the log, for failing tests."""
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-lines:])


def environment(data_dir: Path, extra: Mapping[str, str]) -> dict[str, str]:
    """What a test's Ponte runs with: free ports, its own data folder, nothing inherited from PONTE_ settings."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PONTE_")}
    return {
        **inherited,
        "PONTE_DATA_DIR": str(data_dir),
        "PONTE_HTTP_ADDR": "127.0.0.1:0",
        "PONTE_GRPC_ADDR": "127.0.0.1:0",
        "PONTE_ADMIN_KEY": ADMIN_KEY,
        "PONTE_WEBHOOK_ALLOW_PRIVATE_NETWORKS": "true",
        **extra,
    }


async def start_ponte(data_dir: Path, extra: Mapping[str, str]) -> PonteProcess:
    """Start `ponte up` and wait until it serves.

    Raises:
        AssertionError: it ended or did not serve in time; with the end of its log.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    log_path = data_dir.parent / f"{data_dir.name}.log"
    with log_path.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            str(Path(sys.executable).with_name("ponte")),
            "up",
            "--ready-json",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            env=environment(data_dir, extra),
            start_new_session=True,
        )
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), START_TIMEOUT_S)
    except TimeoutError:
        line = b""
    if not line:
        if process.returncode is None:
            process.kill()
        await process.wait()
        raise AssertionError("ponte up did not get ready:\n" + log_path.read_text(errors="replace")[-4000:])
    ready = json.loads(line)
    return PonteProcess(process, ready["http_url"], ready["grpc_address"], data_dir, log_path)


@asynccontextmanager
async def running_ponte(data_dir: Path, extra: Mapping[str, str]) -> AsyncIterator[PonteProcess]:
    """A Ponte for the length of a block; whatever is left of it afterwards is killed."""
    ponte = await start_ponte(data_dir, extra)
    try:
        yield ponte
    finally:
        if ponte.process.returncode is None:
            pids = ponte.tree()
            try:
                await ponte.terminate()
            except TimeoutError:
                kill(pids)
                await ponte.process.wait()
                raise


class RestClient:
    """A small REST client with one key."""

    def __init__(self, http: aiohttp.ClientSession, url: str, key: str) -> None:
        self._http = http
        self._url = url
        self._key = key

    def with_key(self, key: str) -> "RestClient":
        """The same server with another key."""
        return RestClient(self._http, self._url, key)

    def at(self, url: str) -> "RestClient":
        """The same key at another server, such as one that was started again."""
        return RestClient(self._http, url, self._key)

    async def call(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """Call a method: the HTTP status and the decoded JSON."""
        async with self._http.request(
            method,
            self._url + path,
            json=body,
            headers={"authorization": f"Bearer {self._key}", **(headers or {})},
        ) as answer:
            content = await answer.read()
            return answer.status, json.loads(content) if content else None

    async def upload(self, content: bytes, file_name: str) -> str:
        """Upload a file; gives its id."""
        form = aiohttp.FormData()
        form.add_field("file", content, filename=file_name)
        headers = {"authorization": f"Bearer {self._key}"}
        async with self._http.post(f"{self._url}/v1/media", data=form, headers=headers) as answer:
            assert answer.status == 201, await answer.text()
            return str((await answer.json())["id"])

    async def get(self, path: str) -> Any:
        """GET that must succeed."""
        status, content = await self.call("GET", path)
        assert status == 200, (status, content)
        return content

    async def post(self, path: str, body: object, **headers: str) -> Any:
        """POST that must succeed."""
        status, content = await self.call("POST", path, body, headers)
        assert status in (200, 201, 202), (status, content)
        return content
