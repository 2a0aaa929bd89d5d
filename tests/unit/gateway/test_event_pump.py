"""Events of one stream: made durable, then answered."""

import asyncio

import pytest

from orchestrator._generated.ponte.bridge.v1 import bridge_pb2 as pb
from orchestrator._generated.ponte.bridge.v1 import call_pb2, chat_pb2
from orchestrator.bridge.memory import MemoryPeer
from orchestrator.domain import errors
from orchestrator.domain.errors import PonteError
from orchestrator.domain.jid import ContactId
from orchestrator.gateway import event_pump
from orchestrator.store import contacts
from tests.unit.gateway.conftest import MemoryHouse, until

CUSTOMER = "5511987654321@s.whatsapp.net"


def arrive(
    house: MemoryHouse,
    peer: MemoryPeer,
    request_id: int,
    text: str,
    *,
    company_id: str = "",
    chat: str = CUSTOMER,
) -> None:
    peer.emit(
        inbound=pb.InboundMessage(
            request_id=request_id,
            company_id=company_id or house.scope.company_id,
            session_id=peer.opening.session_id,
            wa_message_id=f"wa-{request_id}",
            chat_jid=chat,
            sent_at_ms=1000,
            kind="text",
            text=text,
        )
    )


async def answers(peer: MemoryPeer, count: int) -> dict[int, str]:
    """Error codes of so many answers to inbound messages and receipts, by request."""
    found: dict[int, str] = {}
    while len(found) < count:
        command = await peer.next_command()
        assert command is not None
        if command.HasField("receipt_recorded"):
            answer = command.receipt_recorded
            found |= dict.fromkeys(answer.request_ids, answer.error_code)
        else:
            found[command.inbound_recorded.request_id] = command.inbound_recorded.error_code
    return found


async def test_an_inbound_message_is_recorded_then_answered(house: MemoryHouse) -> None:
    session_id, peer = await house.connected()
    arrive(house, peer, 1, "hello")
    assert await answers(peer, 1) == {1: ""}
    assert [(id_, message.text) for id_, message in house.inbox.messages] == [(session_id, "hello")]


async def test_an_inbound_message_that_cannot_be_recorded_is_refused(
    house: MemoryHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_pump, "_PATIENCE_S", 0.2)
    _, peer = await house.connected()
    house.inbox.error = RuntimeError("the disk is full")
    arrive(house, peer, 1, "hello")
    assert await answers(peer, 1) == {1: "INTERNAL"}
    house.inbox.error = PonteError(errors.STALE_FENCE)
    arrive(house, peer, 2, "hello")
    assert await answers(peer, 1) == {2: "STALE_FENCE"}


async def test_what_comes_while_the_database_is_away_is_recorded_in_order_when_it_is_back(
    house: MemoryHouse,
) -> None:
    session_id, peer = await house.connected()
    house.inbox.error = house.receipts.error = ConnectionRefusedError()
    for number in range(3):
        arrive(house, peer, number + 1, f"text {number}")
    peer.emit(
        receipt=pb.Receipt(
            company_id=house.scope.company_id,
            session_id=session_id,
            wa_message_ids=["A"],
            kind=pb.RECEIPT_KIND_READ,
            request_id=4,
        )
    )

    async def both_refused() -> bool:
        return house.inbox.refused > 0 and house.receipts.refused > 0

    await until(both_refused)
    house.inbox.error = house.receipts.error = None
    assert await answers(peer, 4) == {1: "", 2: "", 3: "", 4: ""}
    assert house.inbox.texts == ["text 0", "text 1", "text 2"]
    assert [receipt.wa_message_ids for receipt in house.receipts.receipts] == [("A",)]


async def test_a_receipt_that_cannot_be_recorded_is_answered_so(
    house: MemoryHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_pump, "_PATIENCE_S", 0.2)
    session_id, peer = await house.connected()
    house.receipts.error = RuntimeError("the disk is full")
    receipt = pb.Receipt(
        company_id=house.scope.company_id,
        session_id=session_id,
        wa_message_ids=["A"],
        kind=pb.RECEIPT_KIND_READ,
        request_id=1,
    )
    peer.emit(receipt=receipt)
    assert await answers(peer, 1) == {1: "INTERNAL"}
    house.receipts.error = PonteError(errors.NOT_FOUND)
    receipt.request_id = 2
    peer.emit(receipt=receipt)
    assert await answers(peer, 1) == {2: "NOT_FOUND"}


