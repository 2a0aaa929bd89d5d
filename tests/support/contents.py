"""Any content, for property tests: every kind, with any values that its fields hold."""

from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from orchestrator.domain.content import BODIES, Body, Content

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
"""What protobuf and PostgreSQL hold: no half of a surrogate pair, no NUL."""

_PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXTS,
    bool: st.booleans(),
    int: st.integers(0, 2**31 - 1),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bytes: st.binary(max_size=20),
    datetime: st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)),  # noqa: DTZ001
}


def records(kind: Any) -> st.SearchStrategy[Any]:
    """Any value of a dataclass."""
    hints = get_type_hints(kind)
    return st.builds(kind, **{field.name: _values(hints[field.name]) for field in fields(kind)})


def bodies() -> st.SearchStrategy[Body]:
    """Any body of any kind."""
    return st.one_of([records(body) for body in BODIES.values()])


def contents() -> st.SearchStrategy[Content]:
    """Any content."""
    hints = get_type_hints(Content)
    options = {field.name: _values(hints[field.name]) for field in fields(Content) if field.name != "body"}
    return st.builds(Content, bodies(), **options)


def _values(hint: Any) -> st.SearchStrategy[Any]:
    if get_origin(hint) is UnionType:
        return st.one_of([st.none() if part is type(None) else _values(part) for part in get_args(hint)])
    if get_origin(hint) is tuple:
        return st.lists(_values(get_args(hint)[0]), max_size=3).map(tuple)
    return records(hint) if is_dataclass(hint) else _PLAIN[hint]
