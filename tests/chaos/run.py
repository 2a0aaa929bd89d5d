"""One chaos run: link, talk and hurt at once, wait until it is quiet, judge."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import aiohttp

from tests.chaos.deployments import Deployment, deployed
from tests.chaos.evidence import Witness
from tests.chaos.receiver import Receiver, running_receiver
from tests.chaos.schedule import Strike, Way, draw_schedule
from tests.chaos.traffic import Chat, Traffic
from tests.chaos.verdict import judge
from tests.chaos.whatsapp_victim import WhatsApp
from tests.support.company import make_company, wait_for_state
from tests.support.ponte import ADMIN_KEY, RestClient
from tests.support.simulator import SimulatorClient, running_simulator

_WORTH_A_LINE_S = 0.5
_TIMEOUT = aiohttp.ClientTimeout(total=15)

WHATSAPP_WAYS = (
    Way("whatsapp", "cut", weight=1.5),
    Way("whatsapp", "cut all", weight=0.5),
    Way("whatsapp", "freeze", weight=1.0, shortest_s=0.5, longest_s=5.0, always=True),
    Way("whatsapp", "refuse", weight=0.5, shortest_s=0.5, longest_s=5.0),
    Way("whatsapp", "stream error 515", weight=1.0, always=True),
    Way("whatsapp", "stream error 503", weight=1.0),
    Way("whatsapp", "cut before a message"),
    Way("whatsapp", "cut after a message", always=True),
    Way("whatsapp", "lost acks", always=True),
    Way("whatsapp", "late acks"),
    Way("whatsapp", "lost message", weight=0.7),
    Way("whatsapp", "latency", weight=0.5, shortest_s=1.0, longest_s=5.0),
    Way("whatsapp", "silent queries", weight=0.5, shortest_s=1.0, longest_s=5.0),
)
RECEIVER_WAYS = (
    Way("receiver", "fail", weight=0.7, shortest_s=0.2, longest_s=2.0),
    Way("receiver", "lose answers", weight=0.7, shortest_s=0.2, longest_s=2.0),
    Way("receiver", "slow", weight=0.5, shortest_s=1.0, longest_s=4.0),
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do. `each_way` texts go out and as many come in within `traffic_s`, while `strikes` faults happen.

    `quiet_s` is how long all may take to arrive when the last fault is over. `only` names the victims to hurt, all of
    them where it is empty; `without` names ways that do not happen.
    """

    seed: int
    deployment: str
    traffic_s: float
    strikes: int
    each_way: int = 1000
    companies: int = 5
    sessions_per_company: int = 4
    customers_per_session: int = 3
    quiet_s: float = 240.0
    only: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()


@dataclass
class Report:
    """What came of a run."""

    wrong: list[str] = field(default_factory=list)
    events: int = 0
    restarts: int = 0


@dataclass
class _World:
    """What a run works with."""

    plan: Plan
    deployment: Deployment
    simulator: SimulatorClient
    receiver: Receiver
    http: aiohttp.ClientSession
    keys: dict[str, str] = field(default_factory=dict)

    def client(self, company_id: str) -> RestClient:
        """A company's client of the Ponte that is up now."""
        return RestClient(self.http, self.deployment.ponte.http_url, self.keys[company_id])


async def run_chaos(plan: Plan, folder: Path, say: Callable[[str], None]) -> Report:
    """Run a plan; its folder keeps the logs. `say` gets a line for each thing that happens."""
    async with (
        running_simulator(folder) as simulator,
        running_receiver(RECEIVER_WAYS) as receiver,
        deployed(plan.deployment, folder, simulator) as deployment,
        aiohttp.ClientSession(timeout=_TIMEOUT) as http,
    ):
        return await _Run(_World(plan, deployment, simulator, receiver, http), say).execute()


