"""Gateways of one database share its sessions."""

from collections.abc import AsyncIterator

import pytest

from orchestrator.bridge.memory import MemoryPeer
from orchestrator.domain.session import SessionState
from orchestrator.gateway.gateway import Gateway
from orchestrator.services.gateway_group import GatewayGroup
from tests.unit.gateway.conftest import ME, MY_LID, MemoryHouse, until


@pytest.fixture
async def second(house: MemoryHouse) -> AsyncIterator[Gateway]:
    """Another gateway on the same database and bridge; not started, rung as the first is."""
    gateway = Gateway(
        house.context, house.runtime, house.inbox, house.receipts, house.bridge, house.settings, "gateway-2"
    )
    house.bells.gateways.append(gateway)
    yield gateway
    await gateway.stop()


async def connected(house: MemoryHouse, count: int) -> dict[str, MemoryPeer]:
    """Sessions that the first gateway holds, connected."""
    return dict([await house.connected() for _ in range(count)])


async def reconnect(house: MemoryHouse, count: int) -> list[str]:
    """Let so many opened streams connect; gives their sessions."""
    moved = []
    for _ in range(count):
        peer = await house.bridge.next_peer()
        peer.connect(ME, MY_LID, "Acme")
        await house.reach(peer.opening.session_id, SessionState.CONNECTED)
        moved.append(peer.opening.session_id)
    return moved


async def test_a_gateway_that_joins_is_given_its_share(house: MemoryHouse, second: Gateway) -> None:
    held = await connected(house, 4)
    await second.start()
    moved = await reconnect(house, 2)
    assert set(moved) < set(held)
    assert (house.gateway.held, second.held) == (2, 2)


async def test_sessions_that_are_not_connected_stay_where_they_are(
    house: MemoryHouse, second: Gateway
) -> None:
    for _ in range(2):
        row = await house.linked()
        house.gateway.ring(row.id)
        await house.bridge.next_peer()
    await second.start()
    assert (await GatewayGroup(house.context, "gateway-1", 100).share()).sessions == 1
    opened = len(house.bridge.peers)
    for _ in range(3):
        house.gateway.ring("")
        await second._keeper._claim()
        await house.gateway._keeper._claim()
    assert (house.gateway.held, second.held) == (2, 0)
    assert len(house.bridge.peers) == opened


async def test_a_stop_hands_over_one_by_one(house: MemoryHouse, second: Gateway) -> None:
    await second.start()
    held = await connected_by(house, 4)
    opened = len(house.bridge.peers)
    await house.gateway.stop()
    moved = [(await house.bridge.next_peer()).opening.session_id for _ in range(2)]
    assert set(moved) < set(held)
    assert len(house.bridge.peers) == opened + 2
    assert (house.gateway.held, second.held) == (0, 4)


async def connected_by(house: MemoryHouse, count: int) -> list[str]:
    """Sessions that both gateways hold, connected."""
    for _ in range(count):
        row = await house.linked()
        await house.bells.session_changed(house.scope, row.id)
    return await reconnect(house, count)


async def test_a_gateway_that_died_counts_no_longer(house: MemoryHouse) -> None:
    await GatewayGroup(house.context, "gateway-2", 100).note_alive(8)
    for _ in range(4):
        await house.linked()
    group = GatewayGroup(house.context, "gateway-1", 100)
    assert (await group.share()).sessions == 2
    house.clock.advance(8)
    share = await group.share()
    assert (share.sessions, share.others) == (4, 0)

    async def all_held() -> bool:
        return house.gateway.held == 4

    await until(all_held)


async def test_the_bridge_is_told_for_how_long_sessions_are_held(house: MemoryHouse) -> None:
    await house.connected()
    longest = house.settings.lease_s - house.settings.lease_margin_s
    assert 0 < house.bridge.holds["gateway-1"] <= longest
