"""Numbers with two spellings: one contact and one chat, by the name that WhatsApp has for it."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from orchestrator.domain import errors
from orchestrator.domain.content import plain_text
from orchestrator.domain.errors import PonteError
from orchestrator.domain.inbound import InboundMessage
from orchestrator.domain.jid import ContactId
from orchestrator.domain.message import Message
from orchestrator.domain.page import PageRequest
from orchestrator.services.contacts import ContactService
from orchestrator.services.context import SendingLimits
from orchestrator.services.inbox import InboxService
from orchestrator.services.messages import MessageFilter
from orchestrator.services.suppressions import NewOptIn, SuppressionService
from orchestrator.store.models import ContactRow
from tests.support.clock import START
from tests.support.desk import Desk

CONTACTS = ContactRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it

LONG, SHORT = "+5531987654321", "+553187654321"
LONG_JID, SHORT_JID = "5531987654321@s.whatsapp.net", "553187654321@s.whatsapp.net"
LID = "9553187654321@lid"
MEXICAN_LONG, MEXICAN_SHORT = "+5215512345678", "+525512345678"


async def messages_of(desk: Desk, chat: str) -> list[Message]:
    """The messages of a chat, oldest first."""
    page = await desk.messages.list(desk.scope, MessageFilter(chat=chat), PageRequest(50))
    return list(reversed(page.items))


async def contacts_of(desk: Desk) -> list[ContactId]:
    async with desk.context.database.reading(desk.scope) as tx:
        rows = await tx.connection.execute(select(CONTACTS.c.pn_jid, CONTACTS.c.lid_jid))
        return [ContactId(row.pn_jid, row.lid_jid) for row in rows]


async def write(desk: Desk, wa_id: str, chat: ContactId, text: str = "hi") -> None:
    """The contact writes, by WhatsApp's names for it."""
    message = InboundMessage(
        wa_message_id=wa_id,
        chat_jid=chat.pn_jid,
        sender=chat,
        chat=chat,
        from_me=False,
        is_group=False,
        push_name="",
        sent_at=START,
        kind="text",
        text=text,
        offline=False,
        message_proto=b"",
    )
    await InboxService(desk.context).record(desk.scope, desk.session_id, 0, message)


@pytest.mark.parametrize(
    ("written", "other", "canonical"),
    [
        (LONG, SHORT, SHORT),
        (SHORT, LONG, SHORT),
        (SHORT, LONG, LONG),
        (MEXICAN_SHORT, MEXICAN_LONG, MEXICAN_LONG),
        (MEXICAN_LONG, MEXICAN_SHORT, MEXICAN_SHORT),
    ],
)
async def test_both_spellings_reach_one_chat_by_whatsapps_name(
    desk: Desk, written: str, other: str, canonical: str
) -> None:
    desk.gateway.spelled = {LONG: canonical, SHORT: canonical} | {
        MEXICAN_LONG: canonical,
        MEXICAN_SHORT: canonical,
    }
    jid = f"{canonical[1:]}@s.whatsapp.net"
    await desk.submit("one", to=written)
    await desk.submit("two", to=written)
    await desk.send_all()
    await desk.submit("three", to=other)
    await desk.send_all()
    assert [message.chat_jid for _, message in desk.gateway.attempts] == [jid] * 3
    assert desk.gateway.checked == [written]
    for chat in (written, other, jid):
        found = await messages_of(desk, chat)
        assert [message.text for message in found] == ["one", "two", "three"]
        assert {message.chat_jid for message in found} == {jid}
        assert {message.contact for message in found} == {ContactId(jid, f"9{canonical[1:]}@lid")}
    assert await contacts_of(desk) == [ContactId(jid, f"9{canonical[1:]}@lid")]


async def test_who_wrote_first_is_answered_without_a_question(desk: Desk) -> None:
    await write(desk, "A", ContactId(SHORT_JID, LID))
    await desk.submit("answer", to=LONG)
    assert [message.text for message in await messages_of(desk, SHORT)] == ["hi", "answer"]
    await desk.send_all()
    assert [message.chat_jid for _, message in desk.gateway.attempts] == [SHORT_JID]
    assert desk.gateway.checked == []


async def test_another_process_learns_the_name_meanwhile(desk: Desk) -> None:
    await desk.submit("one", to=LONG)
    await write(desk, "A", ContactId(SHORT_JID, LID))
    await desk.submit("two", to=LONG)
    await desk.send_all()
    assert {message.chat_jid for _, message in desk.gateway.attempts} == {SHORT_JID}
    assert sorted(message.text for message in await messages_of(desk, LONG)) == ["hi", "one", "two"]


