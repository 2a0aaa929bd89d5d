"""The WhatsApp simulator: started as a process, and reached over its control API."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.support.node_process import ROOT, run_node

_FOLDER = ROOT / "tests" / "simulator"
_ARGUMENTS = (
    *("--import", "tsx", "src/main.ts", "--host", "127.0.0.1"),
    *("--ws-port", "0", "--http-port", "0", "--exit-with-parent"),
)


class SimulatorError(Exception):
    """The simulator refused a call."""


class SimulatorClient:
    """A running simulator. Phone numbers are E.164; see tests/simulator/README.md for the fields of answers."""

    def __init__(self, http: aiohttp.ClientSession, ready: dict[str, Any]) -> None:
        self._http = http
        self.ws_url: str = ready["ws_url"]
        """What PONTE_WHATSAPP_URL is set to."""
        self.http_url: str = ready["http_url"]
        self.trust_anchor: str = ready["trust_anchor"]
        """What NODE_OPTIONS of a bridge must import."""
        self.media_certificate: str = ready["media_certificate"]
        """What NODE_EXTRA_CA_CERTS of a bridge must name."""

    @property
    def bridge_environment(self) -> dict[str, str]:
        """Variables that make a bridge trust this simulator."""
        return {
            "NODE_OPTIONS": f"--import {self.trust_anchor}",
            "NODE_EXTRA_CA_CERTS": self.media_certificate,
        }

    async def call(self, method: str, path: str, body: object = None, **query: str) -> Any:
        """Any call of the control API. Raises SimulatorError."""
        url = self.http_url + path
        async with self._http.request(method, url, json=body, params=query) as response:
            answer = await response.json()
            if response.status >= 400:
                raise SimulatorError(f"{method} {path}: {response.status} {answer}")
            return answer

    async def create_phone(self, phone_number: str, name: str = "") -> dict[str, Any]:
        """Make a virtual phone, registered at WhatsApp."""
        body = {"phone_number": phone_number} | ({"name": name} if name else {})
        phone: dict[str, Any] = await self.call("POST", "/phones", body)
        return phone

    async def create_phones(self, start: str, count: int) -> list[str]:
        """Make phones with numbers in a row; gives the numbers."""
        answer = await self.call("POST", "/phones:bulk", {"start": start, "count": count})
        numbers: list[str] = answer["phone_numbers"]
        return numbers

    async def set_phone(self, phone_number: str, **settings: object) -> None:
        """Change how a phone behaves: registered, auto_read, auto_reply, receipt_delay_ms, addressing, ..."""
        await self.call("PATCH", f"/phones/{phone_number}", settings)

    async def set_standing(self, phone_number: str, **standing: object) -> None:
        """Change how WhatsApp sees a number: reach_out_lock, new_chats, and `tell` (False: until it asks)."""
        await self.call("PATCH", f"/phones/{phone_number}/standing", standing)

    async def scan(self, phone_number: str, qr: str) -> str:
        """Let a phone scan a QR; gives the jid of the new device."""
        answer = await self.call("POST", f"/phones/{phone_number}:scan", {"qr": qr})
        return str(answer["jid"])

    async def enter_code(self, phone_number: str, code: str) -> str:
        """Let a person type a pairing code on a phone; gives the jid of the new device."""
        answer = await self.call("POST", f"/phones/{phone_number}:enter-code", {"code": code})
        return str(answer["jid"])

    async def send(self, phone_number: str, to: str, text: str) -> str:
        """Let a phone send a text; gives its WhatsApp id."""
        answer = await self.call("POST", f"/phones/{phone_number}:send", {"to": to, "text": text})
        return str(answer["id"])

    async def send_many(self, messages: list[dict[str, str]]) -> list[str]:
        """Send many texts at once: [{"from", "to", "text"}] -> ids in the same order."""
        answer = await self.call("POST", "/messages:bulk", {"messages": messages})
        ids: list[str] = answer["ids"]
        return ids

    async def read(self, phone_number: str, sender: str) -> None:
        """Let a person read all messages of a sender."""
        await self.call("POST", f"/phones/{phone_number}:read", {"from": sender})

    async def messages(
        self, phone_number: str, *, wait_count: int = 0, timeout_s: float = 20.0, after: int = 0
    ) -> list[dict[str, Any]]:
        """What a phone received; waits until there are `wait_count`, or gives what there is in time."""
        query = {"after": str(after)}
        if wait_count:
            query |= {"wait_count": str(wait_count), "timeout_ms": str(int(timeout_s * 1000))}
        messages: list[dict[str, Any]] = await self.call("GET", f"/phones/{phone_number}/messages", **query)
        return messages

    async def arrivals(self, after: int = 0) -> list[dict[str, Any]]:
        """Messages as they arrived at the server."""
        arrivals: list[dict[str, Any]] = await self.call("GET", "/arrivals", after=str(after))
        return arrivals

    async def activity(self, phone_number: str) -> list[dict[str, Any]]:
        """What a linked number showed: online, typing, read marks; in order."""
        shown: list[dict[str, Any]] = await self.call("GET", "/activity", number=phone_number)
        return shown

    async def devices(self, phone_number: str = "") -> list[dict[str, Any]]:
        """Linked devices, of one number or of all."""
        devices: list[dict[str, Any]] = await self.call("GET", "/devices")
        return [device for device in devices if phone_number in ("", device["phone_number"])]

    async def unlink(self, device_jid: str) -> None:
        """Let a person remove a linked device on the phone."""
        await self.call("DELETE", f"/devices/{device_jid}")

    async def fault(self, kind: str, **settings: object) -> None:
        """Put a fault in force: {number, count, code, ms, xmlns} as the kind takes them."""
        await self.call("POST", "/faults", {"kind": kind, **settings})

    async def clear_faults(self) -> None:
        """End all faults."""
        await self.call("DELETE", "/faults")

    async def stats(self) -> dict[str, Any]:
        """Counters of the server."""
        stats: dict[str, Any] = await self.call("GET", "/stats")
        return stats


@asynccontextmanager
async def running_simulator(folder: Path) -> AsyncIterator[SimulatorClient]:
    """Run a simulator until the block ends; its log is `simulator.log` in the folder."""
    async with (
        run_node(_ARGUMENTS, _FOLDER, folder / "simulator.log", {}) as node,
        aiohttp.ClientSession() as http,
    ):
        yield SimulatorClient(http, dict(node.ready))


async def eventually(
    look: Callable[[], Awaitable[Any]], *, timeout_s: float = 15.0, every_s: float = 0.02
) -> Any:
    """Look until the answer is true, and give it. Raises TimeoutError with the last answer."""
    deadline = asyncio.get_running_loop().time() + timeout_s
    while not (answer := await look()):
        if asyncio.get_running_loop().time() >= deadline:
            raise TimeoutError(f"never came true in {timeout_s:g} s; the last answer was {answer!r}")
        await asyncio.sleep(every_s)
    return answer
