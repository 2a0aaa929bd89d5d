"""The demo's story: a company links its number, sends a text, is answered; all through the public API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from orchestrator.cli.client import Json, PonteClient
from orchestrator.cli.demo.phones import VirtualPhones
from orchestrator.cli.demo.screen import Screen

COMPANY_NUMBER = "+5511987650001"
CUSTOMER_NUMBER = "+5521987650002"
STEP_S = 30.0
"""Longest that one step may take."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the story leaves behind for trying by hand."""

    company_key: str
    session_id: str


async def tell(ponte: PonteClient, phones: VirtualPhones, screen: Screen) -> Told:
    """Run the story; raises StartupError or TimeoutError when a step does not happen."""
    company = await ponte.post("/v1/companies", {"name": "Padaria Demo"})
    key = await ponte.post(f"/v1/companies/{company['id']}/keys", {"name": "demo"})
    screen.step("company and key made", company["id"])
    client = ponte.with_key(key["key"])
    events = EventWatch(client)
    async with events.running():
        session_id = await _link(client, events, phones, screen)
        await _converse(client, events, phones, screen, session_id)
    return Told(key["key"], session_id)


async def _link(client: PonteClient, events: EventWatch, phones: VirtualPhones, screen: Screen) -> str:
    await phones.create(COMPANY_NUMBER, "Padaria Demo")
    await phones.create(CUSTOMER_NUMBER, "Ana")
    session = await client.post("/v1/sessions", {"name": "counter"})
    screen.step("session made", session["id"])
    offer = await client.post(f"/v1/sessions/{session['id']}:pair", {})
    screen.step("QR received from WhatsApp")
    screen.qr(offer["qr"])
    await phones.scan(COMPANY_NUMBER, offer["qr"])
    screen.step(f"virtual phone {COMPANY_NUMBER} scanned it")
    await events.expect("session.connected")
    screen.step("session linked and connected")
    return str(session["id"])


async def _converse(
    client: PonteClient, events: EventWatch, phones: VirtualPhones, screen: Screen, session_id: str
) -> None:
    body = {
        "session_id": session_id,
        "to": CUSTOMER_NUMBER,
        "text": {"body": "Bom dia, Ana! O pão saiu agora."},
    }
    message = await client.post("/v1/messages", body)
    screen.step("POST /v1/messages accepted: durable and queued", message["id"])
    await events.expect("message.sent", message["id"])
    screen.step("sent: acknowledged by the server")
    arrived = await phones.next_message(CUSTOMER_NUMBER, timeout_s=STEP_S)
    screen.step("arrived at the customer's phone", f"“{arrived['text']}”")
    await events.expect("message.delivered", message["id"])
    screen.step("delivered: receipt came back")
    await phones.read(CUSTOMER_NUMBER, COMPANY_NUMBER)
    await events.expect("message.read", message["id"])
    screen.step("read: receipt came back")
    await phones.answer(CUSTOMER_NUMBER, COMPANY_NUMBER, "Oba, guarda dois pra mim!")
    screen.step("customer answers on the phone")
    answer = await events.expect("message.received")
    screen.step("answered: event message.received", f"“{answer['data']['text']['body']}”")


class EventWatch:
    """Follows a company's event stream and lets the story wait for an event, whether it came already or not."""

    def __init__(self, client: PonteClient) -> None:
        self._client = client
        self._seen: list[Json] = []
        self._news = asyncio.Condition()
        self._error: BaseException | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow the stream for the length of a block."""
        following = asyncio.create_task(self._follow())
        try:
            yield
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    async def expect(self, event_type: str, message_id: str = "") -> dict[str, Any]:
        """Return the first event of this type (and about this message); raises TimeoutError after STEP_S."""
        async with asyncio.timeout(STEP_S), self._news:
            while True:
                if self._error:
                    raise self._error
                for event in self._seen:
                    if event["type"] == event_type and message_id in ("", _message_id(event)):
                        return event
                await self._news.wait()

    async def _follow(self) -> None:
        try:
            async for event in self._client.events(after=0):
                async with self._news:
                    self._seen.append(event)
                    self._news.notify_all()
        except Exception as error:
            async with self._news:
                self._error = error
                self._news.notify_all()


def _message_id(event: Json) -> str:
    data = event.get("data") or {}
    return str(data.get("id") or data.get("message_id") or "")
