"""What is taken in as a status, and whom it is shown to."""

from datetime import timedelta
from typing import Any

import pytest

from orchestrator.domain.content import (
    Content,
    Delete,
    Image,
    Location,
    MediaRef,
    Reaction,
    Text,
    from_values,
    to_values,
)
from orchestrator.domain.errors import PonteError
from orchestrator.domain.jid import STATUS_JID, ContactId
from orchestrator.services.contacts import ContactBook, Sighting
from orchestrator.services.messages import SubmitText
from orchestrator.services.suppressions import SuppressionService
from tests.support.clock import ManualClock
from tests.support.desk import Desk

ANA, BOB = "+5511987654321", "+5511987654322"


def status(desk: Desk, content: Content, **more: Any) -> SubmitText:
    return SubmitText(desk.session_id, STATUS_JID, content.text, content=content, **more)


def text(*audience: str, **more: Any) -> Content:
    return Content(Text("We are open"), audience=audience, **more)


async def test_it_leaves_to_the_statuses_with_its_audience_once_each(desk: Desk) -> None:
    message = await desk.messages.submit(desk.scope, status(desk, text(ANA, BOB, ANA)))
    await desk.send_all()
    [(_, outgoing)] = desk.gateway.attempts
    assert (outgoing.chat_jid, outgoing.typing_ms) == (STATUS_JID, 0)
    assert outgoing.content is not None
    assert outgoing.content.audience == (ANA, BOB)
    assert await desk.status(message.id) == "SENT"
    assert from_values(to_values(outgoing.content)) == outgoing.content


async def test_it_is_not_shown_to_whom_it_may_not(desk: Desk) -> None:
    await SuppressionService(desk.context).add(desk.scope, [ANA], "asked us", "test")
    await desk.messages.submit(desk.scope, status(desk, text(ANA, BOB)))
    await desk.send_all()
    assert [outgoing.content.audience for _, outgoing in desk.gateway.attempts if outgoing.content] == [
        (BOB,)
    ]
    with pytest.raises(PonteError) as refused:
        await desk.messages.submit(desk.scope, status(desk, text(ANA)))
    assert refused.value.code.name == "RECIPIENT_SUPPRESSED"


async def test_a_key_of_a_status_that_was_refused_stands_for_no_message(desk: Desk) -> None:
    service = SuppressionService(desk.context)
    await service.add(desk.scope, [ANA], "asked us", "test")
    asked = status(desk, text(ANA), idempotency_key="once")
    for _ in range(2):
        with pytest.raises(PonteError) as refused:
            await desk.messages.submit(desk.scope, asked)
        assert refused.value.code.name == "RECIPIENT_SUPPRESSED"


async def test_who_opts_out_before_it_leaves_is_not_shown_it_and_after_that_sees_it_go(
    desk: Desk, clock: ManualClock
) -> None:
    later = status(desk, text(ANA, BOB), send_at=clock() + timedelta(hours=1))
    message = await desk.messages.submit(desk.scope, later)
    service = SuppressionService(desk.context)
    await service.add(desk.scope, [ANA], "asked us", "test")
    clock.advance(3600)
    await desk.send_all()
    assert [outgoing.content.audience for _, outgoing in desk.gateway.attempts if outgoing.content] == [
        (BOB,)
    ]

    await service.add(desk.scope, [BOB], "asked us", "test")
    deletion = SubmitText(desk.session_id, STATUS_JID, "", content=Content(Delete(message.id)))
    await desk.messages.submit(desk.scope, deletion)
    await desk.send_all()
    outgoing = desk.gateway.attempts[-1][1]
    assert outgoing.content is not None
    assert (outgoing.content.kind, outgoing.content.audience) == ("delete", (ANA, BOB))


async def test_numbers_are_spelled_as_whatsapp_does(desk: Desk) -> None:
    async with desk.context.database.transaction(desk.scope) as tx:
        known = ContactId("553188887777@s.whatsapp.net", "9@lid")
        await ContactBook(desk.context).learn(tx, desk.scope, [Sighting(known)])
    await desk.messages.submit(desk.scope, status(desk, text("+5531988887777", "+553188887777")))
    await desk.send_all()
    assert [outgoing.content.audience for _, outgoing in desk.gateway.attempts if outgoing.content] == [
        ("+553188887777",)
    ]


@pytest.mark.parametrize(
    ("content", "code", "field"),
    [
        (text(), "INVALID_ARGUMENT", "audience"),
        (text(*(f"+55119{number:08d}" for number in range(1001))), "INVALID_ARGUMENT", "audience"),
        (text(ANA, "12"), "INVALID_PHONE_NUMBER", "audience[1]"),
        (text(ANA, expiration_s=86_400), "INVALID_ARGUMENT", "expiration_s"),
        (text(ANA, reply_to="m"), "INVALID_ARGUMENT", "reply_to"),
        (text(ANA, mentions=(BOB,)), "INVALID_ARGUMENT", "mentions"),
        (Content(Image(MediaRef("m")), audience=(ANA,), view_once=True), "INVALID_ARGUMENT", "view_once"),
        (Content(Location(1.0, 2.0), audience=(ANA,)), "CONTENT_NOT_SUPPORTED", ""),
    ],
)
async def test_what_cannot_be_posted_is_refused(desk: Desk, content: Content, code: str, field: str) -> None:
    with pytest.raises(PonteError) as refused:
        await desk.messages.submit(desk.scope, status(desk, content))
    assert refused.value.code.name == code
    assert [violation.field for violation in refused.value.violations] == ([field] if field else [])


async def test_only_a_status_has_an_audience_and_none_is_forwarded(desk: Desk) -> None:
    sent = await desk.submit("Hello")
    await desk.send_all()
    for command, field in (
        (SubmitText(desk.session_id, ANA, "x", content=text(ANA)), "audience"),
        (SubmitText(desk.session_id, STATUS_JID, "", forward=sent), "forward"),
    ):
        with pytest.raises(PonteError) as refused:
            await desk.messages.submit(desk.scope, command)
        assert refused.value.violations[0].field == field


async def test_it_can_be_deleted_by_those_whom_it_was_shown_to_and_nothing_else(desk: Desk) -> None:
    message = await desk.messages.submit(desk.scope, status(desk, text(ANA)))
    await desk.send_all()
    deletion = SubmitText(desk.session_id, "", "", content=Content(Delete(message.id)))
    await desk.messages.submit(desk.scope, deletion)
    await desk.send_all()
    outgoing = desk.gateway.attempts[-1][1]
    assert outgoing.content is not None
    assert (outgoing.chat_jid, outgoing.content.audience) == (STATUS_JID, (ANA,))
    reaction = SubmitText(desk.session_id, "", "", content=Content(Reaction(message.id, "👍")))
    with pytest.raises(PonteError) as refused:
        await desk.messages.submit(desk.scope, reaction)
    assert refused.value.violations[0].field == "reaction.message_id"
