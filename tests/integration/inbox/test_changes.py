"""Edits, deletions, reactions and votes reach the message that they are about; answers to menus read like taps."""

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.domain.content import (
    Body,
    Button,
    Buttons,
    Choice,
    Content,
    Delete,
    Edit,
    Location,
    Pin,
    Poll,
    PollVote,
    Reaction,
    Reference,
    Text,
)
from orchestrator.domain.content.marks import MessageReaction, PollResult, poll_results
from orchestrator.domain.errors import PonteError
from orchestrator.domain.events import Event
from orchestrator.domain.inbound import InboundMessage
from orchestrator.domain.jid import ContactId
from orchestrator.domain.message import Message
from orchestrator.domain.page import PageRequest
from orchestrator.services.contacts import ContactBook, Sighting
from orchestrator.services.inbox import InboxService
from orchestrator.services.messages import MessageFilter, SubmitText
from orchestrator.store import events
from tests.support.clock import START, ManualClock
from tests.support.desk import Desk
from tests.support.factories import CUSTOMER, Factories

PN = "5511987654321@s.whatsapp.net"
LID = "777@lid"
BOTH = ContactId(PN, LID)
OTHER = ContactId("5511911111111@s.whatsapp.net", "888@lid")
FENCE = 3


@pytest.fixture
async def desk(desk: Desk, make: Factories) -> Desk:
    session = await make.linked_session(desk.scope, fence=FENCE)
    return replace(desk, session_id=session.id)


