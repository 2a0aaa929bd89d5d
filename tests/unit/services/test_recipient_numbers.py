"""Phone numbers as they stand in people's files."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.services.recipient_numbers import is_possible, is_region, to_e164, zones_of


@pytest.mark.parametrize(
    ("given_number", "region", "number"),
    [
        ("(11) 98765-4321", "BR", "+5511987654321"),
        ("011 98765 4321", "BR", "+5511987654321"),
        ("5511987654321", "BR", "+5511987654321"),
        ("+55 11 98765\u20134321", "US", "+5511987654321"),
        ("0055 11 98765.4321", "BR", "+5511987654321"),
        ("\u202a+1 (415) 555-2671\u202c", "BR", "+14155552671"),
        ("4155552671", "US", "+14155552671"),
        ("5511987654321", "", "+5511987654321"),
        ("+800 1234 5678", "BR", "+80012345678"),
        ("+52 1 55 1234 5678", "BR", "+5215512345678"),
    ],
)
def test_a_number_is_brought_to_one_form(given_number: str, region: str, number: str) -> None:
    assert to_e164(given_number, region) == number


@pytest.mark.parametrize(
    "given_number", ["", "Ana", "+", "+0111", "12", "9" * 60, "+5511987654321x", "٣٣٣٣٣٣٣٣"]
)
def test_what_is_no_number_gives_nothing(given_number: str) -> None:
    assert to_e164(given_number, "BR") == ""


@given(st.from_regex(r"\A\+[1-9][0-9]{5,15}\Z"))
def test_the_quick_look_agrees_with_the_library(number: str) -> None:
    try:
        expected = len(number) <= 16 and phonenumbers.is_possible_number(phonenumbers.parse(number, None))
    except phonenumbers.NumberParseException:
        expected = False
    assert is_possible(number) == (expected and len(number) >= 8)


def test_a_number_tells_the_zones_that_it_may_lie_in() -> None:
    assert zones_of("+5592987654321") == ("America/Manaus",)
    assert set(zones_of("+351912345678")) == {"Atlantic/Azores", "Europe/Lisbon"}
    assert zones_of("+80012345678") == ()
    assert zones_of("nothing") == ()


def test_regions_are_those_of_the_library() -> None:
    assert is_region("BR")
    assert not is_region("XX")
