"""`ponte api`, `ponte worker` and two `ponte gateway` on PostgreSQL and Redis."""

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy import text

from orchestrator.store.database import Database, SystemScope
from tests.support.company import LinkedCompany, link_company, wait_for_state
from tests.support.ponte import ADMIN_KEY, RestClient, gone, is_alive
from tests.support.postgresql import PostgresServer
from tests.support.simulator import SimulatorClient, eventually
from tests.support.split import Split, SplitProcess, running_split, shared_settings

pytestmark = [pytest.mark.e2e, pytest.mark.chaos, pytest.mark.timeout(240)]

CUSTOMER = "+5531977771000"
NUMBERS = [f"+5531988881{number:03d}" for number in range(4)]
UP_ELSEWHERE_S = 15.0
GONE_WITHIN_S = 5.0


@pytest.fixture
def shared(
    postgres_server: PostgresServer, redis_url: str, simulator_environment: Mapping[str, str]
) -> Iterator[Mapping[str, str]]:
    """Settings of all processes."""
    database_url = postgres_server.create_empty_database()
    yield {**simulator_environment, **shared_settings(database_url, redis_url)}
    postgres_server.drop_database(database_url)


@pytest.fixture
async def split(data_dir: Path, shared: Mapping[str, str]) -> AsyncIterator[Split]:
    async with running_split(data_dir.parent, shared) as running:
        yield running


@pytest.fixture
async def leases(
    shared: Mapping[str, str], split: Split
) -> AsyncIterator[Callable[[], Awaitable[dict[str, str]]]]:
    """Looks who holds which session."""
    database = await Database.open(
        shared["PONTE_DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://")
    )

    async def look() -> dict[str, str]:
        async with database.reading(SystemScope()) as tx:
            rows = await tx.connection.execute(
                text("SELECT id, lease_owner FROM session WHERE lease_owner <> ''")
            )
            return {row.id: row.lease_owner for row in rows}

    yield look
    await database.close()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def link_all(
    split: Split, http: aiohttp.ClientSession, simulator: SimulatorClient
) -> list[LinkedCompany]:
    """Start an API and a worker, and link all numbers through them."""
    api, _ = await asyncio.gather(split.start("api"), split.start("worker"))
    admin = RestClient(http, api.ready["http_url"], ADMIN_KEY)
    await simulator.create_phone(CUSTOMER)
    return [await link_company(admin, simulator, f"company {number}", number) for number in NUMBERS]


async def send_and_be_answered(company: LinkedCompany, simulator: SimulatorClient, word: str) -> None:
    """One message out to the customer and one in, each seen once."""
    body = {"session_id": company.session_id, "to": CUSTOMER, "text": {"body": f"out {word}"}}
    message = await company.client.post("/v1/messages", body)

    async def sent() -> bool:
        found = await company.client.get(f"/v1/messages/{message['id']}")
        return found["status"] in ("SENT", "DELIVERED", "READ")

    await eventually(sent, timeout_s=30)
    await simulator.send(CUSTOMER, company.phone_number, f"in {word}")

    async def received() -> bool:
        return (await texts_received(company))[f"in {word}"] == 1

    await eventually(received, timeout_s=30)
    assert (await texts_at_customer(simulator))[f"out {word}"] == 1


async def texts_received(company: LinkedCompany) -> Counter[str]:
    events = (await company.client.get("/v1/events?page_size=500&types=message.received"))["events"]
    return Counter(event["data"]["text"]["body"] for event in events)


async def texts_at_customer(simulator: SimulatorClient) -> Counter[str]:
    return Counter(m["text"] for m in await simulator.messages(CUSTOMER) if not m["duplicate"])


async def test_two_gateways_share_the_sessions_and_a_killed_ones_are_up_elsewhere(
    split: Split,
    simulator: SimulatorClient,
    http: aiohttp.ClientSession,
    leases: Callable[[], Awaitable[dict[str, str]]],
) -> None:
    first = await split.start("gateway")
    companies = await link_all(split, http, simulator)
    assert set((await leases()).values()) == {first.name}

    second = await split.start("gateway")

    async def even() -> bool:
        return Counter((await leases()).values()) == {first.name: 2, second.name: 2}

    await eventually(even, timeout_s=20, every_s=0.1)
    for company in companies:
        await wait_for_state(company.client, company.session_id, "CONNECTED")
    await asyncio.gather(
        *(send_and_be_answered(company, simulator, f"shared {n}") for n, company in enumerate(companies))
    )

    owners = await leases()
    lost = [company for company in companies if owners[company.session_id] == second.name]
    logins = (await simulator.stats())["logins"]
    await second.kill()
    killed_at = asyncio.get_running_loop().time()

    async def all_logged_in() -> bool:
        return bool((await simulator.stats())["logins"] == logins + len(lost))

    await eventually(all_logged_in, timeout_s=30, every_s=0.05)
    for company in lost:
        await wait_until_held_by(leases, company, first)
        await wait_for_state(company.client, company.session_id, "CONNECTED")
    assert len(lost) == 2
    assert asyncio.get_running_loop().time() - killed_at < UP_ELSEWHERE_S
    await asyncio.gather(
        *(send_and_be_answered(company, simulator, f"killed {n}") for n, company in enumerate(companies))
    )


