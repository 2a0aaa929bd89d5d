"""Answers to JSON: proto field names, enums as names, times as RFC 3339, 64-bit integers as numbers.

Fields without presence are always there; messages and `optional` fields only where they are set. The protobuf library's
own printer writes 64-bit integers as strings, which no reader of a sequence number expects, and reflects on each call.
"""

import base64
import json
from collections.abc import Callable
from functools import cache
from typing import Any

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct, Value

Convert = Callable[[Any], Any]
_WELL_KNOWN = "google.protobuf."


def write(message: Message) -> bytes:
    """Give a message as JSON, UTF-8."""
    return json.dumps(to_value(message), ensure_ascii=False, separators=(",", ":")).encode()


def to_value(message: Message) -> Any:
    """Give a message as a JSON-like value."""
    return _converter(message.DESCRIPTOR)(message)


@cache
def _converter(descriptor: Descriptor) -> Convert:
    if descriptor.full_name == "google.protobuf.Struct":
        return _struct
    if descriptor.full_name == "google.protobuf.Timestamp":
        return _timestamp
    if descriptor.full_name.startswith(_WELL_KNOWN) and descriptor.name != "Empty":
        return json_format.MessageToDict
    fields = tuple((field.name, field.has_presence, _field_converter(field)) for field in descriptor.fields)

    def convert(message: Message) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, has_presence, converted in fields:
            if has_presence and not message.HasField(name):
                continue
            value = getattr(message, name)
            values[name] = value if converted is None else converted(value)
        return values

    return convert


def _field_converter(field: FieldDescriptor) -> Convert | None:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        item = _single_converter(field.message_type.fields_by_name["value"])
        return lambda entries: {str(key): item(value) if item else value for key, value in entries.items()}
    single = _single_converter(field)
    if not field.is_repeated:
        return single
    return list if single is None else lambda values: [single(value) for value in values]


def _single_converter(field: FieldDescriptor) -> Convert | None:
    inner = field.message_type
    if inner is not None:
        # Looked up when used: messages may contain themselves.
        return lambda message: _converter(inner)(message)
    if field.enum_type is not None:
        return _enum_converter(field.enum_type)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return lambda value: base64.b64encode(value).decode()
    return None


def _enum_converter(enum: EnumDescriptor) -> Convert:
    names: dict[int, str] = {value.number: value.name for value in enum.values}
    return lambda number: names.get(number, number)


def _timestamp(value: Any) -> str:
    text: str = value.ToJsonString()
    return text


def _struct(struct: Struct) -> dict[str, Any]:
    return {name: _struct_value(value) for name, value in struct.fields.items()}


def _struct_value(value: Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return value.string_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "bool_value":
        return value.bool_value
    if kind == "struct_value":
        return _struct(value.struct_value)
    if kind == "list_value":
        return [_struct_value(item) for item in value.list_value.values]
    return None
