"""An album as WhatsApp carries it: a message that says how much comes, and each picture or film as one of its own."""

from collections.abc import Sequence
from dataclasses import replace

from orchestrator.domain.content.content import Content
from orchestrator.domain.content.media import Album


def items_of(content: Content, album_wa_message_id: str) -> list[Content]:
    """Give what an album's items leave as, in order, each naming the album; nothing of any other content."""
    album = content.body
    if not isinstance(album, Album):
        return []
    bodies = [body for item in album.items if (body := item.image or item.video) is not None]
    return [
        replace(
            content,
            body=body,
            reply_to="",
            mentions=_named_in(body.caption, content.mentions),
            mention_all=content.mention_all and position == 0,
            album_wa_message_id=album_wa_message_id,
        )
        for position, body in enumerate(bodies)
    ]


def _named_in(caption: str, mentions: Sequence[str]) -> tuple[str, ...]:
    """Whom a caption names: nobody hears of each item."""
    return tuple(one for one in mentions if f"@{one.removeprefix('+').partition('@')[0]}" in caption)


def announced(content: Content, message_ids: Sequence[str]) -> Content:
    """Give an album without its items, which have these ids as messages of their own; any other content as it is."""
    album = content.body
    if not isinstance(album, Album):
        return content
    images = sum(item.image is not None for item in album.items)
    announcement = Album((), images, len(album.items) - images, tuple(message_ids))
    # Who is mentioned is so in the captions, which are the items'.
    return replace(content, body=announcement, mentions=(), mention_all=False)
