"""What a change makes of a message."""

from datetime import UTC, datetime, timedelta

from orchestrator.domain.content import (
    Button,
    Buttons,
    Content,
    Delete,
    Edit,
    Image,
    MediaRef,
    Pin,
    PollVote,
    Reaction,
    Text,
    as_sent,
    plain_text,
)
from orchestrator.domain.content.apply import apply
from orchestrator.domain.content.marks import NO_MARKS, Marks, MessageReaction, PollResult, Vote, poll_results

AT = datetime(2026, 1, 5, tzinfo=UTC)
LATER = AT + timedelta(minutes=1)


def test_an_edit_of_a_caption_keeps_the_picture() -> None:
    picture = Content(Image(MediaRef("m"), "old"), view_once=True)
    said, marks = apply(Edit("id", "new"), picture, NO_MARKS, AT, "a", False)

    assert said == Content(Image(MediaRef("m"), "new"), view_once=True)
    assert marks == Marks(edited_at=AT)


def test_an_edit_of_what_says_nothing_changes_no_words() -> None:
    assert apply(Edit("id", "new"), None, NO_MARKS, AT, "a", False)[0] is None


def test_a_text_keeps_what_stands_beside_it() -> None:
    said, _ = apply(Edit("id", "new"), Content(Text("old"), reply_to="q"), NO_MARKS, AT, "a", False)

    assert said == Content(Text("new"), reply_to="q")


def test_a_deletion_leaves_nothing() -> None:
    assert apply(Delete("id"), plain_text("x"), NO_MARKS, AT, "a", False) == (None, Marks(deleted_at=AT))


def test_a_pin_lasts_a_day_where_it_says_no_time() -> None:
    _, marks = apply(Pin("id"), None, NO_MARKS, AT, "a", False)

    assert marks.pinned_until == AT + timedelta(days=1)
    assert apply(Pin("id", unpin=True), None, marks, LATER, "a", False)[1] == NO_MARKS


def test_what_comes_late_does_not_replace_what_is_newer() -> None:
    _, marks = apply(Reaction("id", "new"), None, NO_MARKS, LATER, "a", False)
    _, marks = apply(PollVote("id", ("new",)), None, marks, LATER, "a", False)
    _, after = apply(Reaction("id", "old"), None, marks, AT, "a", False)
    _, after = apply(PollVote("id", ("old",)), None, after, AT, "a", False)

    assert (
        after
        == marks
        == Marks(reactions=(MessageReaction("new", False, "a", LATER),), votes=(Vote("a", ("new",), LATER),))
    )


def test_a_menu_leaves_as_numbered_text_unless_it_is_native() -> None:
    menu = Content(Buttons("Go?", buttons=(Button("Yes"),)), reply_to="q")
    native = Content(Buttons("Go?", buttons=(Button("Yes"),), native=True))

    assert as_sent(menu) == Content(Text("Go?\n\n1. Yes"), reply_to="q")
    assert as_sent(native) == native


def test_votes_are_counted_in_the_order_of_the_options() -> None:
    votes = (Vote("x", ("b",)), Vote("y", ("a", "b")))

    assert poll_results(("a", "b", "c"), votes) == (
        PollResult("a", 1, ("y",)),
        PollResult("b", 2, ("x", "y")),
        PollResult("c"),
    )
