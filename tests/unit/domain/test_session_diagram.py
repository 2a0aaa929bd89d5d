"""The page about sessions shows the states as they are."""

from tests.support.session_diagram import PAGE, with_drawing


def test_the_drawing_is_the_table() -> None:
    page = PAGE.read_text()
    assert with_drawing(page) == page, "run: python -m tests.support.session_diagram"
