"""Large files in and out through `ponte up`: hashes, times, and how much memory each process takes beyond its rest.

python -m tests.load.media [--document-mib 100] [--video-mib 60]
"""

import argparse
import asyncio
import hashlib
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import aiohttp

from tests.support import files
from tests.support.company import LinkedCompany, link_company
from tests.support.ponte import ADMIN_KEY, PonteProcess, RestClient, running_ponte
from tests.support.simulator import SimulatorClient, eventually, running_simulator

MIB = 1024 * 1024
MOST_BEYOND_REST = 80 * MIB
"""Bytes that each process may take beyond what it takes at rest."""

PEER = "+5511955550001"
_BLOCK = 1 * MIB
_TIMEOUT_S = 300.0


@dataclass(frozen=True)
class Passage:
    """One file through Ponte. `beyond_rest` are bytes by process."""

    name: str
    size: int
    is_same: bool
    seconds: float
    beyond_rest: dict[str, int]

    @property
    def holds(self) -> bool:
        """The file is the same, and no process took too much."""
        return self.is_same and max(self.beyond_rest.values()) <= MOST_BEYOND_REST


def make_document(path: Path, size: int) -> Path:
    """A file of so many random bytes."""
    with path.open("wb") as file:
        file.write(b"%PDF-1.7\n")
        for left in range(size - 9, 0, -_BLOCK):
            file.write(os.urandom(min(left, _BLOCK)))
    return path


def make_video(path: Path, size: int) -> Path:
    """A film, padded with a box that players skip (ISO/IEC 14496-12, 8.1.2)."""
    files.film(path, 2.0)
    padding = size - path.stat().st_size
    with path.open("ab") as file:
        file.write(padding.to_bytes(4, "big") + b"free")
        for left in range(padding - 8, 0, -_BLOCK):
            file.write(os.urandom(min(left, _BLOCK)))
    return path


def sha256(path: Path) -> str:
    """Hash a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Memory:
    """The most that each process of a Ponte has held since it was asked last, as the kernel counts it."""

    def __init__(self, ponte: PonteProcess) -> None:
        self._named = {
            pid: "ponte" if pid == ponte.process.pid else Path(f"/proc/{pid}/comm").read_text().strip()
            for pid in ponte.tree()
        }
        self._rest = {pid: _status(pid, "VmRSS") for pid in self._named}
        for pid in self._named:
            Path(f"/proc/{pid}/clear_refs").write_text("5")  # proc(5): resets VmHWM

    def beyond_rest(self) -> dict[str, int]:
        """Bytes by process, beyond what it held at the beginning."""
        return {name: _status(pid, "VmHWM") - self._rest[pid] for pid, name in self._named.items()}


def _status(pid: int, field: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


class Traffic:
    """A linked company and its peer."""

    def __init__(
        self, simulator: SimulatorClient, company: LinkedCompany, http: aiohttp.ClientSession, url: str
    ) -> None:
        self._simulator = simulator
        self._company = company
        self._http = http
        self._url = url

    async def send(self, kind: str, path: Path) -> str:
        """Upload a file and send it; gives the hash of what the peer got."""
        url = f"{self._url}/v1/media"
        with path.open("rb") as file:
            form = aiohttp.FormData()
            form.add_field("file", file, filename=path.name)
            async with self._http.post(url, data=form, headers=self._headers) as answer:
                assert answer.status == 201, await answer.text()
                media_id = (await answer.json())["id"]
        body = {"to": PEER, kind: {"media": {"media_id": media_id}}}
        message = await self._company.client.post("/v1/messages", body)

        async def look() -> str | None:
            found = await self._simulator.call("GET", f"/phones/{PEER}/messages")
            of_it = (one for one in found if one["id"] == message["wa_message_id"])
            return next((str(one["file"]["sha256"]) for one in of_it), None)

        arrived: str = await eventually(look, timeout_s=_TIMEOUT_S, every_s=0.1)
        return arrived

    async def receive(self, kind: str, path: Path) -> str:
        """Let the peer send a file; gives the hash of what a user downloads."""
        return await self.download(kind, await self.let_peer_send(kind, path))

    async def let_peer_send(self, kind: str, path: Path) -> str:
        """Let the peer send a file; gives the message's WhatsApp id."""
        body = {"to": self._company.phone_number, "kind": kind, "path": str(path)}
        sent = await self._simulator.call("POST", f"/phones/{PEER}:send-file", body)
        return str(sent["id"])

    async def download(self, kind: str, wa_message_id: str) -> str:
        """Wait until a received file is stored; gives the hash of what a user downloads."""

        async def look() -> str | None:
            page = await self._company.client.get("/v1/messages?page_size=500&direction=INBOUND")
            of_it: Any = (one for one in page["messages"] if one["wa_message_id"] == wa_message_id)
            return next((one["content"][kind]["media"].get("media_id") or None for one in of_it), None)

        media_id = await eventually(look, timeout_s=_TIMEOUT_S, every_s=0.1)
        digest = hashlib.sha256()
        url = f"{self._url}/v1/media/{media_id}"
        async with self._http.get(url, headers=self._headers) as answer:
            async for chunk in answer.content.iter_chunked(_BLOCK):
                digest.update(chunk)
        return digest.hexdigest()

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._company.key}"}


