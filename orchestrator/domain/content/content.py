"""The content of a message: what it is, and what can be said of any kind of it."""

from dataclasses import dataclass, replace

from orchestrator.domain import errors
from orchestrator.domain.content import checks
from orchestrator.domain.content.changes import (
    DISAPPEARING_S,
    Delete,
    Disappearing,
    Edit,
    Pin,
    PollVote,
    Reaction,
)
from orchestrator.domain.content.media import Album, Audio, Document, Image, Sticker, Video, Voice
from orchestrator.domain.content.menus import Buttons, Choice, ListMenu, menu_text
from orchestrator.domain.content.text import Text
from orchestrator.domain.content.things import Contacts, Event, GroupInvite, Location, Poll, Unknown
from orchestrator.domain.errors import PonteError

Body = (
    Text
    | Image
    | Video
    | Audio
    | Voice
    | Document
    | Sticker
    | Album
    | Location
    | Contacts
    | Poll
    | PollVote
    | Event
    | GroupInvite
    | Reaction
    | Edit
    | Delete
    | Pin
    | Disappearing
    | Buttons
    | ListMenu
    | Choice
    | Unknown
)
"""Every kind of content; each has a `kind`, and those that can be sent a `check`."""

BODIES: dict[str, type[Body]] = {body.kind: body for body in Body.__args__}
"""The class of each kind."""

_MOST_MENTIONS = 1_024


@dataclass(frozen=True, slots=True)
class Reference:
    """The message that a content is about, as WhatsApp names it: quoted, reacted to, edited, deleted or pinned."""

    wa_message_id: str
    from_me: bool = False
    participant: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """A body and what goes with any kind of it.

    `reply_to` is the id here of the message that it quotes, `mentions` are E.164 numbers or jids, `mention_all` means
    everybody in its group, `expiration_s` is after how long it disappears (0: never). `reference` is filled in when a
    message is accepted or received.
    `album_wa_message_id` is WhatsApp's id of the album that a picture or film belongs to, `audience` the E.164 numbers
    that a status is shown to.
    """

    body: Body
    reply_to: str = ""
    mentions: tuple[str, ...] = ()
    mention_all: bool = False
    forwarded: bool = False
    view_once: bool = False
    expiration_s: int = 0
    reference: Reference | None = None
    album_wa_message_id: str = ""
    audience: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """The stable name of what it is."""
        return self.body.kind

    @property
    def text(self) -> str:
        """What a person would read of it: a text, a caption, a menu as numbered text; else empty."""
        body = self.body
        if isinstance(body, Text | Edit):
            return body.body
        if isinstance(body, Image | Video | Document | GroupInvite):
            return body.caption
        if isinstance(body, Buttons | ListMenu):
            return menu_text(body)
        return body.text if isinstance(body, Choice) else ""

    @property
    def message_id(self) -> str:
        """The id here of the message that it is about, or empty."""
        if isinstance(self.body, Reaction | Edit | Delete | Pin | PollVote | Choice):
            return self.body.message_id
        return self.reply_to

    @property
    def is_plain(self) -> bool:
        """It is nothing but a text, which needs no more than its words."""
        return self == Content(Text(self.text))

    def check(self) -> None:
        """Raise PonteError where it cannot be sent: TEXT_EMPTY, TEXT_TOO_LONG, INVALID_ARGUMENT or
        CONTENT_NOT_SUPPORTED; fields are named as in a SendMessageRequest."""
        body = self.body
        if isinstance(body, PollVote | GroupInvite | Choice | Unknown):
            raise PonteError(errors.CONTENT_NOT_SUPPORTED, f"A {self.kind} can only be received.")
        body.check(self.kind)
        checks.count(len(self.mentions), "mentions", 0, _MOST_MENTIONS)
        for index, mention in enumerate(self.mentions):
            if "@" not in mention:
                checks.phone_number(mention, f"mentions[{index}]")
        if self.expiration_s not in DISAPPEARING_S:
            raise checks.refused("expiration_s", "Give 0, 86400, 604800 or 7776000 seconds.")
        if self.view_once and not isinstance(body, Image | Video | Voice):
            raise checks.refused("view_once", "Only an image, a video or a voice note can be seen once.")
        if self.reply_to and isinstance(body, Reaction | Edit | Delete | Pin | Disappearing):
            raise checks.refused("reply_to", f"A {self.kind} cannot quote a message.")


def as_sent(content: Content) -> Content:
    """What leaves: a menu that is not native leaves as numbered text."""
    body = content.body
    if isinstance(body, Buttons | ListMenu) and not body.native:
        return replace(content, body=Text(content.text))
    return content


def plain_text(text: str) -> Content:
    """The content of a plain text message."""
    return Content(Text(text))
