"""A company with a linked number, made through the public API against the simulator."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from tests.support.ponte import RestClient
from tests.support.simulator import SimulatorClient

LINK_TIMEOUT_S = 60.0


@dataclass
class LinkedCompany:
    """A company's client, its session and its number."""

    client: RestClient
    company_id: str
    key: str
    session_id: str
    phone_number: str
    texts: list[str] = field(default_factory=list)


async def eventually(what: str, look: Any, timeout_s: float, pause_s: float = 0.1) -> Any:
    """Look again and again until the answer is true, at most `timeout_s`; gives the answer.

    Raises:
        AssertionError: it did not happen in time.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        answer = await look()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"not in {timeout_s} s: {what}"
        await asyncio.sleep(pause_s)


async def make_company(admin: RestClient, name: str) -> tuple[str, str]:
    """Make a company and a key with all scopes: (company id, key)."""
    company = await admin.post("/v1/companies", {"name": name})
    key = await admin.post(f"/v1/companies/{company['id']}/keys", {"name": "test"})
    return company["id"], key["key"]


async def wait_for_state(client: RestClient, session_id: str, state: str, timeout_s: float = LINK_TIMEOUT_S) -> Any:
    """Wait until a session is seen in `state`."""

    async def look() -> Any:
        session = await client.get(f"/v1/sessions/{session_id}")
        return session if session["state"] == state else None

    return await eventually(f"session {session_id} is {state}", look, timeout_s)


async def link_company(
    admin: RestClient, simulator: SimulatorClient, name: str, phone_number: str
) -> LinkedCompany:
    """Make a company, a session and a virtual phone, and link them by QR."""
    company_id, key = await make_company(admin, name)
    client = admin.with_key(key)
    session = await client.post("/v1/sessions", {"name": name})
    await simulator.create_phone(phone_number)
    offer = await client.post(f"/v1/sessions/{session['id']}:pair", {})
    await simulator.scan(phone_number, offer["qr"])
    await wait_for_state(client, session["id"], "CONNECTED")
    return LinkedCompany(client, company_id, key, session["id"], phone_number)
