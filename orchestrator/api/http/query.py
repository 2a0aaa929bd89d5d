"""Query parameters to fields of a request: texts, numbers, enums by name, times, and lists by repetition."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from multidict import MultiMapping

from orchestrator.api.http.json_reader import expected
from orchestrator.domain.errors import (
    INVALID_ARGUMENT,
    UNKNOWN_FIELD,
    FieldViolation,
    PonteError,
    invalid_field,
)

_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,20}")
_TRUTHS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class _Parameter:
    field: FieldDescriptor
    put: Callable[[Message, str], None]


class QueryReader:
    """Fills the fields of one kind of request, except those that the path gives."""

    def __init__(self, descriptor: Descriptor, path_fields: frozenset[str]) -> None:
        self._parameters: dict[str, _Parameter] = {}
        for field in descriptor.fields:
            put = _putter(field)
            if put is not None and field.name not in path_fields:
                self._parameters[field.name] = _Parameter(field, put)

    def fill(self, request: Message, query: MultiMapping[str]) -> None:
        """Put the parameters into a request that may hold values of the body already.

        Raises UNKNOWN_FIELD, or INVALID_ARGUMENT for a value that does not fit or is given twice.
        """
        unknown = [name for name in dict.fromkeys(query) if name not in self._parameters]
        if unknown:
            violations = tuple(
                FieldViolation(name[:100], "There is no such query parameter here.") for name in unknown
            )
            raise PonteError(UNKNOWN_FIELD, violations=violations)
        for name in dict.fromkeys(query):
            self._fill_one(request, self._parameters[name], query.getall(name))

    @staticmethod
    def _fill_one(request: Message, parameter: _Parameter, texts: list[str]) -> None:
        field = parameter.field
        if any(present is field for present, _ in request.ListFields()):
            raise invalid_field(
                INVALID_ARGUMENT, field.name, "Give it in the body or in the query, not in both."
            )
        if len(texts) > 1 and not field.is_repeated:
            raise invalid_field(INVALID_ARGUMENT, field.name, "Give it once.")
        for text in texts:
            try:
                parameter.put(request, text)
            except (ValueError, TypeError, KeyError):
                raise invalid_field(INVALID_ARGUMENT, field.name, expected(field)) from None


def _putter(field: FieldDescriptor) -> Callable[[Message, str], None] | None:
    name = field.name
    if field.message_type is not None:
        if field.message_type.full_name != "google.protobuf.Timestamp" or field.is_repeated:
            return None
        return lambda message, text: getattr(message, name).FromJsonString(text)
    parse = _parser(field)
    if parse is None:
        return None
    if field.is_repeated:
        return lambda message, text: getattr(message, name).append(parse(text))
    return lambda message, text: setattr(message, name, parse(text))


def _parser(field: FieldDescriptor) -> Callable[[str], Any] | None:
    if field.type == FieldDescriptor.TYPE_STRING:
        return str
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return lambda text: _TRUTHS[text]
    if field.enum_type is not None:
        numbers = {value.name: value.number for value in field.enum_type.values}
        return lambda text: numbers[text]
    if field.cpp_type in (
        FieldDescriptor.CPPTYPE_INT32,
        FieldDescriptor.CPPTYPE_INT64,
        FieldDescriptor.CPPTYPE_UINT32,
        FieldDescriptor.CPPTYPE_UINT64,
    ):
        return _whole_number
    if field.cpp_type in (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT):
        return float
    return None


def _whole_number(text: str) -> int:
    if not _WHOLE_NUMBER.fullmatch(text):
        raise ValueError(text)
    return int(text)
