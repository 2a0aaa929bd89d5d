"""The error tree."""

import pytest

from orchestrator.domain import errors
from orchestrator.domain.errors import CODES, ErrorCode, FieldViolation, PonteError


def test_every_code_is_listed_under_its_own_name() -> None:
    named = {name: value for name, value in vars(errors).items() if isinstance(value, ErrorCode)}

    assert named == CODES


@pytest.mark.parametrize("code", CODES.values(), ids=str)
def test_every_code_has_a_stable_name_and_says_what_to_know_in_a_sentence(code: ErrorCode) -> None:
    assert code.name == code.name.upper()
    assert code.name.replace("_", "").isalpha()
    assert code.sentence[0].isupper()
    assert code.sentence.endswith(".")


def test_an_error_reads_as_its_code_and_its_own_words_or_else_the_codes() -> None:
    plain = PonteError(errors.NOT_FOUND)

    assert str(plain) == f"NOT_FOUND: {errors.NOT_FOUND.sentence}"
    assert PonteError(errors.INVALID_ARGUMENT, "Too much.").sentence == "Too much."
    assert plain.violations == ()
    assert plain.retry_after_s is None


def test_unknown_deleted_and_foreign_things_are_refused_in_the_same_words() -> None:
    assert str(errors.not_found()) == str(PonteError(errors.NOT_FOUND))


def test_an_error_about_a_field_names_it() -> None:
    described = errors.invalid_field(errors.INVALID_ARGUMENT, "name", "Give one.")
    plain = errors.invalid_field(errors.TEXT_EMPTY, "text.body")

    assert described.violations == (FieldViolation("name", "Give one."),)
    assert plain.violations == (FieldViolation("text.body", errors.TEXT_EMPTY.sentence),)
    assert plain.code is errors.TEXT_EMPTY
