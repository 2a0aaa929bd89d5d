"""Content as JSON-like values and back: field by field the public contract's JSON, without what has its default.

One codec for storage and events; protobuf's own JSON mapping makes contract messages of the same values. It reads the
dataclasses themselves, so that a new kind is written down once.
"""

import base64
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime
from functools import cache
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from orchestrator.domain.content.content import BODIES, Content
from orchestrator.domain.content.things import Unknown

_OPTIONS = (
    "reply_to",
    "mentions",
    "mention_all",
    "forwarded",
    "view_once",
    "expiration_s",
    "reference",
    "album_wa_message_id",
    "audience",
)


def to_values(content: Content) -> dict[str, Any]:
    """Give a content as JSON-like values: its body under its kind, and the options beside it."""
    values: dict[str, Any] = {content.kind: record_to_values(content.body)}
    for name in _OPTIONS:
        value = getattr(content, name)
        if value:
            values[name] = _to_value(value)
    return values


def from_values(values: Mapping[str, Any]) -> Content:
    """Read what `to_values` gave. A kind that this version does not know becomes Unknown."""
    kind = next((name for name in values if name in BODIES), None)
    body = (
        record_from_values(BODIES[kind], values[kind])
        if kind
        else Unknown(name=next(iter(values), "unknown"))
    )
    options = {name: read(values[name]) for name, read in _option_readers().items() if name in values}
    return Content(body, **options)


def record_to_values(record: Any) -> dict[str, Any]:
    """Give a dataclass as JSON-like values, without fields that have their type's default."""
    values: dict[str, Any] = {}
    for field in fields(record):
        value = getattr(record, field.name)
        if value or is_dataclass(value):
            values[field.name] = _to_value(value)
    return values


def record_from_values(kind: Any, values: Mapping[str, Any]) -> Any:
    """Read what `record_to_values` gave of a `kind`; names that it does not have are left out."""
    arguments = {name: read(values[name]) for name, read in _readers(kind).items() if name in values}
    for name, default in _required(kind).items():
        arguments.setdefault(name, default)
    return kind(**arguments)


def _to_value(value: Any) -> Any:
    if is_dataclass(value):
        return record_to_values(value)
    if isinstance(value, tuple):
        return [_to_value(item) for item in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return rfc3339(value) if isinstance(value, datetime) else value


@cache
def _option_readers() -> dict[str, Callable[[Any], Any]]:
    hints = get_type_hints(Content)
    return {name: _reader(hints[name]) for name in _OPTIONS}


@cache
def _readers(kind: Any) -> dict[str, Callable[[Any], Any]]:
    hints = get_type_hints(kind)
    return {field.name: _reader(hints[field.name]) for field in fields(kind)}


@cache
def _required(kind: Any) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name]() for field in fields(kind) if field.default is MISSING}


def _reader(hint: Any) -> Callable[[Any], Any]:
    if get_origin(hint) is UnionType:
        [hint] = [part for part in get_args(hint) if part is not type(None)]
    if get_origin(hint) is tuple:
        item = _reader(get_args(hint)[0])
        return lambda values: tuple(item(value) for value in values)
    if is_dataclass(hint):
        return lambda values: record_from_values(hint, values)
    if hint is bytes:
        return base64.b64decode
    return datetime.fromisoformat if hint is datetime else hint


def rfc3339(moment: datetime) -> str:
    """Write a time as protobuf's JSON does: UTC with a `Z`, and 0, 3 or 6 digits of a second's fraction."""
    precision = "milliseconds" if moment.microsecond and moment.microsecond % 1000 == 0 else "auto"
    return moment.astimezone(UTC).isoformat(timespec=precision).removesuffix("+00:00") + "Z"
