"""Answers as JSON: what protobuf's own printer gives, save 64-bit integers as numbers."""

import json
from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from orchestrator._generated.ponte.v1 import event_pb2, message_pb2
from orchestrator.api.http import json_writer
from orchestrator.api.methods import Method, public_methods

ANSWERS = {method.output.full_name: method for method in public_methods()}
_SAMPLES: dict[int, Any] = {
    FieldDescriptor.CPPTYPE_STRING: 'ção "quoted" \n👋',
    FieldDescriptor.CPPTYPE_BOOL: True,
    FieldDescriptor.CPPTYPE_INT32: -7,
    FieldDescriptor.CPPTYPE_INT64: 2**52 + 1,
    FieldDescriptor.CPPTYPE_UINT32: 7,
    FieldDescriptor.CPPTYPE_DOUBLE: -1.5,
}


def filled(descriptor: Descriptor) -> Message:
    """A message in which every field is set."""
    message: Any = GetMessageClass(descriptor)()
    if descriptor.full_name == "google.protobuf.Timestamp":
        message.FromJsonString("2026-01-05T12:00:00.123456Z")
    elif descriptor.full_name == "google.protobuf.Struct":
        message.update(
            {"text": "x", "n": 3, "f": 0.5, "yes": True, "none": None, "list": [1, {"a": []}], "o": {}}
        )
    else:
        for field in descriptor.fields:
            put(message, field)
    return message  # type: ignore[no-any-return]  # made by the factory


def _is_map(field: FieldDescriptor) -> bool:
    """Answers have maps of numbers only."""
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def put(message: Any, field: FieldDescriptor) -> None:
    """Set one field."""
    if _is_map(field):
        getattr(message, field.name)["key"] = 1
        return
    if field.message_type is not None:
        target = getattr(message, field.name)
        (target.add() if field.is_repeated else target).CopyFrom(filled(field.message_type))
        return
    value = 1 if field.enum_type is not None else _SAMPLES[field.cpp_type]
    if field.type == FieldDescriptor.TYPE_BYTES:
        value = b"x"
    if field.is_repeated:
        getattr(message, field.name).append(value)
    else:
        setattr(message, field.name, value)


def by_library(message: Message) -> Any:
    """What protobuf's printer gives, its 64-bit strings turned into numbers."""
    printed = json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return _with_numbers(printed, message.DESCRIPTOR)


def _with_numbers(value: Any, descriptor: Any) -> Any:
    if descriptor.full_name.startswith("google.protobuf."):
        return value
    for field in descriptor.fields:
        if field.name not in value:
            continue
        if _is_map(field):
            value[field.name] = {key: int(number) for key, number in value[field.name].items()}
        elif field.message_type is not None:
            inner = value[field.name]
            for one in inner if isinstance(inner, list) else [inner]:
                _with_numbers(one, field.message_type)
        elif field.cpp_type == FieldDescriptor.CPPTYPE_INT64:
            value[field.name] = int(value[field.name])
    return value


@pytest.mark.parametrize("name", ANSWERS)
def test_full_answer_is_written_as_the_library_does(name: str) -> None:
    method: Method = ANSWERS[name]
    message = filled(method.output)
    assert json.loads(json_writer.write(message)) == by_library(message)


@pytest.mark.parametrize("name", ANSWERS)
def test_empty_answer_has_its_stable_shape(name: str) -> None:
    method: Method = ANSWERS[name]
    assert json.loads(json_writer.write(method.response())) == by_library(method.response())


def test_sequence_is_a_number() -> None:
    written = json.loads(json_writer.write(event_pb2.Event(sequence=2**40)))
    assert written["sequence"] == 2**40


def test_unknown_enum_number_is_written_as_it_is() -> None:
    message = message_pb2.Message()
    message.MergeFromString(b"\x48\x63")  # field 9 (status), 99
    assert json.loads(json_writer.write(message))["status"] == 99


def test_text_is_written_readable() -> None:
    written = json_writer.write(message_pb2.Text(body="Olá"))
    assert written == '{"body":"Olá"}'.encode()
