"""What can be sent, and what is said of what cannot."""

from datetime import UTC, datetime

import pytest

from orchestrator.domain.content import (
    Album,
    AlbumItem,
    Audio,
    Body,
    Button,
    Buttons,
    ContactCard,
    Contacts,
    Content,
    Delete,
    Disappearing,
    Document,
    Edit,
    Event,
    GroupInvite,
    Image,
    LinkPreview,
    ListMenu,
    ListRow,
    ListSection,
    Location,
    MediaRef,
    Pin,
    Poll,
    PollVote,
    Reaction,
    Sticker,
    Text,
    Video,
    Voice,
    plain_text,
)
from orchestrator.domain.errors import PonteError

FILE = MediaRef(media_id="m")
START = datetime(2026, 1, 1, tzinfo=UTC)
SENDABLE: list[Body] = [
    Text("x"),
    Text("see https://ponte.example", LinkPreview("https://ponte.example", "Ponte")),
    Text("see https://ponte.example.", LinkPreview("", "", fetch=True)),
    Text("see https://ponte.example", LinkPreview("https://ponte.example", "", fetch=True)),
    Text("see https://ponte.example", LinkPreview("https://ponte.example", "P", thumbnail=b"\xff\xd8\xff")),
    Image(FILE),
    Video(FILE, round=True),
    Audio(FILE),
    Voice(MediaRef(url="https://x.example/a.ogg")),
    Document(FILE, "a bill"),
    Sticker(FILE),
    Album((AlbumItem(image=Image(FILE)), AlbumItem(video=Video(FILE)))),
    Location(1.5, -2.5, "here"),
    Contacts((ContactCard("Ana", ("+5511987654321",)), ContactCard("Bo", vcard="BEGIN:VCARD"))),
    Poll("?", ("a", "b"), 1),
    Event("party", start_at=START, end_at=START, location=Location()),
    Event("party", start_at=START),
    Reaction("id", "👍"),
    Reaction("id"),
    Edit("id", "new"),
    Delete("id"),
    Pin("id"),
    Pin("id", 604_800),
    Disappearing(86_400),
    Buttons("choose", buttons=(Button("Yes"), Button("No", "no"))),
    ListMenu("t", "choose", "f", "open", (ListSection("s", (ListRow("a"),)),)),
]
REFUSED: list[tuple[Body, str, str]] = [
    (Text(" "), "TEXT_EMPTY", "text.body"),
    (Text("x" * 65_537), "TEXT_TOO_LONG", "text.body"),
    (Text("a\0"), "INVALID_ARGUMENT", "text.body"),
    (Text("x", LinkPreview("https://ponte.example", "t")), "INVALID_ARGUMENT", "text.preview.url"),
    (Text("x", LinkPreview("x", "")), "INVALID_ARGUMENT", "text.preview.title"),
    (Text("x", LinkPreview("", "t")), "INVALID_ARGUMENT", "text.preview.url"),
    (Text("no link", LinkPreview("", "", fetch=True)), "INVALID_ARGUMENT", "text.preview.fetch"),
    (Text("x", LinkPreview("x", "t", thumbnail=b"png")), "INVALID_ARGUMENT", "text.preview.thumbnail"),
    (
        Text("x", LinkPreview("x", "t", thumbnail=b"\xff\xd8\xff" + bytes(16 * 1024))),
        "INVALID_ARGUMENT",
        "text.preview.thumbnail",
    ),
    (Image(), "INVALID_ARGUMENT", "image.media"),
    (Image(MediaRef("m", "https://x.example")), "INVALID_ARGUMENT", "image.media"),
    (Video(FILE, "caption", round=True), "INVALID_ARGUMENT", "video.round"),
    (Album((AlbumItem(image=Image(FILE)),)), "INVALID_ARGUMENT", "album.items"),
    (Album((AlbumItem(), AlbumItem())), "INVALID_ARGUMENT", "album.items[0]"),
    (
        Album((AlbumItem(video=Video(FILE)), AlbumItem(video=Video(FILE, gif=True)))),
        "INVALID_ARGUMENT",
        "album.items[1].video",
    ),
    (
        Album((AlbumItem(video=Video(FILE, round=True)), AlbumItem(video=Video(FILE)))),
        "INVALID_ARGUMENT",
        "album.items[0].video",
    ),
    (Location(91.0), "INVALID_ARGUMENT", "location.latitude"),
    (Location(0.0, 181.0), "INVALID_ARGUMENT", "location.longitude"),
    (Location(float("nan")), "INVALID_ARGUMENT", "location.latitude"),
    (Location(live=True), "INVALID_ARGUMENT", "location.live"),
    (Contacts(), "INVALID_ARGUMENT", "contacts.cards"),
    (Contacts((ContactCard("Ana"),)), "INVALID_ARGUMENT", "contacts.cards[0]"),
    (Contacts((ContactCard(vcard="v"),)), "INVALID_ARGUMENT", "contacts.cards[0].display_name"),
    (Contacts((ContactCard("Ana", ("123",)),)), "INVALID_PHONE_NUMBER", "contacts.cards[0].phone_numbers[0]"),
    (Poll("?", ("a",)), "INVALID_ARGUMENT", "poll.options"),
    (Poll("?", ("a", "a")), "INVALID_ARGUMENT", "poll.options"),
    (Poll("?", ("a", " ")), "INVALID_ARGUMENT", "poll.options[1]"),
    (Poll("?", ("a", "b"), 3), "INVALID_ARGUMENT", "poll.selectable_count"),
    (Event("party", start_at=START, join_link="https://x"), "INVALID_ARGUMENT", "event.join_link"),
    (Event("party"), "INVALID_ARGUMENT", "event.start_at"),
    (
        Event("party", start_at=START, end_at=datetime(2025, 1, 1, tzinfo=UTC)),
        "INVALID_ARGUMENT",
        "event.end_at",
    ),
    (Reaction("", "x"), "INVALID_ARGUMENT", "reaction.message_id"),
    (Reaction("id", "x" * 41), "INVALID_ARGUMENT", "reaction.emoji"),
    (Edit("id", ""), "TEXT_EMPTY", "edit.body"),
    (Delete(), "INVALID_ARGUMENT", "delete.message_id"),
    (Pin("id", 5), "INVALID_ARGUMENT", "pin.duration_s"),
    (Disappearing(5), "INVALID_ARGUMENT", "disappearing.seconds"),
    (Buttons("choose"), "INVALID_ARGUMENT", "buttons.buttons"),
    (Buttons("choose", buttons=(Button("A"), Button("a"))), "INVALID_ARGUMENT", "buttons.buttons"),
    (ListMenu(body="choose"), "INVALID_ARGUMENT", "list.sections"),
    (PollVote("id"), "CONTENT_NOT_SUPPORTED", ""),
    (GroupInvite(), "CONTENT_NOT_SUPPORTED", ""),
]


