"""Page tokens: where a list goes on, opaque to the caller."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select

from orchestrator.domain.errors import INVALID_ARGUMENT, INVALID_PAGE_TOKEN, PonteError, invalid_field
from orchestrator.domain.page import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, Page, PageRequest

T = TypeVar("T")

_LONGEST_TOKEN = 500


def page_size(request: PageRequest) -> int:
    """Give the size asked for, the default for 0. Raises INVALID_ARGUMENT outside of 1 to 500."""
    if request.size == 0:
        return DEFAULT_PAGE_SIZE
    if not 0 < request.size <= MAX_PAGE_SIZE:
        raise invalid_field(INVALID_ARGUMENT, "page_size", f"Give 1 to {MAX_PAGE_SIZE}.")
    return request.size


def after_token(query: Select[Any], column: ColumnElement[Any], page: PageRequest) -> Select[Any]:
    """Order a query newest first by a unique column of text or whole numbers, begin where the page does, and ask for
    one row more than it holds, for `page_of`.

    Raises INVALID_ARGUMENT for a bad size, INVALID_PAGE_TOKEN for a token that no such list gave.
    """
    if page.token:
        # SQLModel's own type for text does not know its Python type.
        expected = int if column.type.python_type is int else str
        query = query.where(column < _decode(page.token, expected))
    return query.order_by(column.desc()).limit(page_size(page) + 1)


def page_of(items: Sequence[T], page: PageRequest, position: Callable[[T], str | int]) -> Page[T]:
    """Make the page from what a query by `after_token` gave; `position` gives an item's value of the column."""
    size = page_size(page)
    shown = items[:size]
    return Page(shown, _encode(position(shown[-1])) if len(items) > size else "")


def _encode(position: str | int) -> str:
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def _decode(token: str, expected: type) -> str | int:
    if len(token) > _LONGEST_TOKEN:
        raise PonteError(INVALID_PAGE_TOKEN)
    try:
        padded = token + "=" * (-len(token) % 4)
        position = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise PonteError(INVALID_PAGE_TOKEN) from None
    if not isinstance(position, str | int) or type(position) is not expected:
        raise PonteError(INVALID_PAGE_TOKEN)
    if (isinstance(position, str) and "\0" in position) or (
        isinstance(position, int) and abs(position) >= 1 << 63
    ):
        raise PonteError(INVALID_PAGE_TOKEN)
    return position
