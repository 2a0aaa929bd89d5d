"""A gateway that is paused past its lease and woken again: one socket at WhatsApp, no stale write, no message lost."""

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest
from sqlalchemy.engine import make_url

from tests.support.company import LinkedCompany, link_company, wait_for_state
from tests.support.ponte import ADMIN_KEY, RestClient
from tests.support.postgresql import PostgresServer
from tests.support.postgresql_process import dsn
from tests.support.simulator import SimulatorClient, eventually
from tests.support.split import Split, running_split, shared_settings

pytestmark = [pytest.mark.e2e, pytest.mark.chaos, pytest.mark.timeout(240)]

CUSTOMER = "+5531977772000"
NUMBER = "+5531988882000"
LEASE_S = 4.0
EVERY_S = 0.1
AFTERWARDS = 20
"""Messages each way after the paused gateway woke: what it could still spoil shows meanwhile."""

_AUDIT = """
CREATE TABLE auth_write (at timestamptz NOT NULL DEFAULT clock_timestamp(), writer text NOT NULL);
CREATE FUNCTION note_auth_write() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN INSERT INTO auth_write (writer) VALUES (session_user); RETURN NULL; END $$;
CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON auth_key
  FOR EACH ROW EXECUTE FUNCTION note_auth_write();
CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON auth_credentials
  FOR EACH ROW EXECUTE FUNCTION note_auth_write();
"""


@dataclass
class Databases:
    """The database as everybody's user, and as that of each gateway: the database then knows who wrote."""

    url: str
    gateways: tuple[str, str]

    def user(self, gateway: int) -> str:
        return str(make_url(self.gateways[gateway]).username)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Any]:
        connection = await asyncpg.connect(dsn(make_url(self.url)), timeout=10)
        try:
            # As Ponte's own transactions for all companies do.
            await connection.execute("SELECT set_config('ponte.company_id', '*', false)")
            yield connection
        finally:
            await connection.close()


@dataclass
class Traffic:
    """A conversation that goes on both ways until it is told to end."""

    company: LinkedCompany
    simulator: SimulatorClient
    out: int = 0
    in_: int = 0
    ending: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        while not self.ending.is_set():
            body = {"to": CUSTOMER, "text": {"body": f"out {self.out}"}}
            await self.company.client.post("/v1/messages", body)
            self.out += 1
            await self.simulator.send(CUSTOMER, NUMBER, f"in {self.in_}")
            self.in_ += 1
            await asyncio.sleep(EVERY_S)

    async def assert_all_once(self) -> None:
        expected_out = Counter(f"out {number}" for number in range(self.out))
        expected_in = Counter(f"in {number}" for number in range(self.in_))

        async def arrived() -> bool:
            out, in_ = await self._seen()
            return set(out) >= set(expected_out) and set(in_) >= set(expected_in)

        await eventually(arrived, timeout_s=60, every_s=0.2)
        assert await self._seen() == (expected_out, expected_in)

    async def _seen(self) -> tuple[Counter[str], Counter[str]]:
        messages = await self.simulator.messages(CUSTOMER)
        out = Counter(m["text"] for m in messages if not m["duplicate"] and not m["from_me"])
        events: list[Any] = []
        while True:
            after = events[-1]["sequence"] if events else 0
            path = f"/v1/events?page_size=500&types=message.received&after={after}"
            page = (await self.company.client.get(path))["events"]
            if not page:
                return out, Counter(event["data"]["text"]["body"] for event in events)
            events += page


@pytest.fixture
def databases(postgres_server: PostgresServer) -> Iterator[Databases]:
    url = postgres_server.create_empty_database()
    twins = (postgres_server.create_twin(url), postgres_server.create_twin(url))
    yield Databases(url, twins)
    postgres_server.drop_database(url)
    for twin in twins:
        postgres_server.drop_twin(twin)


