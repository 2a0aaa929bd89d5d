"""A page of a list."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 500

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page is asked for: at most `size` things (1 to 500), after the opaque `token` of the page before."""

    size: int = DEFAULT_PAGE_SIZE
    token: str = ""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Things in order, and the token of the next page; empty on the last."""

    items: Sequence[T]
    next_token: str = ""