async def test_events_of_another_company_are_refused(house: MemoryHouse) -> None:
    _, peer = await house.connected()
    other = await house.make.company("Other")
    arrive(house, peer, 1, "hello", company_id=other.company_id)
    peer.emit(
        receipt=pb.Receipt(
            company_id=other.company_id,
            session_id=peer.opening.session_id,
            wa_message_ids=["A"],
            kind=pb.RECEIPT_KIND_READ,
            request_id=3,
        )
    )
    arrive(house, peer, 2, "ours")
    assert await answers(peer, 3) == {1: "NOT_FOUND", 2: "", 3: "NOT_FOUND"}
    assert house.inbox.texts == ["ours"]
    assert house.receipts.receipts == []


async def test_chats_keep_their_order_and_do_not_wait_for_each_other(house: MemoryHouse) -> None:
    _, peer = await house.connected()
    gate = asyncio.Event()
    record = house.inbox.record

    async def slow_for_customer(*arguments: object) -> None:
        if getattr(arguments[3], "chat_jid", "") == CUSTOMER:
            await gate.wait()
        await record(*arguments)  # type: ignore[arg-type]  # passed on as they came

    house.inbox.record = slow_for_customer  # type: ignore[method-assign, assignment]  # here only
    for number in range(3):
        arrive(house, peer, number + 1, f"slow {number}")
    arrive(house, peer, 9, "quick", chat="1@s.whatsapp.net")
    assert await answers(peer, 1) == {9: ""}
    gate.set()
    await answers(peer, 3)
    assert house.inbox.texts == ["quick", "slow 0", "slow 1", "slow 2"]


async def test_receipts_are_recorded_in_order(house: MemoryHouse) -> None:
    session_id, peer = await house.connected()
    for number in range(50):
        peer.emit(
            receipt=pb.Receipt(
                company_id=house.scope.company_id,
                session_id=session_id,
                wa_message_ids=[f"A{number}"],
                kind=pb.RECEIPT_KIND_DELIVERED,
                at_ms=1000,
                request_id=number,
            )
        )
    assert await answers(peer, 49) == dict.fromkeys(range(1, 50), "")
    assert [receipt.wa_message_ids[0] for receipt in house.receipts.receipts] == [f"A{n}" for n in range(50)]


async def test_auth_state_is_stored_and_read_back(house: MemoryHouse) -> None:
    _, peer = await house.connected()
    keys = [
        pb.AuthKey(type="session", id="a", value_json="1"),
        pb.AuthKey(type="session", id="b", value_json="2"),
    ]
    peer.emit(store_auth=pb.StoreAuth(request_id=1, keys=keys))
    peer.emit(store_auth=pb.StoreAuth(request_id=2, keys=[pb.AuthKey(type="session", id="a")]))
    for request_id in (1, 2):
        command = await peer.next_command()
        assert command is not None
        assert (command.auth_stored.request_id, command.auth_stored.error_code) == (request_id, "")
    peer.emit(get_auth=pb.GetAuth(request_id=3, type="session", ids=["a", "b"]))
    command = await peer.next_command()
    assert command is not None
    assert [(key.id, key.value_json) for key in command.auth_loaded.keys] == [("b", "2")]


async def test_a_sent_message_is_found_again_for_baileys(house: MemoryHouse) -> None:
    _, peer = await house.connected()
    session = await house.linked(desired_state="STOP")
    session.id = peer.opening.session_id
    await house.make.message(house.scope, session, wa_message_id="known", proto=b"as sent")
    peer.emit(get_message=pb.GetMessage(request_id=1, wa_message_id="known"))
    peer.emit(get_message=pb.GetMessage(request_id=2, wa_message_id="unknown"))
    found: dict[int, bytes | None] = {}
    for _ in range(2):
        command = await peer.next_command()
        assert command is not None
        answer = command.stored_message
        found[answer.request_id] = answer.message_proto if answer.HasField("message_proto") else None
    assert found == {1: b"as sent", 2: None}


