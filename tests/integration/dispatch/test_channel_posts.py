"""What can be posted in a channel."""

import pytest

from orchestrator.domain.channel import ChannelAction
from orchestrator.domain.content import (
    Content,
    Delete,
    Image,
    Location,
    MediaRef,
    Poll,
    Reaction,
    Text,
    plain_text,
)
from orchestrator.domain.errors import PonteError
from orchestrator.services.channels import ChannelService
from orchestrator.services.messages import SubmitText
from tests.support.desk import Desk
from tests.support.factories import Factories

CHANNEL = "120363000000000001@newsletter"


def post(desk: Desk, content: Content, to: str = CHANNEL) -> SubmitText:
    return SubmitText(desk.session_id, to, content.text, content=content)


@pytest.mark.parametrize("content", [plain_text("We are open"), Content(Image(MediaRef("m"), "look"))])
async def test_texts_and_files_leave_without_typing(desk: Desk, content: Content) -> None:
    message = await desk.messages.submit(desk.scope, post(desk, content))
    await desk.send_all()
    [(_, outgoing)] = desk.gateway.attempts
    assert (outgoing.chat_jid, outgoing.typing_ms) == (CHANNEL, 0)
    assert (await desk.messages.get(desk.scope, message.id)).contact.jid in ("", CHANNEL)
    assert await desk.status(message.id) == "SENT"


@pytest.mark.parametrize(
    ("content", "code", "field"),
    [
        (Content(Poll("?", ("a", "b"))), "CONTENT_NOT_SUPPORTED", ""),
        (Content(Location(1.0, 2.0)), "CONTENT_NOT_SUPPORTED", ""),
        (Content(Text("x"), reply_to="m"), "INVALID_ARGUMENT", "reply_to"),
        (Content(Text("x"), mentions=("+5511987654321",)), "INVALID_ARGUMENT", "mentions"),
        (Content(Text("x"), mention_all=True), "INVALID_ARGUMENT", "mention_all"),
        (Content(Image(MediaRef("m")), view_once=True), "INVALID_ARGUMENT", "view_once"),
        (Content(Text("x"), expiration_s=86_400), "INVALID_ARGUMENT", "expiration_s"),
    ],
)
async def test_what_no_channel_takes_is_refused(desk: Desk, content: Content, code: str, field: str) -> None:
    with pytest.raises(PonteError) as refused:
        await desk.messages.submit(desk.scope, post(desk, content))
    assert refused.value.code.name == code
    assert [violation.field for violation in refused.value.violations] == ([field] if field else [])


async def test_what_is_no_channels_jid_is_refused(desk: Desk) -> None:
    with pytest.raises(PonteError) as refused:
        await desk.messages.submit(desk.scope, post(desk, plain_text("x"), "news@newsletter"))
    assert refused.value.violations[0].field == "to"


async def test_a_post_is_neither_forwarded_into_a_channel_nor_changed(desk: Desk) -> None:
    sent = await desk.submit("Hello")
    posted = await desk.messages.submit(desk.scope, post(desk, plain_text("x")))
    await desk.send_all()
    forward = SubmitText(desk.session_id, CHANNEL, "", forward=sent)
    with pytest.raises(PonteError) as refused:
        await desk.messages.submit(desk.scope, forward)
    assert refused.value.violations[0].field == "forward"
    for body in (Delete(posted.id), Reaction(posted.id, "👍")):
        with pytest.raises(PonteError) as refused:
            await desk.messages.submit(desk.scope, SubmitText(desk.session_id, "", "", content=Content(body)))
        assert refused.value.code.name == "CONTENT_NOT_SUPPORTED"


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        (CHANNEL, CHANNEL),
        ("https://whatsapp.com/channel/0029VaAbCd", "0029VaAbCd"),
        ("whatsapp.com/channel/0029VaAbCd/", "0029VaAbCd"),
        ("https://www.whatsapp.com/channel/0029VaAbCd?src=x", "0029VaAbCd"),
        ("0029VaAbCd", "0029VaAbCd"),
    ],
)
async def test_a_channel_is_named_by_jid_link_or_code(desk: Desk, given: str, asked: str) -> None:
    service = ChannelService(desk.context, desk.gateway)
    found = await service.follow(desk.scope, "", given)
    assert found == desk.gateway.channel
    assert desk.gateway.channels_asked == [(desk.session_id, asked, ChannelAction.FOLLOW)]


async def test_what_names_no_channel_or_session_is_refused(desk: Desk, make: Factories) -> None:
    service = ChannelService(desk.context, desk.gateway)
    unlinked = await make.session(desk.scope)
    for session_id, channel, code in (
        ("", "https://example.com/x", "INVALID_ARGUMENT"),
        ("nothing", CHANNEL, "NOT_FOUND"),
        (unlinked.id, CHANNEL, "SESSION_NOT_LINKED"),
    ):
        with pytest.raises(PonteError) as refused:
            await service.look_up(desk.scope, session_id, channel)
        assert refused.value.code.name == code
    stranger = await make.company("Other")
    with pytest.raises(PonteError):
        await service.unfollow(stranger, desk.session_id, CHANNEL)
    assert desk.gateway.channels_asked == []
