"""Measures what idle sessions cost, against raw Baileys with as many in one process in the same run.

Ponte is `ponte up` as users run it: all of its processes count, Python, the bridge and Valkey. Both link every session
by QR to a virtual phone of its own, then both are started again, connect all sessions from what they have stored, and
rest. What linking took does not count: raw Baileys links in portions, and still holds what 812 new files each left.

    python -m tests.load.idle_sessions [--sessions 1000]
"""

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import aiohttp
from rich.console import Console
from rich.table import Table

from tests.load.line_process import line_process
from tests.support.company import make_company, wait_for_state
from tests.support.footprint import Footprint, footprints
from tests.support.ponte import ADMIN_KEY, RestClient, running_ponte, start_ponte
from tests.support.simulator import SimulatorClient, eventually, running_simulator

ROOT = Path(__file__).resolve().parents[2]
BRIDGE = ROOT / "bridge-node"
LINKED_AT_A_TIME = 6
LINKED_BY_ONE_PROCESS = 100
"""Sessions that one process of raw Baileys links: each makes the next one slower (docs/performance.md says why)."""
SETTLE_S = 20.0
REST_S = 10.0
MOST_MEMORY_RATIO = 1.25
BACK_TIMEOUT_S = 600.0
FIRST_RAW, FIRST_PONTE = "+552190000000", "+553190000000"


@dataclass
class Rest:
    """What a system costs while its sessions are idle, by process: resident bytes, and cores used."""

    resident: dict[str, int]
    cores: dict[str, float]

    @property
    def bytes(self) -> int:
        """Resident memory of all processes."""
        return sum(self.resident.values())


@dataclass
class Cost:
    """Of one system: resident bytes without a session, and at rest after a start with linked sessions; seconds from
    that start until all were connected."""

    empty: dict[str, int]
    started_again: Rest
    back_s: float

    @property
    def empty_bytes(self) -> int:
        """Resident memory of all processes without a session."""
        return sum(self.empty.values())


def resident(pids: Sequence[int]) -> dict[str, int]:
    """Resident bytes by name; processes of one name are added up."""
    found: dict[str, int] = {}
    for one in footprints(pids).values():
        found[one.name] = found.get(one.name, 0) + one.resident_bytes
    return found


async def at_rest(pids: Sequence[int]) -> Rest:
    """Let processes settle, then look over REST_S."""
    await asyncio.sleep(SETTLE_S)
    before = footprints(pids)
    await asyncio.sleep(REST_S)
    after = footprints(pids)
    cores: dict[str, float] = {}
    for pid, one in after.items():
        cores[one.name] = cores.get(one.name, 0) + (one.cpu_s - _cpu_s(before.get(pid))) / REST_S
    return Rest(resident(pids), cores)


def _cpu_s(one: Footprint | None) -> float:
    return one.cpu_s if one else 0.0


async def measure_raw(simulator: SimulatorClient, folder: Path, sessions: int) -> Cost:
    """Raw Baileys with so many sessions."""
    phones = await simulator.create_phones(FIRST_RAW, sessions)
    command = ["node", str(ROOT / "tests/load/raw_baileys.mjs"), simulator.ws_url, simulator.http_url]
    environment = {**os.environ, **simulator.bridge_environment}
    how = {"folder": str(folder), "at_a_time": LINKED_AT_A_TIME}
    for first in range(0, sessions, LINKED_BY_ONE_PROCESS):
        some = phones[first : first + LINKED_BY_ONE_PROCESS]
        async with line_process(command, BRIDGE, environment) as raw:
            empty = resident([raw.pid])
            await raw.ask({"do": "link", "phones": some, "first": first, **how}, timeout_s=3600)
            await raw.ask({"do": "end"})
        say(f"raw Baileys: {first + len(some)} of {sessions} linked")
    started = monotonic()
    async with line_process(command, BRIDGE, environment) as raw:
        await raw.ask({"do": "open", "count": sessions, **how}, timeout_s=3600)
        back_s = monotonic() - started
        again = await at_rest([raw.pid])
        await raw.ask({"do": "end"})
    say(f"raw Baileys: all connected after {back_s:.0f} s")
    return Cost(empty, again, back_s)


async def link_ponte(admin: RestClient, simulator: SimulatorClient, sessions: int) -> RestClient:
    """Link so many sessions of one company; gives its client."""
    company_id, key = await make_company(admin, "idle")
    status, answer = await admin.call("PATCH", f"/v1/companies/{company_id}", {"max_sessions": sessions})
    assert status == 200, answer
    company = admin.with_key(key)
    waiting = await simulator.create_phones(FIRST_PONTE, sessions)

    async def link_some() -> None:
        while waiting:
            phone = waiting.pop()
            session = await company.post("/v1/sessions", {"name": phone})
            offer = await company.post(f"/v1/sessions/{session['id']}:pair", {})
            await simulator.scan(phone, offer["qr"])
            await wait_for_state(company, session["id"], "CONNECTED")

    await asyncio.gather(*(link_some() for _ in range(LINKED_AT_A_TIME)))
    return company