@pytest.fixture
async def split(
    databases: Databases, data_dir: Path, redis_url: str, simulator_environment: Mapping[str, str]
) -> AsyncIterator[Split]:
    shared = shared_settings(databases.url, redis_url)
    settings = {**simulator_environment, **shared, "PONTE_LEASE_S": str(LEASE_S)}
    async with running_split(data_dir.parent, settings) as running:
        yield running


@pytest.mark.parametrize("with_its_bridge", [True, False], ids=["with_its_bridge", "without_its_bridge"])
async def test_a_paused_gateway_neither_connects_nor_writes_when_it_wakes(
    databases: Databases, split: Split, simulator: SimulatorClient, with_its_bridge: bool
) -> None:
    async with aiohttp.ClientSession() as http, databases.connected() as database:
        # The first migrates; all tables are then of the user whose rights the others have.
        api = await split.start("api")
        await split.start("worker")
        await database.execute(_AUDIT)
        paused = await split.start("gateway", {"PONTE_DATABASE_URL": databases.gateways[0]})
        await simulator.create_phone(CUSTOMER)
        admin = RestClient(http, api.ready["http_url"], ADMIN_KEY)
        company = await link_company(admin, simulator, "paused", NUMBER)
        other = await split.start("gateway", {"PONTE_DATABASE_URL": databases.gateways[1]})

        async def holder() -> tuple[str, int]:
            row = await database.fetchrow("SELECT lease_owner, fence FROM session")
            return row["lease_owner"], row["fence"]

        async def connection() -> dict[str, Any]:
            [device] = await simulator.devices(NUMBER)
            return device

        assert (await holder())[0] == paused.name
        fence = (await holder())[1]
        logins = (await simulator.stats())["logins"]
        traffic = Traffic(company, simulator)
        talking = asyncio.create_task(traffic.run())
        await simulator.messages(CUSTOMER, wait_count=10)

        paused.signal(signal.SIGSTOP, children=with_its_bridge)
        if not with_its_bridge:
            # The bridge alone sees that nobody renews: its socket is gone before the lease is.
            await eventually(lambda: is_down(connection()), timeout_s=LEASE_S, every_s=0.01)
            assert await holder() == (paused.name, fence)

        async def taken() -> bool:
            return await holder() == (other.name, fence + 1)

        await eventually(taken, timeout_s=3 * LEASE_S, every_s=0.05)
        taken_at = await database.fetchval("SELECT clock_timestamp()")
        await eventually(lambda: has_logins(simulator, logins + 1), timeout_s=15)
        await wait_for_state(company.client, company.session_id, "CONNECTED")
        before = await connection()

        paused.signal(signal.SIGCONT, children=True)
        woken = traffic.out
        await eventually(lambda: is_at_least(traffic, woken + AFTERWARDS), timeout_s=60)
        traffic.ending.set()
        await talking
        await traffic.assert_all_once()

        assert paused.process.returncode is None, "it goes on, without the session"
        assert await holder() == (other.name, fence + 1)
        assert (await simulator.stats())["logins"] == logins + 1
        # An event is there before WhatsApp has the receipt of its message.
        await eventually(lambda: has_nothing_pending(connection()))
        assert await connection() == {**before, "pending": 0, "pre_keys": (await connection())["pre_keys"]}
        closed = (await company.client.get("/v1/events?page_size=500&types=session.closed"))["events"]
        assert not any(event["data"]["code"] == 440 for event in closed)
        writes = "SELECT count(*) FROM auth_write WHERE writer = $1 AND at > $2"
        assert await database.fetchval(writes, databases.user(0), taken_at) == 0
        assert await database.fetchval(writes, databases.user(1), taken_at) > 0
        assert await database.fetchval("SELECT count(*) FROM auth_write WHERE writer = $1", databases.user(0))


async def is_down(looking: Any) -> bool:
    return not (await looking)["connected"]


async def has_nothing_pending(looking: Any) -> bool:
    return bool((await looking)["pending"] == 0)


async def has_logins(simulator: SimulatorClient, count: int) -> bool:
    return bool((await simulator.stats())["logins"] >= count)


async def is_at_least(traffic: Traffic, count: int) -> bool:
    return traffic.out >= count