@pytest.mark.parametrize("body", SENDABLE, ids=lambda body: body.kind)
def test_what_is_complete_can_be_sent(body: Body) -> None:
    Content(body).check()


@pytest.mark.parametrize(("body", "code", "field"), REFUSED)
def test_what_is_not_says_which_field_is_wrong(body: Body, code: str, field: str) -> None:
    with pytest.raises(PonteError) as refusal:
        Content(body).check()

    assert refusal.value.code.name == code
    assert [violation.field for violation in refusal.value.violations] == ([field] if field else [])


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (Content(Text("x"), view_once=True), "view_once"),
        (Content(Text("x"), expiration_s=3), "expiration_s"),
        (Content(Text("x"), mentions=("1",) * 1_025), "mentions"),
        (Content(Text("x"), mentions=("777@lid", "123")), "mentions[1]"),
        (Content(Reaction("id", "x"), reply_to="other"), "reply_to"),
    ],
)
def test_options_belong_to_kinds_that_have_them(content: Content, field: str) -> None:
    with pytest.raises(PonteError) as refusal:
        content.check()

    assert [violation.field for violation in refusal.value.violations] == [field]


def test_the_message_that_a_content_is_about() -> None:
    assert Content(Reaction("id", "x")).message_id == "id"
    assert Content(Text("x"), reply_to="quoted").message_id == "quoted"


def test_a_plain_text_is_nothing_but_its_words() -> None:
    assert plain_text("x").is_plain
    assert not Content(Text("x"), reply_to="id").is_plain
    assert not Content(Edit("id", "x")).is_plain


def test_the_text_is_what_a_person_reads() -> None:
    assert Content(Text("a")).text == "a"
    assert Content(Image(FILE, "b")).text == "b"
    assert Content(Location()).text == ""