async def test_what_left_as_it_was_written_moves_when_the_contact_answers(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unanswered(*_: object) -> None:
        raise PonteError(errors.GATEWAY_UNAVAILABLE)

    monkeypatch.setattr(desk.gateway, "check_numbers", unanswered)
    sent = await desk.submit("hello", to=LONG)
    await desk.send_all()
    assert [message.chat_jid for _, message in desk.gateway.attempts] == [LONG_JID]
    assert await desk.status(sent) == "SENT"
    await write(desk, "A", ContactId(SHORT_JID, LID))
    for chat in (LONG, SHORT):
        assert [message.text for message in await messages_of(desk, chat)] == ["hello", "hi"]
    assert await contacts_of(desk) == [ContactId(SHORT_JID, LID)]


async def test_past_the_cap_of_questions_it_leaves_as_it_was_written(desk: Desk) -> None:
    desk.adopt(replace(desk.context, sending_limits=SendingLimits.ENFORCED))
    desk.gateway.spelled = {LONG: SHORT}
    numbers = [f"+351912345{index:03d}" for index in range(20)]
    await ContactService(desk.context, desk.gateway).check(desk.scope, desk.session_id, numbers)
    await desk.submit("hello", to=LONG)
    await desk.send_all()
    assert [message.chat_jid for _, message in desk.gateway.attempts] == [LONG_JID]
    assert desk.gateway.checked == numbers


async def test_near_the_cap_as_many_are_asked_about_as_may_be(desk: Desk) -> None:
    desk.adopt(replace(desk.context, sending_limits=SendingLimits.ENFORCED))
    numbers = [f"+351912345{index:03d}" for index in range(19)]
    await ContactService(desk.context, desk.gateway).check(desk.scope, desk.session_id, numbers)
    for number in (LONG, "+5531987654322"):
        await desk.submit("hello", to=number)
    await desk.send_all()
    assert len(desk.gateway.attempts) == 2
    assert len(desk.gateway.checked) == 20


async def test_only_numbers_with_two_spellings_are_asked_about(desk: Desk) -> None:
    for number in ("+351912345678", "+553132221111"):
        await desk.submit("hello", to=number)
    await desk.send_all()
    assert len(desk.gateway.attempts) == 2
    assert desk.gateway.checked == []


async def test_a_number_without_an_account_is_tried_as_it_was_written(desk: Desk) -> None:
    desk.gateway.not_on_whatsapp = {LONG}
    await desk.submit("hello", to=LONG)
    await desk.send_all()
    assert [message.chat_jid for _, message in desk.gateway.attempts] == [LONG_JID]


async def test_an_answer_about_one_spelling_answers_for_the_other(desk: Desk) -> None:
    desk.gateway.spelled = {LONG: SHORT}
    service = ContactService(desk.context, desk.gateway)
    [first] = await service.check(desk.scope, desk.session_id, [LONG])
    [second] = await service.check(desk.scope, desk.session_id, [SHORT])
    assert first.contact == second.contact == ContactId(SHORT_JID, LID)
    assert (first.phone_number, second.phone_number) == (LONG, SHORT)
    assert desk.gateway.checked == [LONG]
    found = await service.list_known(desk.scope, LONG, PageRequest(5))
    assert [known.contact for known in found.items] == [ContactId(SHORT_JID, LID)]


@pytest.mark.parametrize(("listed", "written"), [(LONG, SHORT), (SHORT, LONG)])
async def test_the_suppression_list_holds_for_each_spelling(desk: Desk, listed: str, written: str) -> None:
    waiting = await desk.submit("before", to=written)
    service = SuppressionService(desk.context)
    _, cancelled = await service.add(desk.scope, [listed], "", "admin")
    assert cancelled == 1
    assert await desk.status(waiting) == "CANCELLED"
    with pytest.raises(PonteError) as refused:
        await desk.submit("after", to=written)
    assert refused.value.code is errors.RECIPIENT_SUPPRESSED
    assert len((await service.list(desk.scope, written, PageRequest(5))).items) == 1
    assert await service.remove(desk.scope, written, "admin") == 1
    await desk.submit("again", to=listed)


async def test_a_reply_may_name_its_chat_in_either_spelling(desk: Desk) -> None:
    await write(desk, "A", ContactId(SHORT_JID, LID))
    [asked] = await messages_of(desk, SHORT)
    answer = replace(plain_text("answer"), reply_to=asked.id)
    await desk.submit("", to=LONG, content=answer)
    assert [message.text for message in await messages_of(desk, SHORT)] == ["hi", "answer"]
    with pytest.raises(PonteError) as refused:
        await desk.submit("", to="+5531987654322", content=answer)
    assert refused.value.violations[0].field == "reply_to"


async def test_an_opt_in_holds_for_each_spelling(desk: Desk) -> None:
    service = SuppressionService(desk.context)
    await service.record_opt_ins(desk.scope, [NewOptIn(LONG, "form")], "admin")
    assert len((await service.list_opt_ins(desk.scope, SHORT, PageRequest(5))).items) == 1