async def connected_count(company: RestClient) -> int:
    """How many sessions a user sees connected."""
    count: int = 0
    token = ""
    while True:
        page = await company.get(f"/v1/sessions?page_size=500&page_token={token}")
        count += [session["state"] for session in page["sessions"]].count("CONNECTED")
        token = page.get("next_page_token", "")
        if not token:
            return count


async def measure_ponte(
    simulator: SimulatorClient, http: aiohttp.ClientSession, folder: Path, sessions: int
) -> Cost:
    """Ponte with so many sessions."""
    settings = {
        "PONTE_WHATSAPP_URL": simulator.ws_url,
        "PONTE_SENDING_LIMITS": "lifted",
        "PONTE_MAX_SESSIONS": str(sessions),
        "PONTE_LOG_LEVEL": "WARNING",
        **simulator.bridge_environment,
    }
    async with running_ponte(folder, settings) as ponte:
        empty = resident(ponte.tree())
        company = await link_ponte(RestClient(http, ponte.http_url, ADMIN_KEY), simulator, sessions)
        say(f"Ponte: {sessions} linked")
    started = monotonic()
    again = await start_ponte(folder, settings)
    try:
        back_s = await until_all_are_back(company.at(again.http_url), sessions) - started
        rest = await at_rest(again.tree())
    finally:
        await again.terminate()
    return Cost(empty, rest, back_s)


async def until_all_are_back(company: RestClient, sessions: int) -> float:
    """Wait until all are CONNECTED: the time at which they were."""

    async def look() -> bool:
        return await connected_count(company) == sessions

    await eventually(look, timeout_s=BACK_TIMEOUT_S, every_s=0.5)
    return monotonic()


async def measure(sessions: int) -> tuple[Cost, Cost]:
    """Raw Baileys first, then Ponte."""
    with tempfile.TemporaryDirectory(prefix="ponte-idle-") as name:
        folder = Path(name)
        async with running_simulator(folder) as simulator, aiohttp.ClientSession() as http:
            raw = await measure_raw(simulator, folder / "raw", sessions)
            return raw, await measure_ponte(simulator, http, folder / "ponte", sessions)


def report(sessions: int, raw: Cost, ponte: Cost) -> bool:
    """Print the tables; True when the bound holds."""
    ratio = ponte.started_again.bytes / raw.started_again.bytes
    grown = (ponte.started_again.bytes - ponte.empty_bytes) / (raw.started_again.bytes - raw.empty_bytes)
    holds = ratio <= MOST_MEMORY_RATIO
    rows = [
        ("resident, empty", mib(raw.empty_bytes), mib(ponte.empty_bytes)),
        ("resident, started again", mib(raw.started_again.bytes), mib(ponte.started_again.bytes)),
        (
            "per session, all of it",
            mib(raw.started_again.bytes / sessions),
            mib(ponte.started_again.bytes / sessions),
            f"x {ratio:.2f}",
            f"<= x {MOST_MEMORY_RATIO}",
            "ok" if holds else "MISSED",
        ),
        (
            "per session, beyond empty",
            mib((raw.started_again.bytes - raw.empty_bytes) / sessions),
            mib((ponte.started_again.bytes - ponte.empty_bytes) / sessions),
            f"x {grown:.2f}",
        ),
        ("processor at rest", percent(raw.started_again.cores), percent(ponte.started_again.cores)),
        ("all connected after a start", f"{raw.back_s:.1f} s", f"{ponte.back_s:.1f} s"),
    ]
    table = Table(f"{sessions} idle sessions", "raw Baileys", "Ponte", "ratio", "bound", "")
    for row in rows:
        table.add_row(*row)
    parts = Table("Ponte by process", "empty", "started again", "processor at rest")
    for name, size in sorted(ponte.started_again.resident.items(), key=lambda item: -item[1]):
        parts.add_row(
            name,
            mib(ponte.empty.get(name, 0)),
            mib(size),
            percent({name: ponte.started_again.cores[name]}),
        )
    console = Console(width=120)
    console.print(table)
    console.print(parts)
    return holds


def say(what: str) -> None:
    """Tell how far it is."""
    print(what, flush=True)


def mib(size: float) -> str:
    """Bytes, readable."""
    return f"{size / 1024 / 1024:.2f} MiB" if size < 100 * 1024 * 1024 else f"{size / 1024 / 1024:.0f} MiB"


def percent(cores: dict[str, float]) -> str:
    """Cores used, in percent of one."""
    return f"{sum(cores.values()) * 100:.1f} %"


def main() -> int:
    """Run the comparison; exit code 1 where the bound is missed."""
    parser = argparse.ArgumentParser(description="What idle sessions cost, against raw Baileys.")
    parser.add_argument("--sessions", type=int, default=1000)
    sessions = parser.parse_args().sessions
    return 0 if report(sessions, *asyncio.run(measure(sessions))) else 1


if __name__ == "__main__":
    sys.exit(main())
