"""Two gateways on one database, reached from elsewhere by the address in the lease."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from orchestrator._generated.ponte.bridge.v1 import bridge_pb2 as pb
from orchestrator._generated.ponte.bridge.v1 import channel_pb2, chat_pb2, group_pb2, history_pb2
from orchestrator.bridge.memory import MemoryBridge, MemoryPeer
from orchestrator.domain.channel import Channel, ChannelAction
from orchestrator.domain.chat import ChatAction
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError
from orchestrator.domain.group.commands import LeaveGroup
from orchestrator.domain.imports import OlderThan
from orchestrator.domain.retry import Outcome
from orchestrator.gateway.gateway import Gateway
from orchestrator.gateway.router import GatewayRouter
from orchestrator.gateway.server import GatewayServer
from orchestrator.gateway.settings import GatewaySettings
from orchestrator.services.context import Context
from orchestrator.services.ports import OutgoingMessage
from orchestrator.services.session_runtime import SessionRuntime
from orchestrator.startup import StartupError
from tests.support.clock import START
from tests.support.factories import Factories
from tests.support.gateway_parts import RecordingInbox, RecordingReceipts
from tests.support.simulator import eventually

SECRET = "shared by all processes of the test"
CHAT = "5511987654321@s.whatsapp.net"
ME = "5511900000001@s.whatsapp.net"


def message(number: int) -> OutgoingMessage:
    return OutgoingMessage(f"id-{number}", f"3EB0{number}", CHAT, f"text {number}")


@dataclass
class RemoteHouse:
    """A gateway with its server, and a router of another process."""

    gateway: Gateway
    server: GatewayServer
    router: GatewayRouter
    bridge: MemoryBridge
    scope: CompanyScope
    address: str
    runtime: SessionRuntime
    make: Factories

    async def connected(self) -> tuple[str, MemoryPeer]:
        row = await self.make.linked_session(self.scope)
        self.gateway.ring(row.id)
        peer = await self.bridge.next_peer()
        peer.connect(ME)

        async def usable() -> bool:
            runner = self.gateway._keeper.runners.get(row.id)
            return runner is not None and runner.connected_stream is not None

        await eventually(usable)
        return row.id, peer


@pytest.fixture
async def house(context: Context, unused_port: int) -> AsyncIterator[RemoteHouse]:
    runtime, bridge, make = SessionRuntime(context), MemoryBridge(), Factories(context)
    address = f"127.0.0.1:{unused_port}"
    settings = GatewaySettings(address=address, secret=SECRET, claim_every_s=0.05)
    gateway = Gateway(context, runtime, RecordingInbox(), RecordingReceipts(), bridge, settings, "gateway-1")
    server = GatewayServer(gateway, address, SECRET)
    await server.start()
    await gateway.start()
    router = GatewayRouter(runtime, None, SECRET)
    yield RemoteHouse(gateway, server, router, bridge, await make.company(), address, runtime, make)
    await router.close()
    await gateway.stop()
    await server.stop(0)


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def test_messages_reach_the_gateway_that_holds_the_session(house: RemoteHouse) -> None:
    session_id, peer = await house.connected()
    sending = house.router.send_messages(house.scope, session_id, [message(1), message(2)])
    answers = [answer async for answer in sending]
    assert [(answer.message_id, answer.report.outcome) for answer in answers] == [
        ("id-1", Outcome.ACKNOWLEDGED),
        ("id-2", Outcome.ACKNOWLEDGED),
    ]
    assert answers[0].message_proto == b"text 1"
    assert answers[0].acknowledged_at is not None
    assert [sent.text.body for sent in peer.sent] == ["text 1", "text 2"]


async def test_answers_come_as_they_are_known(house: RemoteHouse) -> None:
    session_id, peer = await house.connected()
    peer.acknowledges = False
    other = OutgoingMessage("id-9", "3EB09", "1@s.whatsapp.net", "other chat")
    sending = house.router.send_messages(house.scope, session_id, [message(1), other])
    first = asyncio.ensure_future(anext(sending))

    async def both() -> bool:
        return len(peer.sent) == 2

    await eventually(both)
    peer.acknowledge(next(sent for sent in peer.sent if sent.wa_message_id == "3EB09"))
    assert (await first).message_id == "id-9"
    peer.acknowledge(next(sent for sent in peer.sent if sent.wa_message_id == "3EB01"))
    assert (await anext(sending)).message_id == "id-1"
    assert [answer async for answer in sending] == []


async def test_other_calls_reach_it_too(house: RemoteHouse) -> None:
    session_id, peer = await house.connected()
    asking = asyncio.create_task(house.router.check_numbers(house.scope, session_id, ["+1"]))
    command = await peer.next_command()
    assert command is not None
    check = pb.NumberCheck(
        phone_number="+1", on_whatsapp=True, contact=pb.ContactId(pn_jid="1@s.whatsapp.net")
    )
    peer.emit(numbers_checked=pb.NumbersChecked(request_id=command.check_numbers.request_id, checks=[check]))
    [number] = await asking
    assert (number.on_whatsapp, number.contact.pn_jid) == (True, "1@s.whatsapp.net")

    reading = asyncio.create_task(house.router.mark_read(house.scope, session_id, CHAT, "", ["A"]))
    command = await peer.next_command()
    assert command is not None
    peer.emit(marked_read=pb.MarkedRead(request_id=command.mark_read.request_id, error_code="RATE_LIMITED"))
    with pytest.raises(PonteError) as raised:
        await reading
    assert raised.value.code.name == "WHATSAPP_RATE_LIMITED"

    typing = asyncio.create_task(house.router.act_on_chat(house.scope, session_id, CHAT, ChatAction.TYPING))
    command = await peer.next_command()
    assert command is not None
    acted = command.act_on_chat
    assert (acted.chat_jid, acted.action) == (CHAT, chat_pb2.CHAT_ACTION_TYPING)
    peer.emit(chat_acted=chat_pb2.ChatActed(request_id=acted.request_id))
    await typing

    leaving_group = asyncio.create_task(
        house.router.manage_group(house.scope, session_id, LeaveGroup("1@g.us"))
    )
    command = await peer.next_command()
    assert command is not None
    managed = command.manage_group
    assert (managed.group_jid, managed.WhichOneof("action")) == ("1@g.us", "leave")
    refused = group_pb2.GroupManaged(request_id=managed.request_id, error_code="REFUSED", wa_code=404)
    peer.emit(group_managed=refused)
    with pytest.raises(PonteError) as raised:
        await leaving_group
    assert raised.value.code.name == "GROUP_GONE"

    coding = asyncio.create_task(house.router.request_pairing_code(house.scope, session_id, "+1"))
    command = await peer.next_command()
    assert command is not None
    request_id = command.request_pairing_code.request_id
    peer.emit(pairing_code=pb.PairingCode(request_id=request_id, code="ABCD1234"))
    assert await coding == "ABCD1234"

    leaving = asyncio.create_task(house.router.logout(house.scope, session_id))
    command = await peer.next_command()
    assert command is not None
    assert command.HasField("logout")
    peer.hang_up(401, "logged_out", intentional=True)
    await leaving


async def test_a_session_that_nobody_holds_is_unavailable(house: RemoteHouse) -> None:
    row = await house.make.linked_session(house.scope, desired_state="STOP")
    with pytest.raises(PonteError) as raised:
        await house.router.mark_read(house.scope, row.id, CHAT, "", ["A"])
    assert raised.value.code.name == "GATEWAY_UNAVAILABLE"


async def test_a_session_that_is_not_connected_is_unavailable_not_ambiguous(house: RemoteHouse) -> None:
    row = await house.make.linked_session(house.scope)
    await house.bridge.next_peer()
    with pytest.raises(PonteError) as raised:
        [answer async for answer in house.router.send_messages(house.scope, row.id, [message(1)])]
    assert raised.value.code.name == "GATEWAY_UNAVAILABLE"


async def test_a_gateway_that_is_gone_is_unavailable(house: RemoteHouse) -> None:
    session_id, _ = await house.connected()
    await house.server.stop(0)
    with pytest.raises(PonteError) as raised:
        [answer async for answer in house.router.send_messages(house.scope, session_id, [message(1)])]
    assert raised.value.code.name == "GATEWAY_UNAVAILABLE"


async def test_what_was_begun_when_the_gateway_was_lost_is_ambiguous(house: RemoteHouse) -> None:
    session_id, peer = await house.connected()
    peer.acknowledges = False
    sending = house.router.send_messages(house.scope, session_id, [message(1)])
    first = asyncio.ensure_future(anext(sending))
    assert await peer.next_command() is not None
    await house.server.stop(0)
    answer = await first
    assert (answer.report.outcome, answer.report.reason) == (Outcome.AMBIGUOUS, "gateway_lost")


async def test_a_moved_session_is_found_again_after_a_failure(house: RemoteHouse, context: Context) -> None:
    session_id, _ = await house.connected()
    await anext(house.router.send_messages(house.scope, session_id, [message(1)]))
    local = Gateway(
        context,
        house.runtime,
        RecordingInbox(),
        RecordingReceipts(),
        house.bridge,
        GatewaySettings(claim_every_s=0.05),
        "gateway-2",
    )
    router = GatewayRouter(house.runtime, local.local, SECRET)
    await house.gateway.stop()
    await local.start()
    (await house.bridge.next_peer()).connect(ME)

    async def sent() -> bool:
        try:
            sending = router.send_messages(house.scope, session_id, [message(2)])
            return [answer.report.outcome async for answer in sending] == [Outcome.ACKNOWLEDGED]
        except PonteError:
            return False

    await eventually(sent)
    await router.close()
    await local.stop()


async def test_without_the_secret_nobody_is_let_in(house: RemoteHouse) -> None:
    session_id, peer = await house.connected()
    stranger = GatewayRouter(house.runtime, None, "a guess")
    with pytest.raises(PonteError) as raised:
        [answer async for answer in stranger.send_messages(house.scope, session_id, [message(1)])]
    assert raised.value.code.name == "CREDENTIAL_INVALID"
    with pytest.raises(PonteError):
        await stranger.mark_read(house.scope, session_id, CHAT, "", ["A"])
    assert peer.sent == []
    await stranger.close()


async def test_another_companys_call_does_not_reach_the_session(house: RemoteHouse) -> None:
    session_id, peer = await house.connected()
    await anext(house.router.send_messages(house.scope, session_id, [message(1)]))
    other = await house.make.company("Other")
    house.router._addresses[other, session_id] = house.address
    with pytest.raises(PonteError) as raised:
        [answer async for answer in house.router.send_messages(other, session_id, [message(2)])]
    assert raised.value.code.name == "GATEWAY_UNAVAILABLE"
    assert len(peer.sent) == 1


async def test_a_taken_address_and_a_missing_secret_are_told(house: RemoteHouse) -> None:
    with pytest.raises(StartupError, match=house.address):
        await GatewayServer(house.gateway, house.address, SECRET).start()
    with pytest.raises(StartupError, match="secret"):
        GatewayServer(house.gateway, house.address, "")


async def test_channels_are_asked_about_through_the_gateway_that_holds_the_session(
    house: RemoteHouse,
) -> None:
    session_id, peer = await house.connected()
    following = asyncio.create_task(
        house.router.manage_channel(house.scope, session_id, "1@newsletter", ChannelAction.FOLLOW)
    )
    command = await peer.next_command()
    assert command is not None
    asked = command.manage_channel
    assert (asked.channel, asked.action) == ("1@newsletter", channel_pb2.CHANNEL_ACTION_FOLLOW)
    told = channel_pb2.Channel(jid="1@newsletter", name="News", followers=3, invite_code="I", role="ADMIN")
    peer.emit(channel_managed=channel_pb2.ChannelManaged(request_id=asked.request_id, channel=told))
    assert await following == Channel("1@newsletter", "News", "", 3, "I", "ADMIN")

    for code, raised_code in (("NOT_FOUND", "CHANNEL_NOT_FOUND"), ("RATE_LIMITED", "WHATSAPP_RATE_LIMITED")):
        looking = asyncio.create_task(
            house.router.manage_channel(house.scope, session_id, "2@newsletter", ChannelAction.READ)
        )
        command = await peer.next_command()
        assert command is not None
        request_id = command.manage_channel.request_id
        peer.emit(channel_managed=channel_pb2.ChannelManaged(request_id=request_id, error_code=code))
        with pytest.raises(PonteError) as raised:
            await looking
        assert raised.value.code.name == raised_code


async def test_a_phone_is_asked_for_older_messages_through_the_gateway_that_holds_the_session(
    house: RemoteHouse,
) -> None:
    session_id, peer = await house.connected()
    older_than = OlderThan(CHAT, "A1", from_me=True, sent_at=START, count=50)
    for code, raised_code in (("", ""), ("NOT_CONNECTED", "GATEWAY_UNAVAILABLE")):
        asking = asyncio.create_task(house.router.request_history(house.scope, session_id, older_than))
        command = await peer.next_command()
        assert command is not None
        asked = command.request_history
        assert (asked.chat_jid, asked.wa_message_id, asked.from_me, asked.count) == (CHAT, "A1", True, 50)
        assert asked.sent_at_ms == int(START.timestamp() * 1000)
        answer = history_pb2.HistoryRequested(request_id=asked.request_id, error_code=code)
        peer.emit(history_requested=answer)
        if not raised_code:
            await asking
            continue
        with pytest.raises(PonteError) as raised:
            await asking
        assert raised.value.code.name == raised_code
