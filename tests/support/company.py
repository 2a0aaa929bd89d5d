"""A company with a linked number, made through the public API against the simulator."""

from dataclasses import dataclass
from typing import Any

from tests.support.ponte import RestClient
from tests.support.simulator import SimulatorClient, eventually

LINK_TIMEOUT_S = 60.0


@dataclass
class LinkedCompany:
    """A company's client, its session and its number."""

    client: RestClient
    company_id: str
    key: str
    session_id: str
    phone_number: str


async def make_company(admin: RestClient, name: str) -> tuple[str, str]:
    """Make a company and a key with all scopes: (company id, key)."""
    company = await admin.post("/v1/companies", {"name": name})
    key = await admin.post(f"/v1/companies/{company['id']}/keys", {"name": "test"})
    return company["id"], key["key"]


async def wait_for_state(
    client: RestClient, session_id: str, state: str, timeout_s: float = LINK_TIMEOUT_S
) -> Any:
    """Wait until a session is seen in `state`."""

    async def look() -> Any:
        session = await client.get(f"/v1/sessions/{session_id}")
        return session if session["state"] == state else None

    return await eventually(look, timeout_s=timeout_s)


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
