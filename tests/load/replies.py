"""`make bench-replies`: how fast customers are answered while every company has a campaign under way.

Each company has a system of its own: an endpoint that gets `message.received` and at once posts an answer. Measured is
the whole way, from the customer's writing to the answer's arrival at the server, first with nothing else to do and then
with a campaign of every company at once. The sending policy holds, with mature numbers at noon on a Wednesday; answers
are places, before which no typing is shown: only Ponte's own time counts. `--lifted` takes the policy's ceilings
away: each campaign then sends a message every 2 to 5 s instead of one a minute.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

import aiohttp
from aiohttp import web
from rich.console import Console
from rich.table import Table

from tests.load.arrivals import ArrivalLog
from tests.support import campaigns
from tests.support.fast_clock import next_wednesday_noon_in_brazil, set_clock
from tests.support.ponte import ADMIN_KEY, RestClient, running_ponte
from tests.support.simulator import SimulatorClient, eventually, running_simulator

MOST_SLOWER_P95 = 1.5
ANSWERED_WITHIN_S = 60.0
GAP_S = 0.1
RECIPIENTS = 60
WARM_UP_ROUNDS = 2
PLACE = {"latitude": -23.55, "longitude": -46.63, "name": "We are here"}
CLOCK_SPEED = 1.01
"""A clock that can be set; next to the machine's own pace."""


@dataclass
class Company:
    """One company, its customer who writes, and those its campaign goes to."""

    client: RestClient
    session_id: str
    phone_number: str
    customer: str
    campaign_id: str


class AnsweringSystem:
    """All companies' own systems: each answers what its customers write, through Ponte's API."""

    def __init__(self) -> None:
        self.url = ""
        self.answered: asyncio.Queue[str] = asyncio.Queue()
        self._companies: list[Company] = []

    def work_for(self, companies: Sequence[Company]) -> None:
        """Answer for these companies from now on; each one's endpoint has its position as its path."""
        self._companies = list(companies)

    async def take(self, request: web.Request) -> web.Response:
        """One event: answer the customer, and note the answer's id."""
        company = self._companies[int(request.match_info["position"])]
        answer = await company.client.post(
            "/v1/messages",
            {
                "session_id": company.session_id,
                "to": company.customer,
                "location": PLACE,
            },
        )
        self.answered.put_nowait(str(answer["wa_message_id"]))
        return web.Response(status=204)


