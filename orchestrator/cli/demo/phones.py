"""The simulator's control API: virtual phones that scan, read and answer."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import aiohttp

from orchestrator.startup import StartupError


class VirtualPhones:
    """Controls the phones of the simulator at `url`."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http = http
        self._url = url

    async def create(self, number: str, name: str) -> None:
        """Make a phone with a WhatsApp account."""
        await self._post("/phones", {"phone_number": number, "name": name})

    async def scan(self, number: str, qr: str) -> None:
        """Let a phone scan the QR of a device that wants to be linked."""
        await self._post(f"/phones/{quote(number)}:scan", {"qr": qr})

    async def next_message(self, number: str, *, timeout_s: float) -> dict[str, Any]:
        """Return the first message that the phone has got, waiting for it at most `timeout_s`."""
        path = f"/phones/{quote(number)}/messages?wait_count=1&timeout_ms={int(timeout_s * 1000)}"
        async with self._http.get(self._url + path) as answer:
            messages: list[dict[str, Any]] = await answer.json()
        if not messages:
            raise StartupError(f"No message arrived at the virtual phone in {timeout_s:.0f} s.")
        return messages[0]

    async def read(self, number: str, sender: str) -> None:
        """Let the person open the chat with `sender`: what was not read is read now."""
        await self._post(f"/phones/{quote(number)}:read", {"from": sender})

    async def answer(self, number: str, to: str, text: str) -> None:
        """Let the person write to `to`."""
        await self._post(f"/phones/{quote(number)}:send", {"to": to, "text": text})

    async def _post(self, path: str, body: dict[str, str]) -> None:
        async with self._http.post(self._url + path, json=body) as answer:
            if answer.status >= 400:
                raise StartupError(f"The simulator refused {path}: {await answer.text()}")
