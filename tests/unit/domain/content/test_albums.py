"""An album is announced, and its items follow as messages of their own."""

from orchestrator.domain.content import Album, AlbumItem, Content, Image, MediaRef, Video, plain_text
from orchestrator.domain.content.albums import announced, items_of

FIRST = Image(MediaRef(media_id="a"), "look, @5511900000001")
SECOND = Video(MediaRef(media_id="b"))
ALBUM = Content(
    Album((AlbumItem(image=FIRST), AlbumItem(video=SECOND), AlbumItem(image=FIRST))),
    reply_to="m",
    mentions=("+5511900000001",),
    mention_all=True,
    expiration_s=86_400,
)


def test_each_item_names_the_album_and_keeps_what_goes_with_it() -> None:
    items = items_of(ALBUM, "3EB0A")
    assert [item.body for item in items] == [FIRST, SECOND, FIRST]
    assert {(item.album_wa_message_id, item.reply_to, item.expiration_s) for item in items} == {
        ("3EB0A", "", 86_400)
    }


def test_whoever_is_mentioned_hears_of_the_items_that_say_so() -> None:
    items = items_of(ALBUM, "3EB0A")
    assert [item.mentions for item in items] == [("+5511900000001",), (), ("+5511900000001",)]
    assert [item.mention_all for item in items] == [True, False, False]


def test_an_album_says_how_much_comes_and_where_it_is() -> None:
    album = announced(ALBUM, ["1", "2", "3"])
    assert album.body == Album((), 2, 1, ("1", "2", "3"))
    assert (album.reply_to, album.expiration_s) == ("m", 86_400)
    assert (album.mentions, album.mention_all) == ((), False)


def test_any_other_content_has_no_items_and_stays_as_it_is() -> None:
    text = plain_text("x")
    assert items_of(text, "3EB0A") == []
    assert announced(text, []) is text


def test_an_item_that_is_neither_is_left_out() -> None:
    assert items_of(Content(Album((AlbumItem(), AlbumItem(image=FIRST)))), "3EB0A")[0].body == FIRST
