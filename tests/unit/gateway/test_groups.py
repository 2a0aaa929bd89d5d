"""Groups on a session's stream: changes are recorded and answered, all groups are read after connecting."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from orchestrator._generated.ponte.bridge.v1 import group_pb2 as pb
from orchestrator.bridge.memory import MemoryPeer
from orchestrator.domain.errors import PonteError
from orchestrator.domain.group.changes import ParticipantAction
from orchestrator.domain.group.commands import ChangeParticipants, CodedContact, ReadGroup
from orchestrator.domain.jid import ContactId
from orchestrator.domain.session import SessionState
from orchestrator.gateway.gateway import Gateway
from orchestrator.store import groups as group_store
from tests.unit.gateway.conftest import MemoryHouse, until

JID = "120363000000000001@g.us"
OTHER = "120363000000000002@g.us"
ANA = pb.GroupContact(pn_jid="5511911111111@s.whatsapp.net", lid_jid="911@lid")


def group(jid: str = JID, subject: str = "Ponte") -> pb.Group:
    return pb.Group(jid=jid, settings=pb.GroupSettings(subject=subject), owner=ANA, size=1)


async def recorded(peer: MemoryPeer) -> tuple[int, str]:
    command = await peer.next_command()
    assert command is not None
    return command.group_recorded.request_id, command.group_recorded.error_code


@pytest.fixture
async def reading_house(house: MemoryHouse) -> AsyncIterator[MemoryHouse]:
    """A house whose gateway reads all groups at once after connecting."""
    await house.gateway.stop()
    house.settings = replace(house.settings, groups_after_s=(0.0, 0.0))
    house.gateway = Gateway(
        house.context, house.runtime, house.inbox, house.receipts, house.bridge, house.settings, "gateway-2"
    )
    house.bells.gateways[:] = [house.gateway]
    await house.gateway.start()
    yield house
    await house.gateway.stop()


async def read_at(house: MemoryHouse, session_id: str) -> bool:
    async with house.context.database.reading(house.scope) as tx:
        return await group_store.last_reading(tx, house.scope, session_id) is not None


async def test_a_change_is_answered_once_it_is_durable(house: MemoryHouse) -> None:
    session_id, peer = await house.connected()
    peer.change_group(JID, 7, entered=group(), author=ANA)
    assert await recorded(peer) == (7, "")
    async with house.context.database.reading(house.scope) as tx:
        stored = await group_store.find(tx, house.scope, session_id, JID)
    assert stored is not None
    assert stored.known.group.settings.subject == "Ponte"
    assert "group.joined" in await house.event_types()


async def test_a_change_that_cannot_be_recorded_is_refused(
    house: MemoryHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, peer = await house.connected()

    async def fail(*_: object) -> None:
        raise ValueError("broken")

    monkeypatch.setattr(group_store, "find", fail)
    monkeypatch.setattr("orchestrator.gateway.event_pump._PATIENCE_S", 0.0)
    peer.change_group(JID, 7, entered=group())
    assert await recorded(peer) == (7, "INTERNAL")


async def test_a_change_of_another_session_is_refused(house: MemoryHouse) -> None:
    _, peer = await house.connected()
    changed = pb.GroupChanged(request_id=7, company_id="other", session_id="other", group_jid=JID)
    peer.emit(group_changed=changed)
    assert await recorded(peer) == (7, "NOT_FOUND")


async def test_a_command_reaches_the_bridge_and_its_answer_comes_back(house: MemoryHouse) -> None:
    session_id, peer = await house.connected()
    command = ChangeParticipants(JID, ParticipantAction.ADD, [ANA.pn_jid])
    asking = asyncio.create_task(house.gateway.local.manage_group(house.scope, session_id, command))
    taken = await peer.next_command()
    assert taken is not None
    assert taken.manage_group.change_participants.participant_jids == [ANA.pn_jid]
    result = pb.ParticipantResult(contact=ANA, wa_code=403)
    peer.emit(group_managed=pb.GroupManaged(request_id=taken.manage_group.request_id, participants=[result]))
    assert (await asking).participants == [CodedContact(ContactId(ANA.pn_jid, ANA.lid_jid), 403)]


async def test_a_refusal_is_raised(house: MemoryHouse) -> None:
    session_id, peer = await house.connected()
    asking = asyncio.create_task(house.gateway.local.manage_group(house.scope, session_id, ReadGroup(JID)))
    taken = await peer.next_command()
    assert taken is not None
    request_id = taken.manage_group.request_id
    peer.emit(group_managed=pb.GroupManaged(request_id=request_id, error_code="REFUSED", wa_code=403))
    with pytest.raises(PonteError) as refusal:
        await asking
    assert refusal.value.code.name == "GROUP_NOT_MEMBER"


async def test_all_groups_are_read_after_connecting_and_what_is_missing_was_left(
    reading_house: MemoryHouse,
) -> None:
    house = reading_house
    row = await house.linked()
    house.gateway.ring(row.id)
    peer = await house.bridge.next_peer()
    peer.groups = [group(), group(OTHER, "Old")]
    peer.connect("5511900000001@s.whatsapp.net", "95511900000001@lid")
    await until(lambda: read_at(house, row.id))
    assert [type_ for type_ in await house.event_types() if type_.startswith("group.")] == []

    house.clock.advance(3600)
    peer.hang_up(408, "connection_lost")
    await house.reach(row.id, SessionState.RECONNECTING)
    house.clock.advance(60)
    house.gateway.ring(row.id)
    again = await house.bridge.next_peer()
    again.groups = [group(subject="Bridge")]
    again.connect("5511900000001@s.whatsapp.net", "95511900000001@lid")

    async def news() -> list[tuple[str, str]] | None:
        found = [(event.type, event.chat_jid) for event in await house.events() if "group." in event.type]
        return found if len(found) == 2 else None

    assert await until(news) == [("group.updated", JID), ("group.left", OTHER)]


async def test_a_reading_that_fails_takes_nothing_for_left(reading_house: MemoryHouse) -> None:
    house = reading_house
    row = await house.linked()
    house.gateway.ring(row.id)
    peer = await house.bridge.next_peer()
    peer.groups = None
    peer.change_group(JID, 7, entered=group(), author=ANA)
    peer.connect("5511900000001@s.whatsapp.net", "95511900000001@lid")
    commands = [await peer.next_command(), await peer.next_command()]
    asked = next(one for one in commands if one is not None and one.HasField("manage_group"))
    request_id = asked.manage_group.request_id
    peer.emit(group_managed=pb.GroupManaged(request_id=request_id, error_code="TIMED_OUT"))
    peer.change_group(OTHER, 8, entered=group(OTHER), author=ANA)
    assert await recorded(peer) == (8, "")
    assert not await read_at(house, row.id)
    assert "group.left" not in await house.event_types()
