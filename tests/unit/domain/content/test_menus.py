"""Menus as numbered text, and answers that match like taps."""

import pytest

from orchestrator.domain.content import (
    Button,
    Buttons,
    Choice,
    Content,
    ListMenu,
    ListRow,
    ListSection,
    choose,
    menu_text,
)

BUTTONS = Buttons("Shall we come?", "Ponte", (Button("Yes, please", "yes"), Button("No")))
MENU = ListMenu(
    "Menu",
    "What will it be?",
    "",
    "Open",
    (
        ListSection("Drinks", (ListRow("Coffee", "c", "hot"), ListRow("Water"))),
        ListSection("", (ListRow("Cake", "k"),)),
    ),
)


def test_buttons_become_numbered_lines() -> None:
    assert menu_text(BUTTONS) == "Shall we come?\n\n1. Yes, please\n2. No\n\nPonte"
    assert Content(BUTTONS).text == menu_text(BUTTONS)


def test_a_list_is_numbered_through_its_sections() -> None:
    assert menu_text(MENU) == "*Menu*\nWhat will it be?\n\n_Drinks_\n1. Coffee - hot\n2. Water\n3. Cake"


@pytest.mark.parametrize("answer", ["1", " 1. ", "1)", "YES, please"])
def test_a_number_or_the_words_choose_a_button(answer: str) -> None:
    assert choose(BUTTONS, "id", answer) == Choice("id", "yes", "Yes, please")


def test_what_has_no_id_is_chosen_by_its_words() -> None:
    assert choose(BUTTONS, "id", "2") == Choice("id", "No", "No")
    assert choose(MENU, "id", "3") == Choice("id", "k", "Cake")
    assert choose(MENU, "id", "water") == Choice("id", "Water", "Water")


@pytest.mark.parametrize("answer", ["", "3", "0", "maybe", "1 2", "²"])
def test_anything_else_chooses_nothing(answer: str) -> None:
    assert choose(BUTTONS, "id", answer) is None