async def wait_until_held_by(
    leases: Callable[[], Awaitable[dict[str, str]]], company: LinkedCompany, gateway: SplitProcess
) -> None:
    async def look() -> bool:
        return (await leases()).get(company.session_id) == gateway.name

    await eventually(look, timeout_s=30, every_s=0.05)


async def test_sigterm_hands_the_sessions_over_and_leaves_nothing(
    split: Split,
    simulator: SimulatorClient,
    http: aiohttp.ClientSession,
    leases: Callable[[], Awaitable[dict[str, str]]],
) -> None:
    first = await split.start("gateway")
    companies = await link_all(split, http, simulator)
    second = await split.start("gateway")
    pids = first.tree()
    assert len(pids) == 2, "the gateway and its bridge"
    assert await first.terminate() == 0
    assert not any(is_alive(pid) for pid in pids)
    for company in companies:
        await wait_until_held_by(leases, company, second)
        await wait_for_state(company.client, company.session_id, "CONNECTED")
    await send_and_be_answered(companies[0], simulator, "handed over")

    for process in split.processes[1:]:
        pids = process.tree()
        process.signal(signal.SIGKILL)
        await process.process.wait()
        await gone(pids, GONE_WITHIN_S)


async def test_a_gateway_whose_bridge_grew_too_large_gives_its_sessions_away_and_has_them_back(
    split: Split,
    simulator: SimulatorClient,
    http: aiohttp.ClientSession,
    leases: Callable[[], Awaitable[dict[str, str]]],
) -> None:
    first = await split.start("gateway")
    companies = await link_all(split, http, simulator)
    # Less than Node itself needs: it is beyond its limit when it is looked at first.
    second = await split.start("gateway", {"PONTE_BRIDGE_MEMORY_LIMIT_MIB": "64"})
    bridge = second.tree()[1]

    async def even() -> bool:
        return Counter((await leases()).values()) == {first.name: 2, second.name: 2}

    async def started_again() -> bool:
        return second.tree()[1:] not in ([bridge], [])

    await eventually(even, timeout_s=20, every_s=0.1)
    for company in companies:
        await wait_for_state(company.client, company.session_id, "CONNECTED")
    given = [id_ for id_, owner in (await leases()).items() if owner == second.name]
    await eventually(started_again, timeout_s=30, every_s=0.1)
    await eventually(even, timeout_s=30, every_s=0.1)
    for company in companies:
        await wait_for_state(company.client, company.session_id, "CONNECTED")
    moved = [company for company in companies if company.session_id in given]
    closures = [
        event["data"]["reason"]
        for company in moved
        for event in (await company.client.get("/v1/events?types=session.closed"))["events"]
    ]
    assert len(moved) == 2
    assert closures == []
    await send_and_be_answered(companies[0], simulator, "with room again")


@pytest.mark.parametrize(
    ("role", "missing", "told"),
    [
        ("api", "PONTE_ADMIN_KEY", "PONTE_ADMIN_KEY"),
        ("api", "PONTE_DATABASE_URL", "PostgreSQL"),
        ("worker", "PONTE_REDIS_URL", "PONTE_REDIS_URL"),
        ("worker", "PONTE_ENCRYPTION_KEY", "PONTE_ENCRYPTION_KEY_FILE"),
        ("gateway", "PONTE_GATEWAY_SECRET", "PONTE_GATEWAY_SECRET"),
    ],
)
async def test_what_must_be_shared_is_asked_for_in_one_sentence(
    data_dir: Path, role: str, missing: str, told: str
) -> None:
    settings = shared_settings("postgresql://ponte@127.0.0.1:1/ponte", "redis://127.0.0.1:1/0")
    async with running_split(data_dir.parent, {**settings, missing: ""}) as split:
        with pytest.raises(AssertionError, match=told) as failure:
            await split.start(role)
    assert "Traceback" not in str(failure.value)