class Inbox:
    """Hands over what came in and reads what became of it."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.service = InboxService(desk.context)

    async def take(self, wa_id: str, content: Body | Content | str, **more: object) -> None:
        """Record a message; a `str` is a plain text."""
        said = content if isinstance(content, Content | str) else Content(content)
        inbound = InboundMessage(
            wa_message_id=wa_id,
            chat_jid=LID,
            chat=BOTH,
            sender=BOTH,
            from_me=False,
            is_group=False,
            push_name="Ana",
            sent_at=START,
            offline=False,
            message_proto=b"proto",
            kind="text",
            text=said if isinstance(said, str) else "",
            content=None if isinstance(said, str) else said,
        )
        inbound = replace(inbound, **more)  # type: ignore[arg-type]  # the fields of InboundMessage
        await self.service.record(self.desk.scope, self.desk.session_id, FENCE, inbound)

    async def about(self, wa_id: str, target: str, body: Body, **more: object) -> None:
        """Record a message about another."""
        await self.take(wa_id, Content(body, reference=Reference(target)), **more)

    async def events(self) -> list[Event]:
        """All events so far."""
        async with self.desk.context.database.reading(self.desk.scope) as tx:
            return await events.list_after(tx, self.desk.scope, 0, 500)

    async def message(self, wa_id: str) -> Message:
        """The stored message of a WhatsApp id."""
        [found] = [event for event in await self.events() if event.data["wa_message_id"] == wa_id][:1]
        return await self.desk.messages.get(self.desk.scope, str(found.data["id"]))


@pytest.fixture
def inbox(desk: Desk) -> Inbox:
    return Inbox(desk)


async def test_any_content_is_stored_and_told(inbox: Inbox) -> None:
    await inbox.take("A", Location(1.5, 2.5, "here"))

    message = await inbox.message("A")
    assert (message.kind, message.content) == ("location", Content(Location(1.5, 2.5, "here")))
    [event] = await inbox.events()
    assert event.data["content"] == {"location": {"latitude": 1.5, "longitude": 2.5, "name": "here"}}


async def test_an_answer_names_the_message_it_quotes(inbox: Inbox) -> None:
    await inbox.take("A", "question")
    await inbox.about("B", "A", Text("answer"))

    answer = await inbox.message("B")
    assert answer.content is not None
    assert answer.content.reply_to == (await inbox.message("A")).id


async def test_an_edit_changes_the_text(inbox: Inbox) -> None:
    await inbox.take("A", "frist")
    await inbox.about("B", "A", Edit(body="first"))

    edited = await inbox.message("A")
    assert (edited.text, edited.content, edited.marks.edited_at) == ("first", None, START)
    event = (await inbox.events())[-1]
    assert event.type == "message.edited"
    assert event.data["target"]["text"] == {"body": "first"}  # type: ignore[index]  # JSON


async def test_a_deleted_message_says_nothing_any_more(inbox: Inbox) -> None:
    await inbox.take("A", "secret")
    await inbox.about("B", "A", Delete())

    deleted = await inbox.message("A")
    assert (deleted.text, deleted.content, deleted.marks.deleted_at) == ("", None, START)
    assert (await inbox.events())[-1].type == "message.deleted"


@pytest.mark.parametrize("body", [Edit(body="forged"), Delete()])
async def test_only_the_author_edits_and_deletes(inbox: Inbox, body: Body) -> None:
    await inbox.take("A", "mine", is_group=True, chat_jid="1@g.us", chat=ContactId())
    await inbox.about("B", "A", body, is_group=True, chat_jid="1@g.us", chat=ContactId(), sender=OTHER)

    assert (await inbox.message("A")).text == "mine"
    assert "target" not in (await inbox.events())[-1].data


async def test_nobody_changes_a_message_of_another_chat(inbox: Inbox) -> None:
    await inbox.take("A", "mine")
    await inbox.about("B", "A", Reaction(emoji="x"), chat_jid=OTHER.lid_jid, chat=OTHER, sender=OTHER)

    assert (await inbox.message("A")).marks.reactions == ()


async def test_a_reaction_replaces_the_one_before_and_can_be_taken_back(inbox: Inbox) -> None:
    await inbox.take("A", "news")
    await inbox.about("B", "A", Reaction(emoji="👍"))
    await inbox.about("C", "A", Reaction(emoji="❤️"), from_me=True)
    assert (await inbox.message("A")).marks.reactions == (
        MessageReaction("👍", sender=PN, at=START),
        MessageReaction("❤️", from_me=True, at=START),
    )

    await inbox.about("D", "A", Reaction(emoji=""), sent_at=START + timedelta(seconds=1))
    assert [reaction.emoji for reaction in (await inbox.message("A")).marks.reactions] == ["❤️"]
    assert (await inbox.events())[-1].type == "message.reaction"


async def test_a_pin_lasts_its_time(inbox: Inbox) -> None:
    await inbox.take("A", "news")
    await inbox.about("B", "A", Pin(duration_s=604_800))
    assert (await inbox.message("A")).marks.pinned_until == START + timedelta(days=7)

    await inbox.about("C", "A", Pin(unpin=True))
    assert (await inbox.message("A")).marks.pinned_until is None


async def test_votes_are_counted_and_the_newest_of_each_voter_counts(inbox: Inbox) -> None:
    poll = Poll("Which day?", ("Monday", "Friday"))
    await inbox.take("A", poll)
    await inbox.about("B", "A", PollVote(options=("Monday",)))
    await inbox.about("C", "A", PollVote(options=("Friday",)), sent_at=START + timedelta(seconds=1))
    await inbox.about("D", "A", PollVote(options=("Monday",)))

    votes = (await inbox.message("A")).marks.votes
    assert poll_results(poll.options, votes) == (PollResult("Monday"), PollResult("Friday", 1, (PN,)))
    event = (await inbox.events())[-2]
    assert event.type == "message.poll_vote"
    assert event.data["target"]["poll_results"][1] == {"option": "Friday", "votes": 1, "voters": [PN]}  # type: ignore[index]  # JSON


async def test_a_change_of_a_message_that_is_not_known_is_kept(inbox: Inbox) -> None:
    await inbox.about("B", "A", Edit(body="late"))

    [event] = await inbox.events()
    assert (event.type, "target" in event.data) == ("message.edited", False)
    assert (await inbox.message("B")).kind == "edit"


async def _sent_menu(desk: Desk) -> str:
    menu = Content(Buttons("Shall we come?", buttons=(Button("Yes", "yes"), Button("No", "no"))))
    command = SubmitText(desk.session_id, CUSTOMER, "", content=menu)
    message_id = (await desk.messages.submit(desk.scope, command)).id
    await desk.send_all()
    return message_id


@pytest.mark.parametrize("answer", ["2", "no"])
async def test_a_number_or_words_choose_of_the_newest_menu(desk: Desk, inbox: Inbox, answer: str) -> None:
    menu_id = await _sent_menu(desk)
    await inbox.take("A", answer)

    message = await inbox.message("A")
    assert (message.kind, message.text) == ("choice", "No")
    assert message.content is not None
    assert message.content.body == Choice(menu_id, "no", "No")


async def test_a_tap_says_the_same(desk: Desk, inbox: Inbox) -> None:
    menu_id = await _sent_menu(desk)
    menu = await desk.messages.get(desk.scope, menu_id)
    await inbox.about("A", menu.wa_message_id, Choice(id="no", text="No"))

    message = await inbox.message("A")
    assert message.content is not None
    assert message.content.body == Choice(menu_id, "no", "No")


async def test_other_words_and_late_answers_are_texts(desk: Desk, inbox: Inbox, clock: ManualClock) -> None:
    await _sent_menu(desk)
    await inbox.take("A", "maybe")
    clock.advance(86_401)
    await inbox.take("B", "2")

    assert [(await inbox.message(wa_id)).kind for wa_id in ("A", "B")] == ["text", "text"]


async def test_what_this_number_changes_is_applied_once_it_is_sent(desk: Desk, inbox: Inbox) -> None:
    message_id = await desk.submit("frist")
    await desk.messages.submit(
        desk.scope, SubmitText(desk.session_id, "", "", content=Content(Edit(message_id, "first")))
    )
    assert (await desk.messages.get(desk.scope, message_id)).text == "frist"

    await desk.send_all()
    assert (await desk.messages.get(desk.scope, message_id)).text == "first"
    assert [event.type for event in await inbox.events()][-1] == "message.edited"


@pytest.mark.parametrize(
    ("body", "to"),
    [
        (Reaction("0190b8a0-0000-7000-8000-000000000000", "x"), ""),
        (Edit("A", "forged"), ""),
        (Delete("A"), ""),
        (Reaction("A", "x"), "+5511911111111"),
    ],
    ids=["unknown", "edit of theirs", "deletion of theirs", "another chat"],
)
async def test_a_change_that_cannot_be_is_refused(desk: Desk, inbox: Inbox, body: Body, to: str) -> None:
    await inbox.take("A", "theirs")
    theirs = (await inbox.message("A")).id
    named = replace(body, message_id=theirs) if body.message_id == "A" else body  # type: ignore[union-attr, arg-type]  # these have one
    with pytest.raises(PonteError) as refusal:
        await desk.messages.submit(desk.scope, SubmitText(desk.session_id, to, "", content=Content(named)))

    assert refusal.value.code.name == "INVALID_ARGUMENT"


async def test_a_message_is_forwarded_as_it_is(desk: Desk, inbox: Inbox) -> None:
    await inbox.take("A", Location(1.5, 2.5))
    source = await inbox.message("A")
    command = SubmitText(desk.session_id, CUSTOMER, "", forward=source.id)

    forwarded = await desk.messages.submit(desk.scope, command)
    assert forwarded.content == Content(Location(1.5, 2.5), forwarded=True)


@pytest.mark.parametrize("how", ["the next message", "a receipt of both names"])
async def test_a_contact_seen_by_lid_first_has_one_chat_in_the_end(
    desk: Desk, inbox: Inbox, how: str
) -> None:
    only_lid = ContactId(lid_jid=LID)
    await inbox.take("A", "first", chat=only_lid, sender=only_lid)
    assert (await inbox.message("A")).chat_jid == LID

    if how == "the next message":
        await inbox.take("B", "second")
    else:
        book = ContactBook(desk.context)
        await desk.context.database.shared_transaction(
            desk.scope, lambda tx: book.learn(tx, desk.scope, [Sighting(BOTH)])
        )
        await inbox.take("B", "second", chat_jid=PN)
    # It comes again, now by its number.
    await inbox.take("A", "first", chat_jid=PN)

    messages = await desk.messages.list(desk.scope, MessageFilter(chat=PN), PageRequest(10))
    assert [(found.wa_message_id, found.chat_jid, found.contact) for found in messages.items] == [
        ("B", PN, BOTH),
        ("A", PN, BOTH),
    ]
    by_lid = await desk.messages.list(desk.scope, MessageFilter(chat=LID), PageRequest(10))
    assert by_lid.items == messages.items
    await inbox.about("C", "A", Reaction(emoji="👍"))
    assert (await inbox.message("A")).marks.reactions != ()
