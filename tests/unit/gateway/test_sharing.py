"""Gateways of one database share its sessions."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from orchestrator.bridge.memory import MemoryPeer
from orchestrator.domain.session import Lease, SessionState
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


async def test_what_stands_aside_holds_nothing_and_then_takes_its_share_back(
    house: MemoryHouse, second: Gateway
) -> None:
    await second.start()
    await connected_by(house, 4)
    async with house.gateway.aside():
        await reconnect(house, 2)
        assert (house.gateway.held, second.held) == (0, 4)
        await house.gateway._keeper._renew()
        assert (await GatewayGroup(house.context, "gateway-2", 100).share()).others == 0
    await reconnect(house, 2)
    assert (house.gateway.held, second.held) == (2, 2)


async def test_a_gateway_that_is_alone_keeps_its_sessions_when_it_stands_aside(house: MemoryHouse) -> None:
    _, peer = await house.connected()
    async with house.gateway.aside():
        row = await house.linked()
        await rounds(house, 3)
        assert house.gateway.held == 1
    assert (await house.bridge.next_peer()).opening.session_id == row.id
    assert house.gateway.held == 2
    assert not peer.over


async def rounds(house: MemoryHouse, count: int) -> None:
    """Wait until the first gateway's keeper has begun so many rounds from now on."""
    keeper, forget = house.gateway._keeper, house.gateway._keeper._forget_finished
    seen = 0

    def counting() -> None:
        nonlocal seen
        seen += 1
        forget()

    keeper._forget_finished = counting  # type: ignore[method-assign]  # this instance only

    async def enough() -> bool:
        return seen > count

    await until(enough)


async def test_what_was_claimed_while_a_stop_began_is_given_back(
    house: MemoryHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = house.gateway._keeper
    claim = keeper._runtime.claim
    row = await house.linked()

    async def late(*arguments: Any) -> list[Lease]:
        leases = await claim(*arguments)
        keeper._stopping = True
        return leases

    monkeypatch.setattr(keeper._runtime, "claim", late)
    house.gateway.ring(row.id)

    async def given_back() -> bool:
        lease = await house.runtime.find_lease(house.scope, row.id)
        return keeper._stopping and (lease is None or not lease.owner)

    await until(given_back)
    assert not house.bridge.peers
    assert house.gateway.held == 0


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