async def passages(folder: Path, document_bytes: int, video_bytes: int) -> AsyncIterator[Passage]:
    """Send and receive both files, measuring each way."""
    document = make_document(folder / "a.pdf", document_bytes)
    video = make_video(folder / "a.mp4", video_bytes)
    async with running_simulator(folder) as simulator, aiohttp.ClientSession() as http:
        settings = {
            "PONTE_WHATSAPP_URL": simulator.ws_url,
            "PONTE_SENDING_LIMITS": "lifted",
            **simulator.bridge_environment,
        }
        async with running_ponte(folder / "data", settings) as ponte:
            admin = RestClient(http, ponte.http_url, ADMIN_KEY)
            company = await link_company(admin, simulator, "Files", "+5511955559999")
            await simulator.create_phone(PEER)
            traffic = Traffic(simulator, company, http, ponte.http_url)
            # Small files first, so that what is loaded once counts as rest.
            small = make_document(folder / "small.pdf", 10_000)
            assert await traffic.send("document", small) == await traffic.receive("document", small)
            ways: list[tuple[str, Callable[[str, Path], Awaitable[str]]]] = [
                ("out", traffic.send),
                ("in", traffic.receive),
            ]
            for kind, path in (("document", document), ("video", video)):
                for way, pass_through in ways:
                    memory, began = Memory(ponte), monotonic()
                    arrived = await pass_through(kind, path)
                    seconds = monotonic() - began
                    yield Passage(
                        f"{kind} {way}",
                        path.stat().st_size,
                        arrived == sha256(path),
                        seconds,
                        memory.beyond_rest(),
                    )


async def measure(document_mib: int, video_mib: int) -> bool:
    """Print a line for each passage; True when all hold."""
    holds = True
    with tempfile.TemporaryDirectory(prefix="ponte-files-") as name:
        async for passage in passages(Path(name), document_mib * MIB, video_mib * MIB):
            beyond = ", ".join(f"{name} +{size / MIB:.0f} MiB" for name, size in passage.beyond_rest.items())
            same = "same bytes" if passage.is_same else "OTHER BYTES"
            rate = passage.size / MIB / passage.seconds
            print(
                f"{passage.name:13} {passage.size / MIB:4.0f} MiB {passage.seconds:6.1f} s {rate:5.0f} MiB/s",
                end="  ",
            )
            print(f"{same}  {beyond}", flush=True)
            holds = holds and passage.holds
    print("holds" if holds else f"DOES NOT HOLD: more than {MOST_BEYOND_REST // MIB} MiB, or other bytes")
    return holds


def main() -> int:
    """Read the arguments."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--document-mib", type=int, default=100)
    parser.add_argument("--video-mib", type=int, default=60)
    arguments = parser.parse_args()
    return 0 if asyncio.run(measure(arguments.document_mib, arguments.video_mib)) else 1


if __name__ == "__main__":
    sys.exit(main())
