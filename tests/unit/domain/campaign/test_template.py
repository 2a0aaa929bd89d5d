"""Texts with variables."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.campaign.template import (
    Variable,
    is_field_name,
    missing,
    parse,
    values_of,
)
from orchestrator.domain.errors import PonteError


def test_variables_are_filled_in() -> None:
    template = parse("Hi {first_name}, {greeting}!")

    assert template.pieces == ("Hi ", Variable("first_name"), ", ", Variable("greeting"), "!")
    assert template.render({"first_name": "Ana", "greeting": "good day"}) == "Hi Ana, good day!"


def test_a_default_stands_in_for_a_missing_or_empty_value() -> None:
    template = parse("Hi {name|friend}{title|}.")

    assert template.render({}) == "Hi friend."
    assert template.render({"name": "", "title": ""}) == "Hi friend."
    assert template.render({"name": "Ana"}) == "Hi Ana."
    assert template.needed == frozenset()


def test_a_missing_value_without_a_default_is_an_error_that_names_it() -> None:
    with pytest.raises(PonteError, match=r"TEMPLATE_VARIABLE_MISSING.*\{name\}"):
        parse("{name}").render({"first_name": "Ana"})


def test_doubled_braces_are_braces() -> None:
    assert parse("{{name}} {name}").render({"name": "Ana"}) == "{name} Ana"


@pytest.mark.parametrize(
    "text", ["{name", "name}", "{}", "{Name}", "{1st}", "{first name}", "{a{b}}", "{|x}"]
)
def test_a_text_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(PonteError) as refused:
        parse(text)
    assert refused.value.code.name == "TEMPLATE_INVALID"


def test_white_space_around_a_name_does_not_count() -> None:
    assert parse("{ name }").needed == {"name"}


@given(st.text())
def test_a_text_whose_braces_are_doubled_comes_out_as_it_was(text: str) -> None:
    assert parse(text.replace("{", "{{").replace("}", "}}")).render({}) == text


def test_the_first_name_is_the_first_word_of_the_name() -> None:
    assert values_of("Ana Maria Silva", {"city": "Recife", "empty": ""}) == {
        "city": "Recife",
        "name": "Ana Maria Silva",
        "first_name": "Ana",
    }
    assert values_of("Ana Silva", {"first_name": "Aninha"})["first_name"] == "Aninha"
    assert values_of("Ana Silva", {"name": "Dr. Ana"})["name"] == "Dr. Ana"
    assert values_of(" ", {"name": " "}) == {}


def test_what_recipients_lack_is_counted_by_variable() -> None:
    templates = [parse("{name} {city}"), parse("{date} {greeting} {code|none} {name}")]

    assert missing(templates, {"name": 10, "city": 7}, 10) == {"city": 3}
    assert missing(templates, {}, 2) == {"city": 2, "name": 2}


def test_field_names_are_small_letters_digits_and_underscores() -> None:
    assert is_field_name("order_2")
    assert not is_field_name("2nd")
    assert not is_field_name("a" * 41)


def test_a_text_with_a_greeting_or_a_date_tells_the_time() -> None:
    assert parse("{greeting}, {name}").tells_time
    assert parse("today, {date|soon}").tells_time
    assert not parse("{name}: greeting {{date}}").tells_time
