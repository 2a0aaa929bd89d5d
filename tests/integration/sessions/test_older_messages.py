"""Older messages on real Baileys: the simulated phone is asked for them, and tells."""

from typing import Any

import pytest

from orchestrator.bridge.history import read_history_message
from orchestrator.domain.imports import ImportKind
from orchestrator.services.history_imports import HistoryImports
from orchestrator.services.import_rounds import ImportRounds
from tests.support.session_house import NOT_YET, SessionHouse
from tests.support.simulator import eventually

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.parametrize("database_kind", ["sqlite"]),
]
CONTACT = "+5531900300000"
"""The only one of a history with seed 3 (tests/simulator/src/accounts/past.ts)."""


async def test_a_phone_tells_what_came_before_the_oldest_message(house: SessionHouse) -> None:
    number = house.servers.new_number()
    await house.simulator.create_phone(number)
    past = {"chats": 1, "messages": 80, "groups": 0, "days": 30, "chunk": 100, "seed": 3}
    await house.simulator.call("POST", f"/phones/{number}/history", past)
    await house.simulator.create_phone(CONTACT)
    session = await house.link_phone(number)
    message = await house.send(session, CONTACT, "here")
    await house.message(message, lambda one: one["status"] not in ("QUEUED", "SENDING"))

    rounds = ImportRounds(
        house.context, {ImportKind.ON_DEMAND: HistoryImports(house.context, read_history_message)}
    )

    async def ended(import_id: str) -> dict[str, Any]:
        await rounds.run_once()
        await rounds.idle()
        found = await house.call("GET", f"/v1/imports/{import_id}")
        return found if found["state"] in ("COMPLETED", "FAILED") else NOT_YET

    body = {"session_id": session, "chat": CONTACT}
    first = await house.call("POST", "/v1/imports:requestOlder", body)
    done = await eventually(lambda: ended(first["id"]))
    assert (done["kind"], done["state"], done["counts"]["added"]) == ("ON_DEMAND", "COMPLETED", 50)
    second = await house.call("POST", "/v1/imports:requestOlder", body)
    done = await eventually(lambda: ended(second["id"]))
    assert (done["state"], done["counts"]["added"], done["counts"]["known"]) == ("COMPLETED", 30, 0)

    listed = (await house.call("GET", f"/v1/messages?session_id={session}&page_size=500"))["messages"]
    assert len(listed) == 81
    times = [one.get("sent_at", one["created_at"]) for one in listed if one.get("imported")]
    assert times == sorted(times, reverse=True)
    assert len({one["wa_message_id"] for one in listed}) == 81
