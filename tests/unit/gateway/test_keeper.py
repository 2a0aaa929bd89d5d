"""Leases: claimed, renewed, lost, released."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from orchestrator.domain.session import SessionState
from orchestrator.gateway.gateway import Gateway
from orchestrator.gateway.settings import GatewaySettings
from orchestrator.services.session_runtime import SessionRuntime
from orchestrator.store import sessions
from tests.unit.gateway.conftest import MemoryHouse, until


@pytest.fixture
async def second(house: MemoryHouse) -> AsyncIterator[Gateway]:
    """Another gateway on the same database and bridge; not started."""
    runtime = SessionRuntime(house.context)
    gateway = Gateway(
        house.context, runtime, house.inbox, house.receipts, house.bridge, house.settings, "gateway-2"
    )
    yield gateway
    await gateway.stop()


async def rounds(house: MemoryHouse, count: int) -> None:
    """Wait until the gateway has looked so many times again."""
    keeper, look = house.gateway._keeper, house.gateway._keeper._claim
    seen = 0

    async def counting() -> None:
        nonlocal seen
        await look()
        seen += 1

    keeper._claim = counting  # type: ignore[method-assign]  # this instance only

    async def enough() -> bool:
        return seen > count

    await until(enough)


async def holder(house: MemoryHouse, session_id: str) -> str:
    lease = await house.runtime.find_lease(house.scope, session_id)
    return lease.owner if lease else ""


async def test_a_session_is_claimed_without_a_bell(house: MemoryHouse) -> None:
    row = await house.linked()
    await house.bridge.next_peer()
    assert await holder(house, row.id) == "gateway-1"


async def test_two_gateways_never_hold_one_session(house: MemoryHouse, second: Gateway) -> None:
    await second.start()
    rows = [await house.linked() for _ in range(10)]
    peers = [await house.bridge.next_peer() for _ in rows]
    assert sorted(peer.opening.session_id for peer in peers) == sorted(row.id for row in rows)
    await rounds(house, 3)
    assert len(house.bridge.peers) == 10
    assert house.gateway.held + second.held == 10


async def test_what_a_stopped_gateway_gives_back_another_takes(house: MemoryHouse, second: Gateway) -> None:
    session_id, peer = await house.connected()
    await house.gateway.stop()
    await second.start()
    again = await house.bridge.next_peer()
    assert again.opening.session_id == session_id
    assert again.opening.fence > peer.opening.fence
    assert await holder(house, session_id) == "gateway-2"


async def test_leases_are_renewed(house: MemoryHouse) -> None:
    session_id, _ = await house.connected()
    house.clock.advance(8)

    async def look() -> bool:
        lease = await house.runtime.find_lease(house.scope, session_id)
        return lease is not None and (lease.until - house.clock()).total_seconds() > 9

    await until(look)


async def test_a_lease_that_was_taken_ends_the_stream(house: MemoryHouse) -> None:
    session_id, peer = await house.connected()
    async with house.context.database.transaction(house.scope) as tx:
        taken = {"lease_owner": "gateway-9", "fence": peer.opening.fence + 1}
        await sessions.change(tx, house.scope, session_id, taken)
    assert await peer.next_command() is None
    assert await holder(house, session_id) == "gateway-9"


async def test_a_gateway_that_cannot_renew_ends_its_streams(
    house: MemoryHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, peer = await house.connected()
    keeper = house.gateway._keeper
    keeper._settings = GatewaySettings(lease_s=0.5, lease_margin_s=0.2, renew_s=0.1, claim_every_s=0.05)

    async def never(*arguments: object) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(keeper._runtime, "renew", never)
    monkeypatch.setattr(keeper._runtime, "claim", never)
    keeper.ring("")
    assert await peer.next_command(timeout_s=3) is None


async def test_a_restarted_gateway_of_the_same_name_takes_its_sessions_back_at_once(
    house: MemoryHouse,
) -> None:
    row = await house.linked(
        state=SessionState.CONNECTED.value,
        lease_owner="gateway-2",
        lease_until=house.clock.now.replace(year=2030),
        fence=7,
    )
    restarted = Gateway(
        house.context, house.runtime, house.inbox, house.receipts, house.bridge, house.settings, "gateway-2"
    )
    await house.gateway.stop()
    await restarted.start()
    peer = await house.bridge.next_peer()
    assert (peer.opening.session_id, peer.opening.fence) == (row.id, 8)
    await restarted.stop()


async def test_a_full_gateway_claims_no_more(house: MemoryHouse) -> None:
    house.gateway._keeper._settings = GatewaySettings(max_sessions=2, claim_every_s=0.05)
    for _ in range(4):
        await house.linked()
    for _ in range(2):
        await house.bridge.next_peer()
    await rounds(house, 3)
    assert house.gateway.held == 2
