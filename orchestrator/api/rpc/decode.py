"""Parts of requests to domain values; what is wrong names its field."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from orchestrator.domain.company import Scope
from orchestrator.domain.errors import INVALID_ARGUMENT, invalid_field
from orchestrator.domain.page import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, PageRequest

LONGEST_IDEMPOTENCY_KEY = 255
"""Characters; what the database keeps."""

Value = TypeVar("Value", bound=StrEnum)


class Paged(Protocol):
    """A request for a page."""

    page_size: int
    page_token: str


class Creating(Protocol):
    """A request that makes something once."""

    idempotency_key: str


def page(request: Paged) -> PageRequest:
    """Read page_size (0 means the default) and page_token. Raises INVALID_ARGUMENT."""
    size = request.page_size or DEFAULT_PAGE_SIZE
    if not 1 <= size <= MAX_PAGE_SIZE:
        raise invalid_field(INVALID_ARGUMENT, "page_size", f"Give 1 to {MAX_PAGE_SIZE}.")
    return PageRequest(size, request.page_token)


def idempotency_key(request: Creating) -> str:
    """Read the idempotency key, empty where there is none. Raises INVALID_ARGUMENT."""
    key = request.idempotency_key
    if len(key) > LONGEST_IDEMPOTENCY_KEY:
        raise invalid_field(
            INVALID_ARGUMENT, "idempotency_key", f"Give at most {LONGEST_IDEMPOTENCY_KEY} characters."
        )
    return key


def choice(number: int, name_of: Callable[[Any], str], values: type[Value], field: str) -> Value | None:
    """Read an enum by its `Name` function: None for UNSPECIFIED (0). Raises INVALID_ARGUMENT for an unknown one."""
    if number == 0:
        return None
    try:
        return values(name_of(number))
    except ValueError:
        known = ", ".join(value.value for value in values)
        raise invalid_field(INVALID_ARGUMENT, field, f"Give one of {known}.") from None


def moment(value: Timestamp, field: str) -> datetime:
    """Read a point in time, aware UTC. Raises INVALID_ARGUMENT for one that no calendar has."""
    try:
        return value.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise invalid_field(INVALID_ARGUMENT, field, "Give a time between the years 1 and 9999.") from None


def optional_moment(request: Message, field: str) -> datetime | None:
    """Read a field of `request` that is a point in time, None where it is not given. Raises as `moment`."""
    return moment(getattr(request, field), field) if request.HasField(field) else None


def scopes(names: Sequence[str]) -> tuple[Scope, ...]:
    """Read names of scopes. Raises INVALID_ARGUMENT for one that there is not."""
    known = {scope.value: scope for scope in Scope}
    for index, name in enumerate(names):
        if name not in known:
            raise invalid_field(INVALID_ARGUMENT, f"scopes[{index}]", f"Give some of {', '.join(known)}.")
    return tuple(known[name] for name in names)
