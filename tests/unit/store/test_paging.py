"""Page tokens."""

import base64
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import BigInteger, Column, MetaData, String, Table, select

from orchestrator.domain.errors import INVALID_ARGUMENT, INVALID_PAGE_TOKEN, PonteError
from orchestrator.domain.page import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, PageRequest
from orchestrator.store.paging import after_token, page_of, page_size

THINGS = Table("thing", MetaData(), Column("id", String), Column("sequence", BigInteger))


def token_after(position: str | int) -> str:
    """The token that a full page gives."""
    return page_of([position, position], PageRequest(1), lambda item: item).next_token


def encoded(json_text: bytes) -> str:
    return base64.urlsafe_b64encode(json_text).decode().rstrip("=")


def bound_of(column: Column[str] | Column[int], token: str) -> object:
    query = after_token(select(THINGS), column, PageRequest(10, token))
    return next(value for name, value in query.compile().params.items() if name.startswith(column.name))


@given(st.text(max_size=40).filter(lambda text: "\0" not in text))
def test_a_text_token_leads_back_to_its_position(position: str) -> None:
    assert bound_of(THINGS.c.id, token_after(position)) == position


@given(st.integers(-(2**63) + 1, 2**63 - 1))
def test_a_number_token_leads_back_to_its_position(position: int) -> None:
    assert bound_of(THINGS.c.sequence, token_after(position)) == position


@pytest.mark.parametrize(
    "token",
    [
        "?",
        "a",
        "ü",
        "a" * 501,
        encoded(b"null"),
        encoded(b"true"),
        encoded(b"1.5"),
        encoded(b"[1]"),
        encoded(b"{}"),
        encoded(b"\xff"),
        encoded(b'"with\\u0000nul"'),
        encoded(b"[" * 300),
    ],
)
@pytest.mark.parametrize("column", [THINGS.c.id, THINGS.c.sequence], ids=["text", "number"])
def test_any_other_token_is_refused(column: Column[str], token: str) -> None:
    with pytest.raises(PonteError) as failure:
        after_token(select(THINGS), column, PageRequest(10, token))
    assert failure.value.code is INVALID_PAGE_TOKEN


@given(st.text(max_size=60))
def test_random_tokens_never_fail_in_another_way(token: str) -> None:
    with suppress(PonteError):
        after_token(select(THINGS), THINGS.c.id, PageRequest(10, token))


def test_a_token_of_another_list_is_refused() -> None:
    for column, position in ((THINGS.c.id, 7), (THINGS.c.sequence, "7"), (THINGS.c.sequence, 2**63)):
        with pytest.raises(PonteError, match="INVALID_PAGE_TOKEN"):
            after_token(select(THINGS), column, PageRequest(10, token_after(position)))


def test_the_last_page_has_no_token() -> None:
    assert page_of([3, 2], PageRequest(2), lambda item: item).next_token == ""
    page = page_of([3, 2, 1], PageRequest(2), lambda item: item)
    assert (list(page.items), page.next_token) == ([3, 2], token_after(2))


def test_the_size_is_bounded_and_has_a_default() -> None:
    assert page_size(PageRequest(0)) == DEFAULT_PAGE_SIZE
    assert page_size(PageRequest(MAX_PAGE_SIZE)) == MAX_PAGE_SIZE
    for size in (-1, MAX_PAGE_SIZE + 1):
        with pytest.raises(PonteError) as failure:
            page_size(PageRequest(size))
        assert failure.value.code is INVALID_ARGUMENT
        assert failure.value.violations[0].field == "page_size"
