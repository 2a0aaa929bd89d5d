"""Campaigns against the simulator, through the public API."""

from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.consent import OptIn
from orchestrator.domain.ids import make_id
from orchestrator.domain.jid import ContactId, phone_number_to_jid
from orchestrator.store import consent as consent_store
from orchestrator.store.database import Database
from tests.support.company import wait_for_state
from tests.support.ponte import RestClient
from tests.support.simulator import SimulatorClient

_CONSENTS_AT_ONCE = 500


async def company_with_sessions(
    admin: RestClient, simulator: SimulatorClient, numbers: list[str]
) -> tuple[str, RestClient, list[str]]:
    """A company whose sessions have these numbers: its id, its client, its sessions' ids."""
    company = await admin.post("/v1/companies", {"name": "campaign", "max_sessions": len(numbers)})
    key = await admin.post(f"/v1/companies/{company['id']}/keys", {"name": "test"})
    client = admin.with_key(key["key"])
    return str(company["id"]), client, [await _linked(client, simulator, number) for number in numbers]


async def opt_in(data_dir: Path, company_id: str, people: list[str]) -> None:
    """Record consents in an embedded Ponte's database, beside it."""
    now, rng, scope = datetime.now(UTC), Random(1), CompanyScope(company_id)
    entries = [
        OptIn(make_id(now, rng), ContactId(phone_number_to_jid(number)), "form", now, now)
        for number in people
    ]
    database = await Database.open(f"sqlite+aiosqlite:///{data_dir}/ponte.db")
    for first in range(0, len(entries), _CONSENTS_AT_ONCE):
        async with database.transaction(scope) as tx:
            await consent_store.add_opt_ins(tx, scope, entries[first : first + _CONSENTS_AT_ONCE])
    await database.close()


async def draft(client: RestClient, sessions: list[str], people: list[str], picture: bytes = b"") -> str:
    """A campaign to these people over these sessions, the first of its variants with a picture; gives its id."""
    made = await client.post("/v1/recipient-lists", {"name": "Customers", "region": "BR"})
    given = [{"phone_number": number, "name": "Ana Silva"} for number in people]
    taken = await client.post(f"/v1/recipient-lists/{made['id']}:import", {"recipients": given})
    assert (taken["accepted"], taken["reported"]) == (len(people), {})
    body: dict[str, Any] = {
        "name": "Spring",
        "recipient_list_id": made["id"],
        "session_ids": sessions,
        "variants": [{"text": f"Wording {number} for {{first_name}}"} for number in range(5)],
    }
    if picture:
        media_id = await client.upload(picture, "offer.png")
        body["variants"][0]["file"] = {"kind": "IMAGE", "media_id": media_id}
    return str((await client.post("/v1/campaigns", body))["id"])


async def ended(client: RestClient, campaign_id: str) -> dict[str, Any] | None:
    """The campaign, once it moves no more by itself."""
    campaign: dict[str, Any] = await client.get(f"/v1/campaigns/{campaign_id}")
    return campaign if campaign["state"] not in ("SCHEDULED", "RUNNING") else None


async def _linked(client: RestClient, simulator: SimulatorClient, number: str) -> str:
    session = await client.post("/v1/sessions", {"name": number})
    await simulator.create_phone(number)
    offer = await client.post(f"/v1/sessions/{session['id']}:pair", {})
    await simulator.scan(number, offer["qr"])
    await wait_for_state(client, session["id"], "CONNECTED")
    return str(session["id"])