class _Run:
    def __init__(self, world: _World, say: Callable[[str], None]) -> None:
        self._world = world
        self._plan = world.plan
        self._tell = say
        self._began = asyncio.get_running_loop().time()
        self._report = Report()

    async def execute(self) -> Report:
        plan, world = self._plan, self._world
        await world.deployment.ponte.start()
        chats = await self._link()
        numbers = sorted({chat.number for chat in chats})
        victims = world.deployment.victims | {
            "whatsapp": WhatsApp(world.simulator, numbers, WHATSAPP_WAYS),
            "receiver": world.receiver,
        }
        hurt = [victim for name, victim in victims.items() if not plan.only or name in plan.only]
        ways = [way for victim in hurt for way in victim.ways if way.name not in plan.without]
        schedule = draw_schedule(Random(f"{plan.seed}/schedule"), ways, plan.traffic_s, plan.strikes)
        traffic = Traffic(chats, world.client, world.simulator, str(plan.seed))
        self._say(f"{len(numbers)} sessions are connected; traffic and faults begin")

        async with asyncio.TaskGroup() as group:
            group.create_task(traffic.run(plan.each_way, plan.traffic_s))
            group.create_task(self._strike_all(schedule, victims))
        for victim in victims.values():
            await victim.restore()
        self._say("all accepted, all faults are over")

        witness = Witness(traffic.talks, world.client, world.simulator, world.receiver.delivered)
        late = await witness.wait_until_quiet(plan.quiet_s)
        self._say("quiet" if not late else f"not quiet after {plan.quiet_s:g} s")
        evidence = await witness.take()
        self._report.wrong += judge(evidence)
        self._report.events = sum(len(log) for log in evidence.logs.values())
        await world.deployment.ponte.stop()
        self._say("stopped")
        self._report.wrong += list(world.deployment.ponte.complaints)
        self._report.wrong += [f"webhook: {what}" for what in world.receiver.complaints]
        self._report.restarts = world.deployment.ponte.restarts
        self._say(f"the longest orderly stop took {world.deployment.ponte.longest_stop_s:.1f} s")
        return self._report

    async def _link(self) -> list[Chat]:
        """Make the companies with their webhooks, and link their sessions."""
        admin = RestClient(self._world.http, self._world.deployment.ponte.http_url, ADMIN_KEY)
        chats: list[Chat] = []
        for company in range(self._plan.companies):
            company_id, key = await make_company(admin, f"company {company}")
            await self._widen(admin, company_id)
            self._world.keys[company_id] = key
            client = admin.with_key(key)
            url = self._world.receiver.url_of(company_id)
            webhook = await client.post("/v1/webhooks", {"url": url, "events": ["*"]})
            self._world.receiver.expect(company_id, webhook["secret"])
            sessions = range(self._plan.sessions_per_company)
            linked = await asyncio.gather(
                *(self._link_session(client, company_id, company, session) for session in sessions)
            )
            chats += [chat for some in linked for chat in some]
        return chats

    async def _widen(self, admin: RestClient, company_id: str) -> None:
        most = self._plan.sessions_per_company
        status, answer = await admin.call("PATCH", f"/v1/companies/{company_id}", {"max_sessions": most})
        assert status == 200, (status, answer)

    async def _link_session(
        self, client: RestClient, company_id: str, company: int, session: int
    ) -> list[Chat]:
        simulator = self._world.simulator
        number = f"+551140{company:04d}{session:03d}"
        made: Mapping[str, Any] = await client.post("/v1/sessions", {"name": f"session {session}"})
        await simulator.create_phone(number)
        offer = await client.post(f"/v1/sessions/{made['id']}:pair", {})
        await simulator.scan(number, offer["qr"])
        await wait_for_state(client, made["id"], "CONNECTED")
        customers = [
            f"+55219{company:03d}{session:02d}{customer:03d}"
            for customer in range(self._plan.customers_per_session)
        ]
        chats = [
            Chat(company_id, made["id"], number, customer, reads=position > 0)
            for position, customer in enumerate(customers)
        ]
        for position, chat in enumerate(chats):
            await simulator.create_phone(chat.customer)
            addressing = "lid" if position % 2 else "pn"
            await simulator.set_phone(chat.customer, addressing=addressing, auto_read=chat.reads)
        return chats

    async def _strike_all(self, schedule: Sequence[Strike], victims: Mapping[str, Any]) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()

        async def strike(what: Strike) -> None:
            await asyncio.sleep(max(0.0, began + what.at_s - loop.time()))
            self._say(f"{what.victim}: {what.way}")
            struck_at = loop.time()
            await victims[what.victim].strike(what.way, what.lasts_s, what.draw)
            if loop.time() - struck_at > _WORTH_A_LINE_S:
                self._say(f"{what.victim}: back after {loop.time() - struck_at:.1f} s ({what.way})")

        async with asyncio.TaskGroup() as group:
            for what in schedule:
                group.create_task(strike(what))

    def _say(self, what: str) -> None:
        self._tell(f"{asyncio.get_running_loop().time() - self._began:7.2f} s  {what}")
