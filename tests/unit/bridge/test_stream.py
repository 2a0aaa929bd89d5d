"""One session's stream: questions, answers, events and every way it can end."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from orchestrator._generated.ponte.bridge.v1 import bridge_pb2 as pb
from orchestrator._generated.ponte.bridge.v1 import standing_pb2
from orchestrator.bridge.memory import MemoryBridge, MemoryPeer
from orchestrator.bridge.messages import (
    AuthRead,
    AuthWrite,
    ContactsMapped,
    InboundArrived,
    Linked,
    MessageWanted,
    Opened,
    Opening,
    ReceiptArrived,
    StandingTold,
)
from orchestrator.bridge.stream import SessionStream
from orchestrator.domain.auth_state import AuthKey
from orchestrator.domain.closing import Closed
from orchestrator.domain.errors import PonteError
from orchestrator.domain.inbound import ReceiptKind
from orchestrator.domain.jid import ContactId
from orchestrator.domain.policy.signals import (
    CappingChanged,
    CappingLevel,
    RateLimited,
    ReachOutLocked,
    ReachOutUnlocked,
)
from orchestrator.domain.retry import Outcome
from orchestrator.domain.session import QrCode

OPENING = Opening("session", "company", 3, None, "ws://whatsapp", "Ponte", 1000, 1000)
CHAT = "5511987654321@s.whatsapp.net"


@pytest.fixture
def bridge() -> MemoryBridge:
    return MemoryBridge()


@pytest.fixture
async def stream(bridge: MemoryBridge) -> AsyncIterator[SessionStream]:
    stream = bridge.open(OPENING)
    yield stream
    await stream.drop()


@pytest.fixture
async def peer(bridge: MemoryBridge, stream: SessionStream) -> MemoryPeer:
    return await bridge.next_peer()


@pytest.fixture
async def reading(stream: SessionStream) -> AsyncIterator["asyncio.Task[Closed]"]:
    """Reads on until the stream closes, so that answers are taken."""

    async def read() -> Closed:
        while not isinstance(event := await stream.read(), Closed):
            pass
        return event

    task = asyncio.create_task(read())
    yield task
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_events_come_as_values(stream: SessionStream, peer: MemoryPeer) -> None:
    me = pb.ContactId(pn_jid="1@s.whatsapp.net", lid_jid="2@lid")
    peer.emit(qr=pb.QrCode(data="qr", expires_at_ms=1000))
    peer.emit(paired=pb.Paired(me=me, platform="android"))
    peer.emit(connected=pb.Connected(me=me, push_name="Acme"))
    peer.emit(
        store_auth=pb.StoreAuth(
            request_id=1,
            credentials_json="{}",
            keys=[
                pb.AuthKey(type="session", id="a", value_json="v"),
                pb.AuthKey(type="session", id="b"),
            ],
        )
    )
    peer.emit(get_auth=pb.GetAuth(request_id=2, type="session", ids=["a"]))
    peer.emit(get_message=pb.GetMessage(request_id=3, wa_message_id="3EB0"))
    peer.emit(contact_mapping=pb.ContactMapping(contacts=[me]))

    contact = ContactId("1@s.whatsapp.net", "2@lid")
    qr = await stream.read()
    assert isinstance(qr, QrCode)
    assert qr.expires_at.timestamp() == 1
    assert await stream.read() == Linked(contact, "android")
    assert await stream.read() == Opened(contact, "Acme")
    assert await stream.read() == AuthWrite(
        1, "{}", (AuthKey("session", "a", "v"), AuthKey("session", "b", None))
    )
    assert await stream.read() == AuthRead(2, "session", ("a",))
    assert await stream.read() == MessageWanted(3, "3EB0")
    assert await stream.read() == ContactsMapped((contact,))


async def test_how_whatsapp_sees_the_number_comes_as_signals(stream: SessionStream, peer: MemoryPeer) -> None:
    lock, capping = standing_pb2.ReachOutLock, standing_pb2.NewChatCapping
    for standing in (
        standing_pb2.AccountStanding(
            reach_out_lock=lock(is_active=True, ends_at_ms=1000),
            new_chat_capping=capping(
                total_quota=20, used_quota=5, cycle_ends_at_ms=2000, status="FIRST_WARNING"
            ),
        ),
        standing_pb2.AccountStanding(reach_out_lock=lock(is_active=True)),
        standing_pb2.AccountStanding(reach_out_lock=lock()),
        standing_pb2.AccountStanding(new_chat_capping=capping(total_quota=3, used_quota=5, status="NEWER")),
        standing_pb2.AccountStanding(new_chat_capping=capping(total_quota=-1, cycle_ends_at_ms=10**17)),
    ):
        peer.emit(account_standing=standing)
    peer.emit(rate_limited=standing_pb2.RateLimited())

    def at(seconds: int) -> datetime:
        return datetime.fromtimestamp(seconds, UTC)

    first = CappingChanged(CappingLevel.FIRST_WARNING, at(2), left=15)
    assert await stream.read() == StandingTold((ReachOutLocked(at(1)), first))
    assert await stream.read() == StandingTold((ReachOutLocked(None),))
    assert await stream.read() == StandingTold((ReachOutUnlocked(),))
    assert await stream.read() == StandingTold((CappingChanged(CappingLevel.CAPPED, left=0),))
    assert await stream.read() == StandingTold((CappingChanged(CappingLevel.NONE),))
    assert await stream.read() == StandingTold((RateLimited(),))


async def test_messages_and_receipts_come_as_values(stream: SessionStream, peer: MemoryPeer) -> None:
    peer.emit(
        inbound=pb.InboundMessage(
            request_id=4,
            company_id="company",
            session_id="session",
            wa_message_id="A1",
            chat_jid=CHAT,
            sender=pb.ContactId(pn_jid=CHAT),
            sent_at_ms=2000,
            offline=True,
            message_proto=b"proto",
            kind="text",
            text="hello",
        )
    )
    peer.emit(receipt=pb.Receipt(kind=pb.RECEIPT_KIND_UNSPECIFIED))
    peer.emit(
        receipt=pb.Receipt(
            company_id="company",
            session_id="session",
            wa_message_ids=["A1"],
            kind=pb.RECEIPT_KIND_ERROR,
            code=463,
            at_ms=3000,
            request_id=5,
        )
    )
    inbound, receipt = await stream.read(), await stream.read()
    assert isinstance(inbound, InboundArrived)
    assert (inbound.message.text, inbound.message.offline, inbound.message.sender.pn_jid) == (
        "hello",
        True,
        CHAT,
    )
    assert isinstance(receipt, ReceiptArrived)
    assert (receipt.receipt.kind, receipt.receipt.code) == (ReceiptKind.ERROR, 463)
    await stream.answer_receipts([receipt.request_id], "INTERNAL")
    command = await peer.next_command()
    assert command is not None
    assert (list(command.receipt_recorded.request_ids), command.receipt_recorded.error_code) == (
        [5],
        "INTERNAL",
    )


async def test_an_acknowledged_message_carries_its_proto(
    stream: SessionStream, peer: MemoryPeer, reading: "asyncio.Task[Closed]"
) -> None:
    result = await stream.send("3EB0", CHAT, "hello", 5)
    assert result.report.outcome is Outcome.ACKNOWLEDGED
    assert result.message_proto == b"hello"
    assert result.acknowledged_at is not None


async def test_a_message_that_is_not_answered_in_time_is_ambiguous(
    stream: SessionStream, peer: MemoryPeer, reading: "asyncio.Task[Closed]"
) -> None:
    peer.acknowledges = False
    result = await stream.send("3EB0", CHAT, "hello", 0.05)
    assert (result.report.outcome, result.report.reason) == (Outcome.AMBIGUOUS, "no_answer")


async def test_what_was_handed_over_when_the_stream_dies_is_ambiguous(
    stream: SessionStream, peer: MemoryPeer, reading: "asyncio.Task[Closed]"
) -> None:
    peer.acknowledges = False
    send = asyncio.create_task(stream.send("3EB0", CHAT, "hello", 5))
    await peer.next_command()
    peer.break_off()
    result = await send
    assert (result.report.outcome, result.report.reason) == (Outcome.AMBIGUOUS, "stream_ended")
    assert await reading == Closed(0, "bridge_lost", "the stream ended without a reason")


async def test_what_comes_after_the_end_is_not_sent(
    stream: SessionStream, peer: MemoryPeer, reading: "asyncio.Task[Closed]"
) -> None:
    peer.hang_up(428, "connection_closed")
    await reading
    result = await stream.send("3EB0", CHAT, "hello", 5)
    assert (result.report.outcome, result.report.reason) == (Outcome.NOT_SENT, "not_connected")


async def test_numbers_are_checked(
    stream: SessionStream, peer: MemoryPeer, reading: "asyncio.Task[Closed]"
) -> None:
    asking = asyncio.create_task(stream.check_numbers(["+1"], 5))
    command = await peer.next_command()
    assert command is not None
    peer.emit(
        numbers_checked=pb.NumbersChecked(
            request_id=command.check_numbers.request_id,
            checks=[pb.NumberCheck(phone_number="+1", on_whatsapp=True)],
        )
    )
    assert [(number.phone_number, number.on_whatsapp) for number in await asking] == [("+1", True)]


@pytest.mark.parametrize(
    ("bridge_code", "code"),
    [
        ("NOT_CONNECTED", "GATEWAY_UNAVAILABLE"),
        ("TIMED_OUT", "GATEWAY_UNAVAILABLE"),
        ("QUERY_FAILED", "GATEWAY_UNAVAILABLE"),
        ("RATE_LIMITED", "WHATSAPP_RATE_LIMITED"),
    ],
)
async def test_a_refused_question_is_an_error(
    stream: SessionStream,
    peer: MemoryPeer,
    reading: "asyncio.Task[Closed]",
    bridge_code: str,
    code: str,
) -> None:
    asking = asyncio.create_task(stream.request_pairing_code("+1", 5))
    command = await peer.next_command()
    assert command is not None
    peer.emit(
        pairing_code=pb.PairingCode(
            request_id=command.request_pairing_code.request_id, error_code=bridge_code
        )
    )
    with pytest.raises(PonteError) as raised:
        await asking
    assert raised.value.code.name == code


async def test_a_question_ends_with_its_time_or_its_stream(
    stream: SessionStream, peer: MemoryPeer, reading: "asyncio.Task[Closed]"
) -> None:
    with pytest.raises(PonteError, match=r"did not answer in 0\.05 s"):
        await stream.mark_read(CHAT, "", ["A1"], 0.05)
    asking = asyncio.create_task(stream.mark_read(CHAT, "", ["A1"], 5))
    await peer.next_command()
    await peer.next_command()
    peer.break_off()
    with pytest.raises(PonteError, match="connection to WhatsApp was lost"):
        await asking


async def test_ending_the_stream_closes_it_in_good_order(
    stream: SessionStream, peer: MemoryPeer, reading: "asyncio.Task[Closed]"
) -> None:
    await stream.answer_inbound(1)
    await stream.end()
    answered, ended = await peer.next_command(), await peer.next_command()
    assert answered is not None
    assert answered.inbound_recorded.request_id == 1
    assert ended is None
    assert (await reading).intentional


async def test_quiet_waits_for_answers(
    stream: SessionStream, peer: MemoryPeer, reading: "asyncio.Task[Closed]"
) -> None:
    peer.acknowledges = False
    send = asyncio.create_task(stream.send("3EB0", CHAT, "hello", 5))
    await peer.next_command()
    quiet = asyncio.create_task(stream.quiet())
    await asyncio.sleep(0)
    assert not quiet.done()
    peer.acknowledge(peer.sent[0])
    await send
    await quiet
