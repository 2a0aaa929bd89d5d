"""`make bench-groups`: what a message to a large group costs, against raw Baileys in the same run.

Both write to groups of the same people, on virtual phones that decrypt each message. Raw Baileys is used as by its own
documentation, without a cache of the groups' members: it asks WhatsApp for them before each message. Ponte is
`ponte up` as users run it. Measured are the time from the call to the server and the processor time of all processes
of each, for the first message (which gives every member the key), for those that follow, and for a picture. Ends with
an error where a member lacks a message or has one twice.

    python -m tests.load.groups [--members 200] [--messages 30]
"""

import argparse
import asyncio
import os
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from time import time
from typing import Any

import aiohttp
from rich.console import Console
from rich.table import Table

from tests.load.arrivals import ArrivalLog
from tests.load.line_process import line_process
from tests.support.company import LinkedCompany, link_company
from tests.support.files import png
from tests.support.footprint import footprints
from tests.support.ponte import ADMIN_KEY, PonteProcess, RestClient, running_ponte
from tests.support.simulator import SimulatorClient, eventually, running_simulator

ROOT = Path(__file__).resolve().parents[2]
BRIDGE = ROOT / "bridge-node"
FIRST_MEMBER, RAW_NUMBER, PONTE_NUMBER = "+551197000000", "+552190000000", "+553190000000"
GAP_S = 0.2
PICTURES = 5
ALL_HAVE_IT_WITHIN_S = 60.0

Post = Callable[[], Awaitable[str]]
"""Sends one message and gives WhatsApp's id, once the call was answered."""


@dataclass
class Cost:
    """Of one system: ms from the call to the server and s of processor time, of each message."""

    latencies_ms: dict[str, list[float]] = field(default_factory=dict)
    cpu_s: dict[str, float] = field(default_factory=dict)


@dataclass
class System:
    """One that writes to its group: what it is made of, and how it sends."""

    group: str
    pids: Callable[[], Sequence[int]]
    post_text: Post
    post_picture: Post
    cost: Cost = field(default_factory=Cost)
    sent: list[str] = field(default_factory=list)


class Bench:
    """A simulated WhatsApp with two groups of the same people, and the two who write to them."""

    def __init__(self, simulator: SimulatorClient, members: Sequence[str]) -> None:
        self._simulator = simulator
        self._members = members
        self._arrived = ArrivalLog(simulator)

    async def group_of(self, number: str) -> str:
        """Make a group of the people and the number that writes."""
        body = {"owner": self._members[0], "subject": "All", "members": [*self._members[1:], number]}
        return str((await self._simulator.call("POST", "/groups", body))["jid"])

    async def measure(self, system: System, what: str, posts: Sequence[Post]) -> None:
        """Send one after the other; the processor time counts until all members have the last."""
        before = _cpu_s(system.pids())
        for post in posts:
            began_ms = time() * 1000
            message_id = await post()
            arrived = (await self._arrived.times([message_id], every_s=0.01))[message_id]
            system.cost.latencies_ms.setdefault(what, []).append(arrived - began_ms)
            system.sent.append(message_id)
            await asyncio.sleep(GAP_S)
        await self._all_have(system)
        system.cost.cpu_s[what] = (_cpu_s(system.pids()) - before) / len(posts)

    async def _all_have(self, system: System) -> None:
        for member in self._members:
            look = partial(self._has, member, system)
            await eventually(look, timeout_s=ALL_HAVE_IT_WITHIN_S, every_s=0.05)

    async def _has(self, member: str, system: System) -> bool:
        got = Counter(
            one["id"] for one in await self._simulator.messages(member) if one.get("group") == system.group
        )
        if twice := [message_id for message_id, times in got.items() if times > 1]:
            raise AssertionError(f"{member} has {twice} more than once")
        return got.keys() >= set(system.sent)


def _cpu_s(pids: Sequence[int]) -> float:
    return sum(one.cpu_s for one in footprints(pids).values())


