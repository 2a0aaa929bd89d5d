"""Buttons and lists, the numbered text that stands for them, and what a person chose of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import ClassVar

from orchestrator.domain.content import checks

_MOST_BUTTONS = 10
_MOST_ROWS = 30
_MOST_LABEL = 60
_MOST_ID = 200


@dataclass(frozen=True, slots=True)
class Button:
    """Something to tap; without an `id` its text is the id."""

    text: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class Buttons:
    """A text with buttons. Sent as numbered text unless `native`, which WhatsApp may refuse or not show."""

    kind: ClassVar[str] = "buttons"
    body: str = ""
    footer: str = ""
    buttons: tuple[Button, ...] = ()
    native: bool = False

    def check(self, path: str) -> None:
        """Raise PonteError where it cannot be sent: TEXT_EMPTY, TEXT_TOO_LONG, INVALID_ARGUMENT."""
        checks.body_text(self.body, f"{path}.body")
        checks.short_text(self.footer, f"{path}.footer", _MOST_LABEL)
        checks.count(len(self.buttons), f"{path}.buttons", 1, _MOST_BUTTONS)
        for index, button in enumerate(self.buttons):
            checks.named_text(button.text, f"{path}.buttons[{index}].text", _MOST_LABEL)
            checks.short_text(button.id, f"{path}.buttons[{index}].id", _MOST_ID)
        _check_distinct(self, f"{path}.buttons")


@dataclass(frozen=True, slots=True)
class ListRow:
    """One line of a list; without an `id` its title is the id."""

    title: str = ""
    id: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class ListSection:
    """Lines under a heading."""

    title: str = ""
    rows: tuple[ListRow, ...] = ()


@dataclass(frozen=True, slots=True)
class ListMenu:
    """A text with a list that opens at a tap on `button_text`. Sent as numbered text unless `native`."""

    kind: ClassVar[str] = "list"
    title: str = ""
    body: str = ""
    footer: str = ""
    button_text: str = ""
    sections: tuple[ListSection, ...] = ()
    native: bool = False

    def check(self, path: str) -> None:
        """Raise PonteError where it cannot be sent: TEXT_EMPTY, TEXT_TOO_LONG, INVALID_ARGUMENT."""
        checks.body_text(self.body, f"{path}.body")
        checks.short_text(self.title, f"{path}.title", _MOST_LABEL)
        checks.short_text(self.footer, f"{path}.footer", _MOST_LABEL)
        checks.short_text(self.button_text, f"{path}.button_text", _MOST_LABEL)
        checks.count(sum(len(section.rows) for section in self.sections), f"{path}.sections", 1, _MOST_ROWS)
        for position, section in enumerate(self.sections):
            place = f"{path}.sections[{position}]"
            checks.short_text(section.title, f"{place}.title", _MOST_LABEL)
            for index, row in enumerate(section.rows):
                checks.named_text(row.title, f"{place}.rows[{index}].title", _MOST_LABEL)
                checks.short_text(row.id, f"{place}.rows[{index}].id", _MOST_ID)
                checks.short_text(row.description, f"{place}.rows[{index}].description", _MOST_ID)
        _check_distinct(self, f"{path}.sections")


Menu = Buttons | ListMenu


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person chose of a menu, by a tap or by its number or words: the same either way. Only received."""

    kind: ClassVar[str] = "choice"
    message_id: str = ""
    id: str = ""
    text: str = ""


def menu_text(menu: Menu) -> str:
    """Write a menu as numbered text. A person answers with a number or with the words of a line."""
    lines = [menu.body, ""]
    if isinstance(menu, ListMenu) and menu.title:
        lines.insert(0, f"*{menu.title}*")
    lines += _numbered_buttons(menu) if isinstance(menu, Buttons) else _numbered_rows(menu)
    if menu.footer:
        lines += ["", menu.footer]
    return "\n".join(lines)


def _numbered_buttons(menu: Buttons) -> Iterator[str]:
    return (f"{number}. {button.text}" for number, button in enumerate(menu.buttons, 1))


def _numbered_rows(menu: ListMenu) -> Iterator[str]:
    numbers = count(1)
    for section in menu.sections:
        if section.title:
            yield f"_{section.title}_"
        for row in section.rows:
            yield f"{next(numbers)}. {row.title}" + (f" - {row.description}" if row.description else "")


def choose(menu: Menu, message_id: str, answer: str) -> Choice | None:
    """Find what an answer chooses of the menu sent as `message_id`: its number (`2`, `2.`, `2)`) or its words, in any
    case. None where it chooses nothing."""
    wanted = answer.strip().casefold()
    number = wanted.rstrip(".)").strip()
    for position, (id_, text) in enumerate(_entries(menu), 1):
        if number == str(position) or wanted == text.strip().casefold():
            return Choice(message_id, id_, text)
    return None


def _entries(menu: Menu) -> Iterator[tuple[str, str]]:
    """The id and the words of each line, in the order of their numbers."""
    if isinstance(menu, Buttons):
        yield from ((button.id or button.text, button.text) for button in menu.buttons)
        return
    for section in menu.sections:
        yield from ((row.id or row.title, row.title) for row in section.rows)


def _check_distinct(menu: Menu, path: str) -> None:
    entries = list(_entries(menu))
    ids = {id_ for id_, _ in entries}
    texts = {text.strip().casefold() for _, text in entries}
    if len(ids) != len(entries) or len(texts) != len(entries):
        raise checks.refused(path, "Give each id and each text once.")
