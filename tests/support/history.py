"""A phone's history imported by a `ponte up` that is killed on the way, and looked at over the API."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp

from tests.support.company import make_company
from tests.support.ponte import ADMIN_KEY, PonteProcess, RestClient, start_ponte
from tests.support.simulator import SimulatorClient, eventually

NUMBER = "+5531988880100"
_DAYS = 30
_IMPORT_S = 600.0
_FIRST_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class History:
    """What a phone lived through: so many conversations of so many messages each, told in parts of `chunk`."""

    chats: int
    messages: int
    groups: int = 1
    chunk: int = 1000

    @property
    def total(self) -> int:
        """Messages in all."""
        return self.chats * self.messages


@dataclass(frozen=True, slots=True)
class Imported:
    """The first import and, of the same number linked anew, the second; the messages that are there; seconds from the
    last scan or restart to the end of the first."""

    first: dict[str, Any]
    second: dict[str, Any]
    messages: list[dict[str, Any]]
    kills: int
    seconds: float


async def import_history(
    simulator: SimulatorClient, data_dir: Path, settings: Mapping[str, str], history: History, kills: int
) -> Imported:
    """Link a number whose phone has a history, killing everything on the way, and link it once more afterwards.

    The first kill comes while the phone tells, the others while it is imported.
    """
    await simulator.create_phone(NUMBER)
    past = {"chats": history.chats, "messages": history.messages, "groups": history.groups}
    more = {"days": _DAYS, "chunk": history.chunk, "seed": 11}
    await simulator.call("POST", f"/phones/{NUMBER}/history", past | more)
    async with aiohttp.ClientSession() as http:
        ponte = await start_ponte(data_dir, settings)
        try:
            admin = RestClient(http, ponte.http_url, ADMIN_KEY)
            _, key = await make_company(admin, "history")
            client = admin.with_key(key)
            session_id = (await client.post("/v1/sessions", {"name": "history"}))["id"]
            began = time.perf_counter()
            await _link(simulator, client, session_id)
            for kill in range(kills):
                await _wait_for_share(client, _FIRST_SHARE * kill)
                ponte, client = await _killed(ponte, client, data_dir, settings)
            first = await _ended(client, 1)
            seconds = time.perf_counter() - began
            await client.post(f"/v1/sessions/{session_id}:logout", {})
            await _link(simulator, client, session_id)
            second = await _ended(client, 2)
            return Imported(first, second, await all_messages(client), kills, seconds)
        finally:
            if ponte.process.returncode is None:
                await ponte.terminate()


def objections(imported: Imported, history: History) -> list[str]:
    """Say what is not as it shall be: complete, once each, oldest first, nothing added by a second import."""
    found: list[str] = []
    told = {(message["chat"], message["wa_message_id"]) for message in imported.messages}
    if len(imported.messages) != history.total or len(told) != history.total:
        found.append(f"{len(imported.messages)} messages, {len(told)} different, of {history.total}")
    if not all(message.get("imported") for message in imported.messages):
        found.append("some are not marked as imported")
    counts = imported.first["counts"]
    if int(counts.get("added", 0)) != history.total:
        found.append(f"the first import counts {counts}")
    again = imported.second["counts"]
    if int(again.get("added", 0)) or int(again.get("known", 0)) != history.total:
        found.append(f"the second import counts {again}")
    if not _is_ascending([_sent_at(message) for message in reversed(imported.messages)]):
        found.append("the list is not in the order in which they were sent")
    stored = sorted((_stored_ms(message), _sent_at(message)) for message in imported.messages)
    if not _is_ascending([sent_at for _, sent_at in stored]):
        found.append("some were imported before older ones")
    return found


async def all_messages(client: RestClient) -> list[dict[str, Any]]:
    """Every message of the company, newest first."""
    messages: list[dict[str, Any]] = []
    token = ""
    while True:
        page = await client.get(f"/v1/messages?page_size=500&page_token={token}")
        messages += page["messages"]
        token = page.get("next_page_token", "")
        if not token:
            return messages


async def _link(simulator: SimulatorClient, client: RestClient, session_id: str) -> None:
    wish = {"history": {"days": _DAYS * 2, "groups": True}}
    offer = await client.post(f"/v1/sessions/{session_id}:pair", wish)
    await simulator.scan(NUMBER, offer["qr"])


async def _killed(
    ponte: PonteProcess, client: RestClient, data_dir: Path, settings: Mapping[str, str]
) -> tuple[PonteProcess, RestClient]:
    await ponte.kill_tree()
    started = await start_ponte(data_dir, settings)
    return started, client.at(started.http_url)


async def _wait_for_share(client: RestClient, share: float) -> None:
    """Wait until an import is there and has read so much of its source."""

    async def look() -> bool:
        imports = (await client.get("/v1/imports")).get("imports", [])
        return bool(imports) and imports[0].get("percent", 0) >= 100 * share

    await eventually(look, timeout_s=_IMPORT_S, every_s=0.02)


async def _ended(client: RestClient, count: int) -> dict[str, Any]:
    """Wait until so many imports have ended; gives the newest."""

    async def look() -> dict[str, Any] | None:
        imports: Sequence[dict[str, Any]] = (await client.get("/v1/imports")).get("imports", [])
        done = len(imports) == count and all(one["state"] == "COMPLETED" for one in imports)
        return imports[0] if done else None

    ended: dict[str, Any] = await eventually(look, timeout_s=_IMPORT_S, every_s=0.1)
    return ended


def _sent_at(message: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(message["sent_at"])


def _stored_ms(message: dict[str, Any]) -> int:
    """When it was stored, which its id begins with (UUID version 7)."""
    return int(str(message["id"]).replace("-", "")[:12], 16)


def _is_ascending(times: Sequence[datetime]) -> bool:
    return all(earlier <= later for earlier, later in pairwise(times))
