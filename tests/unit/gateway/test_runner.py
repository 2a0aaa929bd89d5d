"""One held session: linking, connecting, closing, stopping."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from orchestrator._generated.ponte.bridge.v1 import bridge_pb2 as pb
from orchestrator.bridge.memory import MemoryPeer
from orchestrator.domain.errors import PonteError
from orchestrator.domain.session import SessionState
from orchestrator.gateway import event_pump, runner
from orchestrator.services.session_pairing import PairingMethod, PairingOffer
from orchestrator.services.session_runtime import RunPlan
from orchestrator.store import sessions
from tests.unit.gateway.conftest import ME, MY_LID, MemoryHouse, until


async def begin_pairing(
    house: MemoryHouse,
) -> tuple[str, "asyncio.Task[PairingOffer]", MemoryPeer]:
    session = await house.service.create(house.scope, "Sales")
    pairing = asyncio.create_task(house.service.pair(house.scope, session.id, PairingMethod.QR))
    return session.id, pairing, await house.bridge.next_peer()


def show_qr(house: MemoryHouse, peer: MemoryPeer, data: str) -> None:
    peer.show_qr(data, int((house.clock() + timedelta(seconds=60)).timestamp() * 1000))


async def test_a_number_is_linked_by_qr(house: MemoryHouse) -> None:
    session_id, pairing, peer = await begin_pairing(house)
    assert peer.opening.credentials_json is None
    show_qr(house, peer, "first")
    offer = await pairing
    assert (offer.qr, offer.expires_at) == ("first", house.clock() + timedelta(seconds=60))
    peer.emit(store_auth=pb.StoreAuth(request_id=1, credentials_json="linked"))
    stored = await peer.next_command()
    assert stored is not None
    assert stored.auth_stored.error_code == ""
    peer.link(ME, MY_LID)

    again = await house.bridge.next_peer()
    assert again.opening.credentials_json == "linked"
    again.connect(ME, MY_LID, "Acme")
    linked = await house.reach(session_id, SessionState.CONNECTED)
    assert (linked.me.pn_jid, linked.me.lid_jid, linked.push_name) == (ME, MY_LID, "Acme")
    assert linked.last_close is None

    async def rung() -> bool:
        return house.bells.messages == [(house.scope.company_id, session_id)]

    await until(rung)
    assert await house.event_types() == [
        "session.state",
        "session.qr",
        "session.state",
        "session.state",
        "session.connected",
    ]


async def test_each_new_qr_is_shown_and_told(house: MemoryHouse) -> None:
    session_id, pairing, peer = await begin_pairing(house)
    show_qr(house, peer, "first")
    await pairing
    show_qr(house, peer, "second")

    async def look() -> bool:
        return (await house.service.qr(house.scope, session_id)).data == "second"

    await until(look)
    again = await house.service.pair(house.scope, session_id, PairingMethod.QR)
    assert again.qr == "second"
    assert (await house.event_types()).count("session.qr") == 2


async def test_a_pairing_that_nobody_finished_is_over(house: MemoryHouse) -> None:
    session_id, pairing, peer = await begin_pairing(house)
    show_qr(house, peer, "first")
    await pairing
    peer.emit(store_auth=pb.StoreAuth(keys=[pb.AuthKey(type="pre-key", id="1", value_json="{}")]))
    await peer.next_command()
    peer.hang_up(408, "qr_expired")
    session = await house.reach(session_id, SessionState.NEW)
    assert session.last_close is not None
    assert (session.last_close.reason, session.last_close.permanent) == ("qr_expired", True)
    with pytest.raises(PonteError) as raised:
        await house.service.qr(house.scope, session_id)
    assert raised.value.code.name == "QR_NOT_AVAILABLE"
    assert (await house.events())[-1].data["reason"] == "qr_expired"
    keys = await house.runtime.load_keys(house.scope, session_id, "pre-key", ["1"])
    assert keys == []


async def test_a_pairing_that_whatsapp_refuses_says_so(house: MemoryHouse) -> None:
    _, pairing, peer = await begin_pairing(house)
    peer.hang_up(405, "outdated_client")
    with pytest.raises(PonteError, match="outdated_client") as raised:
        await pairing
    assert raised.value.code.name == "GATEWAY_UNAVAILABLE"


async def test_a_linked_phone_that_crashed_before_it_was_told_connects(house: MemoryHouse) -> None:
    session_id, pairing, peer = await begin_pairing(house)
    show_qr(house, peer, "first")
    await pairing
    peer.connect(ME)
    await house.reach(session_id, SessionState.CONNECTED)


async def test_a_lost_connection_comes_again(house: MemoryHouse) -> None:
    session_id, peer = await house.connected()
    peer.hang_up(428, "connection_closed")
    await house.reach(session_id, SessionState.RECONNECTING)
    house.clock.advance(10)
    house.gateway.ring(session_id)
    again = await house.bridge.next_peer()
    again.connect(ME)
    await house.reach(session_id, SessionState.CONNECTED)
    types = await house.event_types()
    assert types.count("session.closed") == 1
    assert types.count("session.connected") == 2


async def test_failures_in_a_row_are_kept_and_told_once(house: MemoryHouse) -> None:
    session_id, peer = await house.connected()

    async def failures() -> int:
        async with house.context.database.reading(house.scope) as tx:
            record = await sessions.find_record(tx, house.scope, session_id)
        assert record is not None
        return record.reconnect_failures

    for number in range(3):
        peer.hang_up(503, "service_unavailable")

        async def counted(expected: int = number + 1) -> bool:
            return await failures() == expected

        await until(counted)
        house.clock.advance(600)
        house.gateway.ring(session_id)
        peer = await house.bridge.next_peer()
    assert (await house.event_types()).count("session.closed") == 1


async def test_a_bridge_that_is_gone_is_a_lost_connection(house: MemoryHouse) -> None:
    session_id, peer = await house.connected()
    house.bridge.refuse = True
    peer.break_off()
    session = await house.reach(session_id, SessionState.RECONNECTING)
    assert session.last_close is not None
    assert session.last_close.reason == "bridge_lost"
    house.bridge.refuse = False
    house.clock.advance(600)
    house.gateway.ring(session_id)
    (await house.bridge.next_peer()).connect(ME)
    await house.reach(session_id, SessionState.CONNECTED)


@pytest.mark.parametrize(
    ("code", "reason", "state"),
    [
        (440, "replaced", SessionState.REPLACED),
        (403, "forbidden", SessionState.BANNED),
        (405, "outdated_client", SessionState.STOPPED),
    ],
)
async def test_what_a_person_must_mend_stays_down_until_started(
    house: MemoryHouse, code: int, reason: str, state: SessionState
) -> None:
    session_id, peer = await house.connected()
    peer.hang_up(code, reason)
    session = await house.reach(session_id, state)
    assert session.last_close is not None
    assert session.last_close.permanent
    assert session.last_close.advice
    await house.service.start(house.scope, session_id)
    (await house.bridge.next_peer()).connect(ME)
    await house.reach(session_id, SessionState.CONNECTED)


async def test_a_number_unlinked_on_the_phone_loses_its_credentials(house: MemoryHouse) -> None:
    session_id, peer = await house.connected()
    peer.emit(store_auth=pb.StoreAuth(credentials_json="linked"))
    await peer.next_command()
    peer.hang_up(401, "logged_out")
    session = await house.reach(session_id, SessionState.LOGGED_OUT)
    assert session.me.phone_number == ""
    assert await house.runtime.load_credentials(house.scope, session_id) is None


async def test_stopping_ends_the_stream_and_keeps_the_link(house: MemoryHouse) -> None:
    session_id, peer = await house.connected()
    peer.emit(store_auth=pb.StoreAuth(credentials_json="linked"))
    await peer.next_command()
    stopped = await house.service.stop(house.scope, session_id)
    assert stopped.state is SessionState.STOPPED
    assert await peer.next_command() is None
    assert (await house.events())[-1].data["reason"] == "stopped"

    await house.service.start(house.scope, session_id)
    again = await house.bridge.next_peer()
    assert again.opening.credentials_json == "linked"
    assert again.opening.fence > peer.opening.fence


async def test_logging_out_tells_whatsapp_then_forgets(house: MemoryHouse) -> None:
    session_id, peer = await house.connected()
    logging_out = asyncio.create_task(house.service.logout(house.scope, session_id))
    command = await peer.next_command()
    assert command is not None
    assert command.HasField("logout")
    peer.hang_up(401, "logged_out", intentional=True)
    session = await logging_out
    assert session.state is SessionState.LOGGED_OUT
    assert (await house.event_types()).count("session.closed") == 1


async def test_a_session_that_was_connected_when_its_gateway_died_reconnects(
    house: MemoryHouse,
) -> None:
    row = await house.linked(state=SessionState.CONNECTED.value)
    house.gateway.ring(row.id)
    peer = await house.bridge.next_peer()
    await house.reach(row.id, SessionState.RECONNECTING)
    peer.connect(ME)
    await house.reach(row.id, SessionState.CONNECTED)


async def test_a_gateway_that_stops_leaves_its_sessions_to_the_next(house: MemoryHouse) -> None:
    session_id, peer = await house.connected()
    await house.gateway.stop()
    assert await peer.next_command() is None
    assert (await house.service.get(house.scope, session_id)).state is SessionState.RECONNECTING
    assert await house.runtime.find_lease(house.scope, session_id) is None


async def test_sends_on_their_way_are_answered_before_a_stop(house: MemoryHouse) -> None:
    session_id, peer = await house.connected()
    peer.acknowledges = False
    stream = house.gateway._keeper.runners[session_id].connected_stream
    assert stream is not None
    send = asyncio.create_task(stream.send("3EB0", ME, "hello", 5))
    await peer.next_command()
    stopping = asyncio.create_task(house.gateway.stop())
    await asyncio.sleep(0.02)
    assert not stopping.done()
    peer.acknowledge(peer.sent[0])
    await stopping
    assert (await send).report.outcome == "ACKNOWLEDGED"


async def test_a_session_whose_fence_is_stale_is_let_go(house: MemoryHouse) -> None:
    session_id, peer = await house.connected()
    async with house.context.database.transaction(house.scope) as tx:
        await sessions.revoke_lease(tx, house.scope, session_id)
        await sessions.change(tx, house.scope, session_id, {"desired_state": "STOP"})
    peer.emit(store_auth=pb.StoreAuth(request_id=9, credentials_json="late"))
    answer = await peer.next_command()
    assert answer is not None
    assert answer.auth_stored.error_code == "STALE_FENCE"
    assert await peer.next_command() is None

    async def look() -> bool:
        return house.gateway.held == 0

    await until(look)


async def test_a_bridge_without_a_sign_of_life_is_given_up(
    house: MemoryHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_pump, "_BEYOND_CONNECT_S", -19.9)
    row = await house.linked()
    await house.bridge.next_peer()
    session = await house.reach(row.id, SessionState.RECONNECTING)
    assert session.last_close is not None
    assert session.last_close.reason == "connect_timeout"


async def test_a_fault_of_the_database_is_outlived(
    house: MemoryHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "_FIRST_FAULT_S", 0.01)
    plan, faults = house.runtime.plan, 0

    async def faulty(*arguments: Any) -> RunPlan | None:
        nonlocal faults
        faults += 1
        if faults < 4:
            raise OSError("the disk is away")
        return await plan(*arguments)

    monkeypatch.setattr(house.runtime, "plan", faulty)
    await house.linked()
    await house.bridge.next_peer()
    assert faults == 4


async def test_a_bridge_that_does_not_end_a_stream_is_dropped(
    house: MemoryHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "_END_S", 0.05)
    session_id, peer = await house.connected()

    async def ignore() -> None:
        pass

    monkeypatch.setattr(peer, "done_writing", ignore)
    await house.service.stop(house.scope, session_id)

    async def gone() -> bool:
        return peer.over and await house.runtime.find_lease(house.scope, session_id) is None

    await until(gone)


async def test_a_gateway_that_must_stop_at_once_drops_its_sessions(
    house: MemoryHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, peer = await house.connected()

    async def ignore() -> None:
        pass

    monkeypatch.setattr(peer, "done_writing", ignore)
    await house.gateway.stop(0.05)
    assert peer.over
    assert house.gateway.held == 0


async def test_a_lease_that_could_not_be_given_back_is_freed_later(
    house: MemoryHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id, _ = await house.connected()
    release, failed = house.runtime.release, False

    async def fails_once(*arguments: Any) -> None:
        nonlocal failed
        if not failed:
            failed = True
            raise OSError("the disk is away")
        await release(*arguments)

    monkeypatch.setattr(house.runtime, "release", fails_once)
    await house.service.stop(house.scope, session_id)

    async def free() -> bool:
        return await house.runtime.find_lease(house.scope, session_id) is None

    await until(free)
    assert failed


async def test_auth_state_that_cannot_be_stored_is_refused(
    house: MemoryHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_pump, "_PATIENCE_S", 0.2)
    _, peer = await house.connected()

    async def broken(*arguments: Any) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(event_pump, "_PATIENCE_S", 0.0)
    monkeypatch.setattr(house.runtime, "store_auth", broken)
    monkeypatch.setattr(house.runtime, "load_keys", broken)
    peer.emit(store_auth=pb.StoreAuth(request_id=1, credentials_json="{}"))
    written = await peer.next_command()
    peer.emit(get_auth=pb.GetAuth(request_id=2, type="session", ids=["a"]))
    read = await peer.next_command()
    assert written is not None
    assert read is not None
    assert written.auth_stored.error_code == "INTERNAL"
    assert read.auth_loaded.error_code == "INTERNAL"
