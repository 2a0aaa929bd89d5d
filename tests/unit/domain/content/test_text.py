"""The first link of a text."""

import pytest

from orchestrator.domain.content.text import first_link


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("see https://ponte.example/a?b=c#d, then", "https://ponte.example/a?b=c#d"),
        ("(http://ponte.example) and https://other.example", "http://ponte.example"),
        ("*HTTPS://ponte.example*", "HTTPS://ponte.example"),
        ("https://ponte.example/a_(film), (https://ponte.example/b_(c))", "https://ponte.example/a_(film)"),
        ("(https://ponte.example/b_(c)).", "https://ponte.example/b_(c)"),
        (f"https://ponte.example/{'a' * 2048}", ""),
        ("ponte.example and ftp://ponte.example", ""),
        ("", ""),
    ],
)
def test_a_link_ends_where_the_sentence_goes_on(text: str, link: str) -> None:
    assert first_link(text) == link
