"""Held sessions as services see them."""

import asyncio

import pytest

from orchestrator._generated.ponte.bridge.v1 import bridge_pb2 as pb
from orchestrator.domain.errors import PonteError
from orchestrator.domain.jid import ContactId
from orchestrator.domain.retry import Outcome
from orchestrator.services.ports import NumberCheck, OutgoingMessage
from tests.unit.gateway.conftest import MemoryHouse

CHAT = "5511987654321@s.whatsapp.net"
MESSAGE = OutgoingMessage("id", "3EB0", CHAT, "hello")


async def test_a_held_session_sends(house: MemoryHouse) -> None:
    session_id, _ = await house.connected()
    local = house.gateway.local
    assert local.holds(house.scope, session_id)
    answers = [answer async for answer in local.send_messages(house.scope, session_id, [MESSAGE])]
    assert [(answer.message_id, answer.report.outcome) for answer in answers] == [
        ("id", Outcome.ACKNOWLEDGED)
    ]
    assert answers[0].message_proto == b"hello"


async def test_another_companys_session_is_not_reached(house: MemoryHouse) -> None:
    session_id, _ = await house.connected()
    other = await house.make.company("Other")
    assert not house.gateway.local.holds(other, session_id)
    with pytest.raises(PonteError) as raised:
        await house.gateway.local.mark_read(other, session_id, CHAT, "", ["A"])
    assert raised.value.code.name == "GATEWAY_UNAVAILABLE"


async def test_a_session_that_is_not_connected_sends_nothing(house: MemoryHouse) -> None:
    row = await house.linked()
    peer = await house.bridge.next_peer()
    with pytest.raises(PonteError) as raised:
        [answer async for answer in house.gateway.local.send_messages(house.scope, row.id, [MESSAGE])]
    assert raised.value.code.name == "GATEWAY_UNAVAILABLE"
    assert peer.sent == []


async def test_numbers_are_checked(house: MemoryHouse) -> None:
    session_id, peer = await house.connected()
    asking = asyncio.create_task(house.gateway.local.check_numbers(house.scope, session_id, ["+1"]))
    command = await peer.next_command()
    assert command is not None
    check = pb.NumberCheck(phone_number="+1", on_whatsapp=True, contact=pb.ContactId(lid_jid="9@lid"))
    request_id = command.check_numbers.request_id
    peer.emit(numbers_checked=pb.NumbersChecked(request_id=request_id, checks=[check]))
    assert await asking == [NumberCheck("+1", True, ContactId("", "9@lid"))]


async def test_messages_are_shown_as_read(house: MemoryHouse) -> None:
    session_id, peer = await house.connected()
    asking = asyncio.create_task(house.gateway.local.mark_read(house.scope, session_id, CHAT, "", ["A", "B"]))
    command = await peer.next_command()
    assert command is not None
    assert list(command.mark_read.wa_message_ids) == ["A", "B"]
    peer.emit(marked_read=pb.MarkedRead(request_id=command.mark_read.request_id))
    await asking


async def test_a_pairing_code_needs_an_open_stream(house: MemoryHouse) -> None:
    row = await house.linked(state="PAIRING")
    peer = await house.bridge.next_peer()
    asking = asyncio.create_task(
        house.gateway.local.request_pairing_code(house.scope, row.id, "+5511900000001")
    )
    command = await peer.next_command()
    assert command is not None
    request = command.request_pairing_code
    assert request.phone_number == "+5511900000001"
    peer.emit(pairing_code=pb.PairingCode(request_id=request.request_id, code="ABCD1234"))
    assert await asking == "ABCD1234"
    with pytest.raises(PonteError):
        await house.gateway.local.request_pairing_code(house.scope, "unknown", "+5511900000001")
