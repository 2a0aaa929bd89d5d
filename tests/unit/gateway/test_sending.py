"""Messages of one session: order per chat, a window across chats, an answer for each."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from orchestrator._generated.ponte.bridge.v1 import bridge_pb2 as pb
from orchestrator.bridge.memory import MemoryBridge, MemoryPeer
from orchestrator.bridge.messages import Opening
from orchestrator.bridge.stream import SessionStream
from orchestrator.domain.closing import Closed
from orchestrator.domain.retry import Outcome
from orchestrator.gateway.sending import Window, send_messages
from orchestrator.services.ports import OutgoingMessage, SendAnswer
from tests.unit.gateway.conftest import until

OPENING = Opening("session", "company", 1, None, "ws://whatsapp", "Ponte", 1000, 1000)


def message(chat: str, number: int) -> OutgoingMessage:
    return OutgoingMessage(f"{chat}{number}", f"wa-{chat}{number}", f"{chat}@s.whatsapp.net", f"{number}")


@pytest.fixture
async def stream() -> AsyncIterator[SessionStream]:
    stream = MemoryBridge().open(OPENING)
    yield stream
    await stream.drop()


@pytest.fixture
async def peer(stream: SessionStream) -> AsyncIterator[MemoryPeer]:
    async def read() -> None:
        while not isinstance(await stream.read(), Closed):
            pass

    peer = stream._wire
    assert isinstance(peer, MemoryPeer)
    reading = asyncio.create_task(read())
    yield peer
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)


async def send(stream: SessionStream, window: Window, *messages: OutgoingMessage) -> list[SendAnswer]:
    return [answer async for answer in send_messages(stream, window, messages, 5)]


def reject(peer: MemoryPeer, sent: pb.SendMessage, code: int = 463) -> None:
    peer.emit(
        send_result=pb.SendResult(request_id=sent.request_id, outcome=pb.SEND_OUTCOME_REJECTED, code=code)
    )


async def sent(peer: MemoryPeer, count: int) -> list[str]:
    """Wait until so many messages are at the bridge; gives their ids."""

    async def look() -> bool:
        return len(peer.sent) >= count

    await until(look)
    await asyncio.sleep(0)
    return [message.wa_message_id for message in peer.sent]


async def test_every_message_is_answered_in_the_order_of_its_chat(
    stream: SessionStream, peer: MemoryPeer
) -> None:
    messages = [message(chat, number) for number in range(3) for chat in "ab"]
    answers = await send(stream, Window(8), *messages)
    assert {answer.report.outcome for answer in answers} == {Outcome.ACKNOWLEDGED}
    for chat in "ab":
        assert [a.message_id for a in answers if a.message_id[0] == chat] == [f"{chat}{n}" for n in range(3)]


async def test_one_message_of_a_chat_is_in_flight(stream: SessionStream, peer: MemoryPeer) -> None:
    peer.acknowledges = False
    window = Window(8)
    sending = asyncio.create_task(send(stream, window, message("a", 0), message("a", 1), message("b", 0)))
    other = asyncio.create_task(send(stream, window, message("a", 2)))
    assert sorted(await sent(peer, 2)) == ["wa-a0", "wa-b0"]
    for position in range(4):
        await sent(peer, position + 1)
        peer.acknowledge(peer.sent[position])
    assert len(await sending) == 3
    assert len(await other) == 1
    assert len(peer.sent) == 4


async def test_the_window_bounds_what_is_in_flight(stream: SessionStream, peer: MemoryPeer) -> None:
    peer.acknowledges = False
    sending = asyncio.create_task(send(stream, Window(2), *(message(chat, 0) for chat in "abc")))
    assert len(await sent(peer, 2)) == 2
    peer.acknowledge(peer.sent[0])
    assert len(await sent(peer, 3)) == 3
    peer.acknowledge(peer.sent[1])
    peer.acknowledge(peer.sent[2])
    assert len(await sending) == 3


async def test_what_follows_a_refused_message_in_its_chat_is_not_attempted(
    stream: SessionStream, peer: MemoryPeer
) -> None:
    peer.acknowledges = False
    sending = asyncio.create_task(
        send(stream, Window(8), message("a", 0), message("a", 1), message("a", 2), message("b", 0))
    )
    await sent(peer, 2)
    reject(peer, next(m for m in peer.sent if m.wa_message_id == "wa-a0"))
    peer.acknowledge(next(m for m in peer.sent if m.wa_message_id == "wa-b0"))
    outcomes = {answer.message_id: answer.report for answer in await sending}
    assert (outcomes["a0"].outcome, outcomes["a0"].wa_code) == (Outcome.REJECTED, 463)
    assert [outcomes[i].outcome for i in ("a1", "a2")] == [Outcome.NOT_ATTEMPTED] * 2
    assert outcomes["b0"].outcome is Outcome.ACKNOWLEDGED


async def test_a_stream_that_dies_leaves_no_message_unanswered(
    stream: SessionStream, peer: MemoryPeer
) -> None:
    peer.acknowledges = False
    sending = asyncio.create_task(send(stream, Window(1), message("a", 0), message("a", 1), message("b", 0)))
    await sent(peer, 1)
    peer.break_off()
    outcomes = {answer.message_id: answer.report.outcome for answer in await sending}
    assert outcomes == {
        "a0": Outcome.AMBIGUOUS,
        "a1": Outcome.NOT_ATTEMPTED,
        "b0": Outcome.NOT_SENT,
    }


async def test_a_caller_that_goes_away_leaves_no_work(stream: SessionStream, peer: MemoryPeer) -> None:
    peer.acknowledges = False
    window = Window(1)
    sending = asyncio.create_task(send(stream, window, message("a", 0), message("b", 0)))
    await sent(peer, 1)
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    peer.acknowledges = True
    answers = await send(stream, window, message("c", 0))
    assert [answer.report.outcome for answer in answers] == [Outcome.ACKNOWLEDGED]
    assert "wa-b0" not in [message.wa_message_id for message in peer.sent]