async def test_both_names_of_a_contact_are_remembered(house: MemoryHouse) -> None:
    _, peer = await house.connected()
    peer.emit(contact_mapping=pb.ContactMapping(contacts=[pb.ContactId(pn_jid=CUSTOMER, lid_jid="77@lid")]))

    async def look() -> bool:
        async with house.context.database.reading(house.scope) as tx:
            found = await contacts.find(tx, house.scope, ["77@lid"])
        return [stored.contact for stored in found] == [ContactId(CUSTOMER, "77@lid")]

    await until(look)


async def test_a_call_is_recorded_with_its_event_then_answered(house: MemoryHouse) -> None:
    session_id, peer = await house.connected()

    async def tell(request_id: int, step: call_pb2.CallStep.ValueType, company_id: str) -> str:
        peer.emit(
            call=call_pb2.Call(
                request_id=request_id,
                company_id=company_id,
                session_id=session_id,
                wa_call_id="A1",
                caller_pn_jid=CUSTOMER,
                step=step,
                at_ms=1000,
            )
        )
        command = await peer.next_command()
        assert command is not None
        assert command.call_recorded.request_id == request_id
        return command.call_recorded.error_code

    ours = house.scope.company_id
    assert await tell(1, call_pb2.CALL_STEP_TERMINATED, ours) == ""
    assert await tell(2, call_pb2.CALL_STEP_OFFERED, "another") == "NOT_FOUND"
    assert await tell(3, call_pb2.CALL_STEP_OFFERED, ours) == ""
    assert await tell(4, call_pb2.CALL_STEP_OFFERED, ours) == ""
    assert await tell(5, call_pb2.CALL_STEP_TERMINATED, ours) == ""
    calls = [event for event in await house.events() if event.type.startswith("call.")]
    assert [(event.type, event.chat_jid) for event in calls] == [
        ("call.received", CUSTOMER),
        ("call.ended", CUSTOMER),
    ]


async def test_a_call_that_cannot_be_recorded_is_answered_so(
    house: MemoryHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_pump, "_PATIENCE_S", 0.2)
    session_id, peer = await house.connected()
    failures = [PonteError(errors.STALE_FENCE), RuntimeError("the disk is full")]
    for failure in failures:

        async def fail(*_: object, error: Exception = failure) -> None:
            raise error

        monkeypatch.setattr(house.runtime, "record_call", fail)
        peer.emit(
            call=call_pb2.Call(
                request_id=1,
                company_id=house.scope.company_id,
                session_id=session_id,
                wa_call_id="A1",
                step=call_pb2.CALL_STEP_OFFERED,
            )
        )
        command = await peer.next_command()
        assert command is not None
        expected = "STALE_FENCE" if failure is failures[0] else "INTERNAL"
        assert command.call_recorded.error_code == expected


async def test_what_a_contact_shows_is_told_and_what_is_of_another_company_is_not(house: MemoryHouse) -> None:
    session_id, peer = await house.connected()
    ours = house.scope.company_id

    def show(presence: chat_pb2.Presence.ValueType, company_id: str = ours) -> None:
        peer.emit(
            presence_told=chat_pb2.PresenceTold(
                company_id=company_id,
                session_id=session_id,
                chat_jid=CUSTOMER,
                contact_pn_jid=CUSTOMER,
                presence=presence,
                last_seen_at_ms=1000 if presence == chat_pb2.PRESENCE_UNAVAILABLE else 0,
            )
        )

    show(chat_pb2.PRESENCE_TYPING, "another")
    show(chat_pb2.PRESENCE_UNSPECIFIED)
    show(chat_pb2.PRESENCE_TYPING)
    show(chat_pb2.PRESENCE_UNAVAILABLE)

    async def told() -> list[tuple[object, object]]:
        found = [event.data for event in await house.events() if event.type == "contact.presence"]
        return [(data["presence"], data.get("last_seen_at")) for data in found] if len(found) == 2 else []

    assert await until(told) == [("TYPING", None), ("UNAVAILABLE", "1970-01-01T00:00:01Z")]
