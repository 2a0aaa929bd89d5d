"""JSON bodies to request messages, with the place of whatever is wrong in them."""

import json
from collections.abc import Iterator
from typing import Any, NoReturn

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from orchestrator.domain.errors import (
    INVALID_ARGUMENT,
    INVALID_JSON,
    UNKNOWN_FIELD,
    ErrorCode,
    FieldViolation,
    PonteError,
)

_UNREADABLE = (json_format.ParseError, ValueError, TypeError)
"""What json_format raises; ValueError for text that is not Unicode, such as half of a surrogate pair."""


def parse_object(body: bytes) -> dict[str, Any]:
    """Parse a JSON object; an empty body is an empty one. Raises INVALID_JSON that says where it breaks."""
    if not body:
        return {}
    try:
        parsed = json.loads(
            body.decode(), object_pairs_hook=_without_repetition, parse_constant=_refuse_constant
        )
    except UnicodeDecodeError as error:
        raise PonteError(INVALID_JSON, f"The body is not UTF-8 at byte {error.start + 1}.") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise PonteError(INVALID_JSON, f"The body is not valid JSON at {where}: {error.msg}.") from None
    except RecursionError:
        raise PonteError(INVALID_JSON, "The body is nested too deeply.") from None
    except ValueError as error:
        raise PonteError(INVALID_JSON, f"The body is not valid JSON: {error}.") from None
    if not isinstance(parsed, dict):
        raise PonteError(INVALID_JSON, "The body is JSON, but not an object; give {...}.")
    return parsed


def fill(request: Message, descriptor: Descriptor, values: dict[str, Any]) -> None:
    """Put JSON values into a request. Raises UNKNOWN_FIELD or INVALID_ARGUMENT with each field's path."""
    try:
        json_format.ParseDict(values, request)
    except _UNREADABLE:
        raise _blame(values, descriptor) from None


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("an object has the same name twice")
    if not _is_unicode("".join(values)):
        raise ValueError("a name has half of a surrogate pair")
    return values


def _is_unicode(text: str) -> bool:
    # JSON's escapes can write half of a surrogate pair, which no protobuf text is and its look-up of names breaks on.
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _blame(values: dict[str, Any], descriptor: Descriptor) -> PonteError:
    """Find what json_format did not take, by offering it the parts one by one; only bad requests pay for this."""
    wrong = list(_wrong_fields(values, descriptor, ""))
    if not wrong:
        return PonteError(INVALID_ARGUMENT, f"Give only one of the contents of {descriptor.name}.")
    code = UNKNOWN_FIELD if any(found is UNKNOWN_FIELD for found, _ in wrong) else INVALID_ARGUMENT
    return PonteError(code, violations=tuple(violation for _, violation in wrong))


def _wrong_fields(
    values: dict[str, Any], descriptor: Descriptor, prefix: str
) -> Iterator[tuple[ErrorCode, FieldViolation]]:
    for name, value in values.items():
        path = f"{prefix}{_shortened(name)}"
        field = _field(descriptor, name)
        if field is None:
            yield UNKNOWN_FIELD, FieldViolation(path, f"{descriptor.name} has no field of this name.")
        elif not _fits(descriptor, {name: value}):
            yield from _wrong_values(value, field, descriptor, path)


def _wrong_values(
    value: Any, field: FieldDescriptor, owner: Descriptor, path: str
) -> Iterator[tuple[ErrorCode, FieldViolation]]:
    if field.is_repeated and isinstance(value, list):
        for index, item in enumerate(value):
            if not _fits(owner, {field.name: [item]}):
                yield from _wrong_value(item, field, f"{path}[{index}]")
        return
    yield from _wrong_value(value, field, path)


def _wrong_value(value: Any, field: FieldDescriptor, path: str) -> Iterator[tuple[ErrorCode, FieldViolation]]:
    inner = field.message_type
    if inner is not None and isinstance(value, dict) and not inner.full_name.startswith("google."):
        yield from _wrong_fields(value, inner, f"{path}.")
        return
    yield INVALID_ARGUMENT, FieldViolation(path, expected(field))


def _fits(descriptor: Descriptor, values: dict[str, Any]) -> bool:
    try:
        json_format.ParseDict(values, GetMessageClass(descriptor)())
    except _UNREADABLE:
        return False
    return True


def _field(descriptor: Descriptor, name: str) -> FieldDescriptor | None:
    return descriptor.fields_by_name.get(name) or descriptor.fields_by_camelcase_name.get(name)


def _shortened(name: str) -> str:
    return name[:100]


_EXPECTED = {
    FieldDescriptor.CPPTYPE_STRING: "Give a text.",
    FieldDescriptor.CPPTYPE_BOOL: "Give true or false.",
    FieldDescriptor.CPPTYPE_DOUBLE: "Give a number.",
    FieldDescriptor.CPPTYPE_FLOAT: "Give a number.",
    FieldDescriptor.CPPTYPE_INT32: "Give a whole number of at most 32 bits.",
    FieldDescriptor.CPPTYPE_INT64: "Give a whole number of at most 64 bits.",
    FieldDescriptor.CPPTYPE_UINT32: "Give a whole number, not negative, of at most 32 bits.",
    FieldDescriptor.CPPTYPE_UINT64: "Give a whole number, not negative, of at most 64 bits.",
}


def expected(field: FieldDescriptor) -> str:
    """Say what a field takes."""
    if field.enum_type is not None:
        names = [value.name for value in field.enum_type.values if value.number != 0]
        return f"Give one of {', '.join(names)}."
    if field.message_type is not None:
        is_time = field.message_type.full_name == "google.protobuf.Timestamp"
        return (
            "Give a time as RFC 3339 has it, for instance 2026-01-31T12:00:00Z."
            if is_time
            else "Give an object."
        )
    return _EXPECTED[field.cpp_type]