@asynccontextmanager
async def raw_system(
    bench: Bench, simulator: SimulatorClient, folder: Path, picture: Path
) -> AsyncIterator[System]:
    """Raw Baileys in a process of its own."""
    await simulator.create_phone(RAW_NUMBER)
    group = await bench.group_of(RAW_NUMBER)
    command = ["node", str(ROOT / "tests/load/raw_baileys.mjs"), simulator.ws_url, simulator.http_url]
    async with line_process(command, BRIDGE, {**os.environ, **simulator.bridge_environment}) as raw:
        await raw.ask({"do": "link", "phones": [RAW_NUMBER], "folder": str(folder)})

        async def post_text() -> str:
            answer = await raw.ask({"do": "latency", "session": 0, "to": [group], "count": 1, "gap_ms": 0})
            return str(answer["sent"][0]["id"])

        async def post_picture() -> str:
            answer = await raw.ask({"do": "picture", "session": 0, "to": group, "path": str(picture)})
            return str(answer["sent"][0]["id"])

        yield System(group, lambda: [raw.pid], post_text, post_picture)
        await raw.ask({"do": "end"})


async def ponte_system(bench: Bench, ponte: PonteProcess, company: LinkedCompany, picture: Path) -> System:
    """Ponte, all of its processes."""
    group = await bench.group_of(company.phone_number)

    async def send(content: dict[str, Any]) -> str:
        body = {"session_id": company.session_id, "to": group, **content}
        return str((await company.client.post("/v1/messages", body))["wa_message_id"])

    async def post_text() -> str:
        return await send({"text": {"body": "Lunch?"}})

    async def post_picture() -> str:
        media_id = await company.client.upload(picture.read_bytes(), "picture.png")
        return await send({"image": {"media": {"media_id": media_id}}})

    return System(group, ponte.tree, post_text, post_picture)


async def measure(options: argparse.Namespace) -> tuple[Cost, Cost]:
    """Run both: (raw Baileys, Ponte)."""
    with tempfile.TemporaryDirectory(prefix="ponte-bench-") as name:
        folder = Path(name)
        picture = folder / "picture.png"
        picture.write_bytes(png(640, 480))
        async with running_simulator(folder) as simulator, aiohttp.ClientSession() as http:
            bench = Bench(simulator, await simulator.create_phones(FIRST_MEMBER, options.members))
            settings = {
                "PONTE_WHATSAPP_URL": simulator.ws_url,
                "PONTE_SENDING_LIMITS": "lifted",
                **simulator.bridge_environment,
            }
            async with (
                raw_system(bench, simulator, folder / "raw", picture) as raw,
                running_ponte(folder / "ponte", settings) as ponte,
            ):
                admin = RestClient(http, ponte.http_url, ADMIN_KEY)
                company = await link_company(admin, simulator, "groups", PONTE_NUMBER)
                ours = await ponte_system(bench, ponte, company, picture)
                for system in (raw, ours):
                    await bench.measure(system, "first text", [system.post_text])
                for system in (raw, ours):
                    await bench.measure(system, "text", [system.post_text] * options.messages)
                for system in (raw, ours):
                    await bench.measure(system, "picture", [system.post_picture] * PICTURES)
    return raw.cost, ours.cost


def report(raw: Cost, ponte: Cost, members: int) -> None:
    """Print the table."""
    table = Table(f"to a group of {members}", "raw Baileys", "Ponte", "difference")
    for what in raw.latencies_ms:
        theirs, ours = median(raw.latencies_ms[what]), median(ponte.latencies_ms[what])
        table.add_row(f"{what}: ms to the server", f"{theirs:.1f}", f"{ours:.1f}", f"{ours - theirs:+.1f} ms")
        theirs, ours = raw.cpu_s[what] * 1000, ponte.cpu_s[what] * 1000
        table.add_row(f"{what}: ms of processor", f"{theirs:.0f}", f"{ours:.0f}", f"x {ours / theirs:.2f}")
    Console().print(table)
    print(f"Each of the {members} members has each message once.")


def main() -> int:
    """Run the measurement."""
    parser = argparse.ArgumentParser(description="What a message to a group costs, against raw Baileys.")
    parser.add_argument("--members", type=int, default=200)
    parser.add_argument("--messages", type=int, default=30)
    options = parser.parse_args()
    report(*asyncio.run(measure(options)), options.members)
    return 0


if __name__ == "__main__":
    sys.exit(main())