@asynccontextmanager
async def answering_system() -> AsyncIterator[AnsweringSystem]:
    """An endpoint on a free port for the length of a block."""
    system = AnsweringSystem()
    application = web.Application()
    application.router.add_post("/{position}", system.take)
    runner = web.AppRunner(application, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    system.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield system
    finally:
        await runner.cleanup()


async def make_company(
    admin: RestClient, simulator: SimulatorClient, data_dir: Path, position: int, webhook_url: str
) -> Company:
    """A linked company with a drafted campaign, whose webhook points at its own system."""
    number = f"+5531988{position:06d}"
    company_id, client, (session_id,) = await campaigns.company_with_sessions(admin, simulator, [number])
    path = f"/v1/companies/{company_id}/sessions/{session_id}/policy:declareMature"
    await admin.post(path, {"reason": "a measurement's number"})
    people = await simulator.create_phones(f"+551197{position:03d}0000", RECIPIENTS)
    customer = (await simulator.create_phones(f"+551196{position:03d}0000", 1))[0]
    await campaigns.opt_in(data_dir, company_id, people)
    campaign_id = await campaigns.draft(client, [session_id], people)
    await client.post("/v1/webhooks", {"url": webhook_url, "events": ["message.received"]})
    return Company(client, session_id, number, customer, campaign_id)


async def measure_answers(
    companies: Sequence[Company],
    simulator: SimulatorClient,
    system: AnsweringSystem,
    arrived: ArrivalLog,
    rounds: int,
) -> list[float]:
    """Let each company's customer write `rounds` times, one after the other: the ms until each answer was there."""
    waits: list[float] = []
    for _ in range(rounds):
        for company in companies:
            wrote_at_ms = time.time() * 1000
            await simulator.send(company.customer, company.phone_number, "Is it ready?")
            answer_id = await asyncio.wait_for(system.answered.get(), ANSWERED_WITHIN_S)
            waits.append((await arrived.times([answer_id], every_s=0.02))[answer_id] - wrote_at_ms)
            await asyncio.sleep(GAP_S)
    return waits


async def sent_of(companies: Sequence[Company]) -> list[int]:
    """How many messages each company's campaign has sent."""
    states = [await company.client.get(f"/v1/campaigns/{company.campaign_id}") for company in companies]
    return [int(state["progress"]["sent"]) for state in states]


async def measure(options: argparse.Namespace) -> bool:
    """Run both parts and print them; True where the bound holds."""
    with tempfile.TemporaryDirectory(prefix="ponte-bench-") as folder:
        data_dir = Path(folder) / "ponte"
        async with (
            running_simulator(Path(folder)) as simulator,
            aiohttp.ClientSession() as http,
            answering_system() as system,
        ):
            await set_clock(data_dir, CLOCK_SPEED, next_wednesday_noon_in_brazil())
            settings = {
                "PONTE_WHATSAPP_URL": simulator.ws_url,
                "PONTE_CLOCK_SPEED": str(CLOCK_SPEED),
                "PONTE_SENDING_LIMITS": "lifted" if options.lifted else "enforced",
                **simulator.bridge_environment,
            }
            async with running_ponte(data_dir, settings) as ponte:
                admin = RestClient(http, ponte.http_url, ADMIN_KEY)
                companies = [
                    await make_company(admin, simulator, data_dir, position, f"{system.url}/{position}")
                    for position in range(options.companies)
                ]
                system.work_for(companies)
                arrived = ArrivalLog(simulator)
                await measure_answers(companies, simulator, system, arrived, WARM_UP_ROUNDS)
                idle = await measure_answers(companies, simulator, system, arrived, options.rounds)
                for company in companies:
                    await company.client.post(f"/v1/campaigns/{company.campaign_id}:start", {})
                await eventually(lambda: all_under_way(companies), timeout_s=60, every_s=1.0)
                before, began = await sent_of(companies), time.perf_counter()
                busy = await measure_answers(companies, simulator, system, arrived, options.rounds)
                took_s = time.perf_counter() - began
                sent = [
                    later - earlier for earlier, later in zip(before, await sent_of(companies), strict=True)
                ]
    return report(idle, busy, sent, took_s)


async def all_under_way(companies: Sequence[Company]) -> bool:
    """Whether each campaign has sent something."""
    return min(await sent_of(companies)) > 0


def report(idle: Sequence[float], busy: Sequence[float], sent: Sequence[int], took_s: float) -> bool:
    """Print both parts and each company's share; True where the bound holds."""
    idle_p95, busy_p95 = (quantiles(waits, n=20)[18] for waits in (idle, busy))
    table = Table("from the customer's message to the answer, ms", "nothing else", "a campaign each", "ratio")
    table.add_row("p50", f"{median(idle):.1f}", f"{median(busy):.1f}", f"x {median(busy) / median(idle):.2f}")
    table.add_row(
        "p95", f"{idle_p95:.1f}", f"{busy_p95:.1f}", f"x {busy_p95 / idle_p95:.2f} (<= x {MOST_SLOWER_P95})"
    )
    Console().print(table)
    print(
        f"{len(busy)} answers while {sum(sent)} campaign messages left in {took_s:.0f} s; each company {min(sent)} to "
        f"{max(sent)}, median {median(sent):.0f}; {dict(sorted(Counter(sent).items()))}"
    )
    return busy_p95 <= MOST_SLOWER_P95 * idle_p95


def main() -> int:
    """Run the measurement; exit code 1 where the bound is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--companies", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--lifted", action="store_true", help="without the sending policy's ceilings")
    return 0 if asyncio.run(measure(parser.parse_args())) else 1


if __name__ == "__main__":
    sys.exit(main())
