"""Opt-out words: acted on in the transaction that records them."""

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.domain import errors
from orchestrator.domain.errors import PonteError
from orchestrator.domain.inbound import InboundMessage
from orchestrator.domain.jid import ContactId
from orchestrator.domain.message import Lane
from orchestrator.domain.number_spelling import all_names
from orchestrator.domain.page import PageRequest
from orchestrator.services.context import SendingLimits
from orchestrator.services.inbox import InboxService
from orchestrator.services.messages import MessageFilter
from orchestrator.store import audit, chat_policy, consent, events
from orchestrator.store.audit import AuditFilter
from orchestrator.store.chat_policy import Exchanged
from tests.support.clock import START
from tests.support.desk import Desk
from tests.support.factories import CUSTOMER, Factories

PN = "5511987654321@s.whatsapp.net"
CONTACT = ContactId(PN, "777@lid")
FENCE = 3


@pytest.fixture
async def desk(desk: Desk, make: Factories) -> Desk:
    session = await make.linked_session(desk.scope, fence=FENCE)
    return replace(desk, session_id=session.id)


async def write(desk: Desk, text: str, id_: str = "ABC") -> None:
    """Let the customer write."""
    inbound = InboundMessage(
        wa_message_id=id_,
        chat_jid=CONTACT.lid_jid,
        chat=CONTACT,
        sender=CONTACT,
        from_me=False,
        is_group=False,
        push_name="Ana",
        sent_at=START - timedelta(seconds=3),
        offline=False,
        message_proto=b"proto",
        kind="text",
        text=text,
    )
    await InboxService(desk.context).record(desk.scope, desk.session_id, FENCE, inbound)


async def told(desk: Desk, type_: str) -> list[dict[str, object]]:
    async with desk.context.database.reading(desk.scope) as tx:
        found = await events.list_after(tx, desk.scope, 0, 500)
    return [dict(event.data) for event in found if event.type == type_]


async def texts(desk: Desk, status: str) -> list[str]:
    page = await desk.messages.list(desk.scope, MessageFilter(), PageRequest(500))
    return sorted(message.text for message in page.items if message.status == status)


async def test_an_opt_out_suppresses_cancels_and_is_confirmed_once(desk: Desk) -> None:
    await desk.submit("offer", lane=Lane.CAMPAIGN)
    await desk.submit("news")
    await write(desk, " Stop! ", "A")
    await write(desk, "STOP", "B")
    assert await texts(desk, "CANCELLED") == ["news", "offer"]
    assert await texts(desk, "QUEUED") == ["Done: you will receive no more messages from us."]
    [event] = await told(desk, "contact.opted_out")
    assert (event["word"], event["cancelled"], event["chat"]) == ("STOP", 2, PN)
    async with desk.context.database.reading(desk.scope) as tx:
        found = await consent.find_suppressed(tx, desk.scope, [CONTACT], desk.context.clock())
        assert set(found) == all_names([CONTACT])
        assert len({entry.id for entry in found.values()}) == 1
        [entry] = (
            await audit.list_page(tx, desk.scope, AuditFilter("suppression.added"), PageRequest(10))
        ).items
    assert PN not in str(entry)


@pytest.mark.parametrize("limits", SendingLimits)
async def test_the_confirmation_goes_out_and_nothing_else_does(desk: Desk, limits: SendingLimits) -> None:
    desk.adopt(replace(desk.context, sending_limits=limits))
    await write(desk, "sair")
    with pytest.raises(PonteError) as refusal:
        await desk.submit("one more")
    assert refusal.value.code is errors.RECIPIENT_SUPPRESSED
    await desk.send_all()
    assert [outgoing.text for _, outgoing in desk.gateway.attempts] == [
        "Pronto: você não receberá mais mensagens nossas."
    ]


async def test_words_that_answer_other_questions_count_after_a_campaign_only(desk: Desk) -> None:
    await write(desk, "cancelar", "A")
    assert await told(desk, "contact.opted_out") == []
    now = desk.context.clock()
    async with desk.context.database.transaction(desk.scope) as tx:
        await chat_policy.note(tx, desk.scope, [Exchanged(desk.session_id, PN, now, campaign=True)])
    await write(desk, "Cancelar.", "B")
    assert len(await told(desk, "contact.opted_out")) == 1


@pytest.mark.parametrize("text", ["please stop by tomorrow", "stop it", "não quero parar", "S"])
async def test_a_sentence_is_no_opt_out(desk: Desk, text: str) -> None:
    await write(desk, text)
    assert await told(desk, "contact.opted_out") == []


async def test_a_message_that_waits_for_an_answer_is_looked_at_again_when_it_comes(desk: Desk) -> None:
    desk.adopt(replace(desk.context, sending_limits=SendingLimits.ENFORCED))
    for index in range(3):
        await desk.submit("hello", to=f"+55119876000{index:02d}")
    await desk.send_all()
    waiting = await desk.submit("the fourth new chat of the first day", to=CUSTOMER)
    await desk.send_all()
    assert await desk.status(waiting) == "QUEUED"
    await write(desk, "hi")
    await desk.send_all()
    assert await desk.status(waiting) == "SENT"
