"""Inbound messages, recorded once."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.domain import errors
from orchestrator.domain.errors import PonteError
from orchestrator.domain.events import Event
from orchestrator.domain.inbound import InboundMessage
from orchestrator.domain.jid import ContactId
from orchestrator.domain.message import Direction, Message, MessageStatus
from orchestrator.domain.page import PageRequest
from orchestrator.services.inbox import InboxService
from orchestrator.services.messages import MessageFilter
from orchestrator.store import events
from orchestrator.store import messages as message_store
from tests.support.bells import RecordingBells
from tests.support.clock import START
from tests.support.desk import Desk
from tests.support.factories import Factories

PN = "5511987654321@s.whatsapp.net"
LID = "777@lid"
BOTH = ContactId(PN, LID)
FENCE = 3


@pytest.fixture
async def desk(desk: Desk, make: Factories) -> Desk:
    session = await make.linked_session(desk.scope, fence=FENCE)
    return replace(desk, session_id=session.id)


@pytest.fixture
def inbox(desk: Desk) -> InboxService:
    return InboxService(desk.context)


def _inbound(
    wa_message_id: str = "ABC", text: str = "Hi", contact: ContactId = BOTH, **more: object
) -> InboundMessage:
    message = InboundMessage(
        wa_message_id=wa_message_id,
        chat_jid=contact.lid_jid or contact.pn_jid,
        chat=contact,
        sender=contact,
        from_me=False,
        is_group=False,
        push_name="Ana",
        sent_at=START - timedelta(seconds=3),
        offline=False,
        message_proto=b"proto of " + wa_message_id.encode(),
        kind="text",
        text=text,
    )
    return replace(message, **more)  # type: ignore[arg-type]  # the fields of InboundMessage


async def _messages(desk: Desk) -> list[Message]:
    return list((await desk.messages.list(desk.scope, MessageFilter(), PageRequest(500))).items)[::-1]


async def _events(desk: Desk) -> list[Event]:
    async with desk.context.database.reading(desk.scope) as tx:
        return await events.list_after(tx, desk.scope, 0, 500)


async def test_a_message_is_stored_with_its_event_and_the_waiting_are_rung(
    desk: Desk, inbox: InboxService, bells: RecordingBells
) -> None:
    await inbox.record(desk.scope, desk.session_id, FENCE, _inbound(offline=True))
    [message] = await _messages(desk)
    assert (message.direction, message.status) == (Direction.INBOUND, MessageStatus.RECEIVED)
    assert (message.chat_jid, message.contact, message.text) == (PN, BOTH, "Hi")
    assert (message.push_name, message.offline) == ("Ana", True)
    [event] = await _events(desk)
    assert (event.type, event.sequence, event.chat_jid) == ("message.received", 1, PN)
    assert event.data["contact"] == {"phone_number": "+5511987654321", "jid": PN, "lid": LID}
    assert event.data["offline"] is True
    assert bells.events == [desk.scope.company_id]
    async with desk.context.database.reading(desk.scope) as tx:
        proto = await message_store.find_proto(tx, desk.scope, desk.session_id, "ABC")
    assert proto == b"proto of ABC"


async def test_what_is_delivered_again_succeeds_and_changes_nothing(desk: Desk, inbox: InboxService) -> None:
    for _ in range(3):
        await inbox.record(desk.scope, desk.session_id, FENCE, _inbound())
    await asyncio.gather(*(inbox.record(desk.scope, desk.session_id, FENCE, _inbound()) for _ in range(5)))
    assert len(await _messages(desk)) == 1
    assert len(await _events(desk)) == 1


async def test_many_at_once_are_each_recorded_once_in_order(desk: Desk, inbox: InboxService) -> None:
    await asyncio.gather(
        *(
            inbox.record(desk.scope, desk.session_id, FENCE, _inbound(f"M{number}", str(number)))
            for number in range(100)
            for _ in range(2)
        )
    )
    assert [message.text for message in await _messages(desk)] == [str(number) for number in range(100)]
    assert [event.sequence for event in await _events(desk)] == list(range(1, 101))


async def test_a_gateway_that_lost_the_session_is_refused(desk: Desk, inbox: InboxService) -> None:
    outcomes = await asyncio.gather(
        inbox.record(desk.scope, desk.session_id, FENCE - 1, _inbound("OLD")),
        inbox.record(desk.scope, desk.session_id, FENCE, _inbound("NEW")),
        inbox.record(desk.scope, "no-such-session", FENCE, _inbound("LOST")),
        return_exceptions=True,
    )
    assert [error.code for error in outcomes if isinstance(error, PonteError)] == [
        errors.STALE_FENCE,
        errors.NOT_FOUND,
    ]
    assert [message.wa_message_id for message in await _messages(desk)] == ["NEW"]


async def test_a_lid_of_a_known_number_is_put_into_the_numbers_chat(desk: Desk, inbox: InboxService) -> None:
    await inbox.record(desk.scope, desk.session_id, FENCE, _inbound("A", contact=BOTH))
    await inbox.record(desk.scope, desk.session_id, FENCE, _inbound("B", contact=ContactId(lid_jid=LID)))
    fresh = InboxService(desk.context)  # One that remembers nothing.
    await fresh.record(desk.scope, desk.session_id, FENCE, _inbound("C", contact=ContactId(lid_jid=LID)))
    assert [message.chat_jid for message in await _messages(desk)] == [PN] * 3


async def test_a_message_is_recognised_when_its_number_has_become_known_since(
    desk: Desk, inbox: InboxService
) -> None:
    await inbox.record(desk.scope, desk.session_id, FENCE, _inbound("A", contact=ContactId(lid_jid=LID)))
    await inbox.record(desk.scope, desk.session_id, FENCE, _inbound("A", contact=BOTH))
    [message] = await _messages(desk)
    assert message.chat_jid == PN


async def test_the_same_id_in_another_chat_is_another_message(desk: Desk, inbox: InboxService) -> None:
    await inbox.record(desk.scope, desk.session_id, FENCE, _inbound("A"))
    other = ContactId("5511900000009@s.whatsapp.net", "999@lid")
    await inbox.record(desk.scope, desk.session_id, FENCE, _inbound("A", contact=other))
    assert len(await _messages(desk)) == 2


async def test_what_the_companys_phone_sent_is_an_outbound_message_that_is_sent(
    desk: Desk, inbox: InboxService
) -> None:
    me = ContactId("5511900000001@s.whatsapp.net", "1@lid")
    for _ in range(2):
        await inbox.record(
            desk.scope, desk.session_id, FENCE, _inbound(from_me=True, sender=me, push_name="Me")
        )
    [message] = await _messages(desk)
    assert (message.direction, message.status, message.contact) == (
        Direction.OUTBOUND,
        MessageStatus.SENT,
        BOTH,
    )
    assert message.times.sent_at == START - timedelta(seconds=3)
    assert message.push_name == ""
    assert [event.type for event in await _events(desk)] == ["message.sent"]


async def test_the_echo_of_our_own_message_is_not_another(desk: Desk, inbox: InboxService) -> None:
    ours = await desk.messages.get(desk.scope, await desk.submit("Hello"))
    echo = _inbound(ours.wa_message_id, "Hello", from_me=True)
    await inbox.record(desk.scope, desk.session_id, FENCE, echo)
    assert [message.id for message in await _messages(desk)] == [ours.id]


async def test_a_groups_messages_stay_in_the_group_and_name_their_sender(
    desk: Desk, inbox: InboxService
) -> None:
    group = _inbound(is_group=True, chat_jid="120@g.us", chat=ContactId())
    await inbox.record(desk.scope, desk.session_id, FENCE, group)
    await inbox.record(desk.scope, desk.session_id, FENCE, group)
    [message] = await _messages(desk)
    assert (message.chat_jid, message.contact) == ("120@g.us", BOTH)


async def test_characters_that_databases_refuse_are_shown_as_replaced(
    desk: Desk, inbox: InboxService
) -> None:
    await inbox.record(desk.scope, desk.session_id, FENCE, _inbound(text="a\0b", push_name="A\0na"))
    [message] = await _messages(desk)
    assert (message.text, message.push_name) == ("a\ufffdb", "A\ufffdna")


async def test_other_content_keeps_its_kind(desk: Desk, inbox: InboxService) -> None:
    await inbox.record(desk.scope, desk.session_id, FENCE, _inbound(kind="imageMessage", text=""))
    [event] = await _events(desk)
    assert event.data["type"] == "imageMessage"
    assert "text" not in event.data
