"""An exported chat message by message, oldest first as it stands in the file; memory does not grow with the file."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final

from orchestrator.domain.exported_chat.attachments import Attachment, split_attachment
from orchestrator.domain.exported_chat.ids import exported_id
from orchestrator.domain.exported_chat.lines import (
    MARKS,
    DateOrder,
    Head,
    moment_of,
    plain_name,
    read_head,
)

MOST_CHARACTERS: Final = 65_536
"""Of one message, as WhatsApp takes them; what a file has beyond that is left out."""

_REMEMBERED: Final = 20_000
_MINUTE_S: Final = 60
_LABELLED: Final = re.compile(rf"[{MARKS}]*[^\s:]{{1,20}}:(?:\s*$|\s*\n|\s*https?://)")
"""`POLL:`, `Location: https://...`: the app wrote these for somebody."""

_APPS_MARK: Final = "\u200e"
_MARKED: Final = re.compile(rf"(?<=[^{MARKS}\s])[{MARKS}\s]*\u200e<[^<>:\n]{{1,60}}>[{MARKS}\s]*$")
"""`<This message was edited>` after a mark, in any language; without a colon, which stands before a file's name."""

_EDITED: Final = (
    *(
        "<This message was edited>",
        "<Mensagem editada>",
        "<Se editó este mensaje.>",
        "<Se editó este mensaje>",
    ),
    *("<Diese Nachricht wurde bearbeitet.>", "<Ce message a été modifié>", "<Dit bericht is bewerkt>"),
    *("<Questo messaggio è stato modificato>", "<Messaggio modificato>"),
)


@dataclass(frozen=True, slots=True)
class ExportedChat:
    """How the lines of a file are to be understood: of which chat, named how, in which order and zone its dates are.

    `exported_by` is when the file was there already; what is dated later is no message's date.
    """

    chat_jid: str
    own_name: str
    order: DateOrder
    zone: tzinfo
    exported_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class ExportedMessage:
    """A message of a file.

    `moment` is the second, or the minute where the file has no seconds, in which it was sent; `place` orders those of
    one. `alike_before` is how many of the same direction, with the same words and as well with or without a file, the
    file had of that moment before.
    """

    wa_message_id: str
    author: str
    is_own: bool
    sent_at: datetime
    text: str
    attachment: Attachment | None
    place: int
    has_seconds: bool
    alike_before: int

    @property
    def alike_key(self) -> "AlikeKey":
        """What it shares with those that are alike."""
        return alike_key(
            self.sent_at,
            self.text,
            is_own=self.is_own,
            has_file=bool(self.attachment),
            exact=self.has_seconds,
        )


AlikeKey = tuple[bool, bool, int, str]


def alike_key(sent_at: datetime, text: str, *, is_own: bool, has_file: bool, exact: bool) -> AlikeKey:
    """Give what two messages share that are taken for one: direction, words, and the second (`exact`) or minute."""
    second = int(sent_at.timestamp())
    return (is_own, has_file, second if exact else second // _MINUTE_S, text)


def read_messages(lines: Iterable[str], chat: ExportedChat) -> Iterator[ExportedMessage | None]:
    """Yield what begins in the lines: a message, or None for what the app itself says.

    Lines before the first beginning are passed over.
    """
    numbers, own_name = _Numbers(), plain_name(chat.own_name)
    open_: _Open | None = None
    for line in lines:
        head = read_head(line, own_name)
        sent_at = moment_of(head, chat.order, chat.zone, chat.exported_by) if head else None
        if head is None or sent_at is None:
            if open_ is not None:
                open_.add(line)
            continue
        if open_ is not None:
            yield _read(open_, chat.chat_jid, own_name, numbers)
        open_ = _Open(head, sent_at)
    if open_ is not None:
        yield _read(open_, chat.chat_jid, own_name, numbers)


class _Open:
    """A message whose lines are being gathered."""

    def __init__(self, head: Head, sent_at: datetime) -> None:
        self.head = head
        self.sent_at = sent_at
        self._lines = [head.text]
        self._room = MOST_CHARACTERS - len(head.text)

    def add(self, line: str) -> None:
        if self._room > 0:
            self._lines.append(line)
            self._room -= len(line) + 1

    @property
    def text(self) -> str:
        return "\n".join(self._lines)[:MOST_CHARACTERS].rstrip()


class _Numbers:
    """Counts what is equal, of the last messages: equal ones stand close together."""

    def __init__(self) -> None:
        self._seen: dict[bytes, int] = {}
        self._moment: datetime | None = None
        self._place = -1

    def before(self, *key: object) -> int:
        """How many had this key before."""
        digest = hashlib.blake2b(repr(key).encode(errors="surrogatepass"), digest_size=12).digest()
        before = self._seen.pop(digest, 0)
        self._seen[digest] = before + 1
        if len(self._seen) > _REMEMBERED:
            del self._seen[next(iter(self._seen))]
        return before

    def place(self, moment: datetime) -> int:
        """Which of those with this moment it is."""
        self._place = self._place + 1 if moment == self._moment else 0
        self._moment = moment
        return self._place


def _read(open_: _Open, chat_jid: str, own_name: str, numbers: _Numbers) -> ExportedMessage | None:
    said, head, sent_at = open_.text, open_.head, open_.sent_at
    attachment, text = split_attachment(_unedited(said))
    if not head.author or (attachment is None and _is_the_apps(said)):
        return None
    text = _as_written(text)
    is_own = head.author == own_name
    has_seconds = head.second is not None
    key = alike_key(sent_at, text, is_own=is_own, has_file=attachment is not None, exact=has_seconds)
    equal_before = numbers.before("equal", sent_at, head.author, said)
    return ExportedMessage(
        wa_message_id=exported_id(chat_jid, sent_at, head.author, said, equal_before),
        author=head.author,
        is_own=is_own,
        sent_at=sent_at,
        text=text,
        attachment=attachment,
        place=numbers.place(sent_at),
        has_seconds=has_seconds,
        alike_before=numbers.before("alike", *key),
    )


def _is_the_apps(said: str) -> bool:
    """The app speaks in the name of a person: a mark stands before the words, or there are none."""
    words = said.strip(f"{MARKS} \n\r\t")
    return not words or (said[0] == _APPS_MARK and _LABELLED.match(said) is None)


def _unedited(text: str) -> str:
    """Take off what the app adds to words that were edited."""
    for edited in _EDITED:
        text = text.removesuffix(edited)
    return _MARKED.sub("", text)


def _as_written(text: str) -> str:
    """Take off what the app added to the words."""
    return _unedited(text).strip(_APPS_MARK).rstrip(f"{_APPS_MARK} \n\r\t")
