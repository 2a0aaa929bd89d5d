"""Read marks, typing and blocks reach the gateway of the session; what is not of the company does not."""

import pytest

from orchestrator.domain.chat import ChatAction
from orchestrator.domain.errors import PonteError
from orchestrator.domain.inbound import InboundMessage
from orchestrator.domain.jid import ContactId
from orchestrator.domain.page import PageRequest
from orchestrator.services.chats import ChatService
from orchestrator.services.inbox import InboxService
from orchestrator.services.messages import MessageFilter
from tests.support.clock import START
from tests.support.desk import Desk
from tests.support.factories import CUSTOMER, Factories

PN = "5511987654321@s.whatsapp.net"
ANA = ContactId(PN, "777@lid")
GROUP = "120363000000000000@g.us"
CHANNEL = "120363000000000001@newsletter"


@pytest.fixture
def chats(desk: Desk) -> ChatService:
    return ChatService(desk.context, desk.gateway)


async def _take(desk: Desk, wa_id: str, chat_jid: str = PN) -> str:
    """Record a message that came in; gives its id."""
    is_group = chat_jid in (GROUP, CHANNEL)
    inbound = InboundMessage(
        wa_message_id=wa_id,
        chat_jid=chat_jid,
        chat=ContactId() if is_group else ANA,
        sender=ContactId() if chat_jid == CHANNEL else ANA,
        from_me=False,
        is_group=is_group,
        push_name="Ana",
        sent_at=START,
        offline=False,
        message_proto=b"",
        kind="text",
        text="Hi",
    )
    await InboxService(desk.context).record(desk.scope, desk.session_id, 0, inbound)
    page = await desk.messages.list(desk.scope, MessageFilter(), PageRequest(1))
    return page.items[0].id


async def test_messages_are_marked_read_chat_by_chat(desk: Desk, chats: ChatService) -> None:
    ids = [await _take(desk, "A"), await _take(desk, "B", GROUP), await _take(desk, "C")]

    await chats.mark_read(desk.scope, ids)
    assert desk.gateway.read == [
        (desk.session_id, PN, "", ("A", "C")),
        (desk.session_id, GROUP, "777@lid", ("B",)),
    ]


async def test_a_post_of_a_channel_is_not_marked_as_read(desk: Desk, chats: ChatService) -> None:
    post = await _take(desk, "A", CHANNEL)
    with pytest.raises(PonteError) as refusal:
        await chats.mark_read(desk.scope, [post])
    assert refusal.value.violations[0].field == "message_ids[0]"
    assert desk.gateway.read == []


async def test_only_what_came_in_can_be_read(desk: Desk, chats: ChatService) -> None:
    sent = await desk.submit("Hello")
    for ids, code in (([sent], "INVALID_ARGUMENT"), ([], "INVALID_ARGUMENT"), (["nothing"], "NOT_FOUND")):
        with pytest.raises(PonteError) as refusal:
            await chats.mark_read(desk.scope, ids)
        assert refusal.value.code.name == code


async def test_another_companys_message_is_not_found(
    desk: Desk,
    chats: ChatService,
    make: Factories,
) -> None:
    theirs = await _take(desk, "A")
    stranger = await make.company("Other")

    with pytest.raises(PonteError) as refusal:
        await chats.mark_read(stranger, [theirs])
    assert refusal.value.code.name == "NOT_FOUND"


async def test_typing_and_blocks_go_to_the_only_session(desk: Desk, chats: ChatService) -> None:
    await chats.show(desk.scope, "", CUSTOMER, ChatAction.TYPING)
    await chats.show(desk.scope, desk.session_id, GROUP, ChatAction.PAUSED)
    await chats.block(desk.scope, "", "777@lid")
    await chats.unblock(desk.scope, "", CUSTOMER)
    await chats.watch_presence(desk.scope, "", CUSTOMER)

    assert desk.gateway.acted == [
        (desk.session_id, PN, ChatAction.TYPING),
        (desk.session_id, GROUP, ChatAction.PAUSED),
        (desk.session_id, "777@lid", ChatAction.BLOCK),
        (desk.session_id, PN, ChatAction.UNBLOCK),
        (desk.session_id, PN, ChatAction.WATCH_PRESENCE),
    ]


@pytest.mark.parametrize("chat", ["", "12", "@s.whatsapp.net", "1@nowhere"])
async def test_what_is_no_chat_is_refused(desk: Desk, chats: ChatService, chat: str) -> None:
    with pytest.raises(PonteError) as refusal:
        await chats.show(desk.scope, "", chat, ChatAction.TYPING)
    assert refusal.value.code.name in ("INVALID_ARGUMENT", "INVALID_PHONE_NUMBER")


async def test_a_group_is_not_blocked(desk: Desk, chats: ChatService) -> None:
    with pytest.raises(PonteError):
        await chats.block(desk.scope, "", GROUP)


async def test_a_session_that_is_not_linked_shows_nothing(
    desk: Desk,
    chats: ChatService,
    make: Factories,
) -> None:
    unlinked = await make.session(desk.scope)
    for session_id, code in ((unlinked.id, "SESSION_NOT_LINKED"), ("nothing", "NOT_FOUND")):
        with pytest.raises(PonteError) as refusal:
            await chats.show(desk.scope, session_id, CUSTOMER, ChatAction.TYPING)
        assert refusal.value.code.name == code
