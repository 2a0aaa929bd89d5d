"""JSON Schemas of the contract's messages, as the JSON reader takes them and the JSON writer gives them."""

from collections.abc import Iterable
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from orchestrator.api.http.openapi.comments import comments

Schema = dict[str, Any]

_TYPES: dict[int, Schema] = {
    FieldDescriptor.CPPTYPE_STRING: {"type": "string"},
    FieldDescriptor.CPPTYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.CPPTYPE_INT32: {"type": "integer", "format": "int32"},
    FieldDescriptor.CPPTYPE_INT64: {"type": "integer", "format": "int64"},
    FieldDescriptor.CPPTYPE_UINT32: {"type": "integer", "format": "int64", "minimum": 0},
    FieldDescriptor.CPPTYPE_UINT64: {"type": "integer", "minimum": 0},
    FieldDescriptor.CPPTYPE_DOUBLE: {"type": "number", "format": "double"},
    FieldDescriptor.CPPTYPE_FLOAT: {"type": "number", "format": "float"},
}
_WELL_KNOWN: dict[str, Schema] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Struct": {"type": "object", "additionalProperties": True},
    "google.protobuf.Empty": {"type": "object"},
}


class Schemas:
    """Collects schemas under `#/components/schemas/` as they are referred to.

    Messages of `answers` that no request has say which fields are always there.
    """

    def __init__(self, answers: Iterable[Descriptor], requests: Iterable[Descriptor]) -> None:
        in_requests = _reachable(requests)
        self._always_complete = _reachable(answers) - in_requests
        self.components: dict[str, Schema] = {}

    def reference(self, descriptor: Descriptor) -> Schema:
        """Give a reference to a message's schema."""
        name = _component_name(descriptor)
        if name not in self.components:
            self.components[name] = {}
            self.components[name] = self.message(descriptor)
        return {"$ref": f"#/components/schemas/{name}"}

    def message(self, descriptor: Descriptor, without: frozenset[str] = frozenset()) -> Schema:
        """Give a message's schema, with some fields left out."""
        fields = [field for field in descriptor.fields if field.name not in without]
        schema: Schema = {"type": "object", "properties": {field.name: self.field(field) for field in fields}}
        if text := comments().get(descriptor.full_name):
            schema["description"] = text
        if descriptor.full_name in self._always_complete:
            schema["required"] = [field.name for field in fields if not field.has_presence]
        else:
            schema["additionalProperties"] = False
        return schema

    def field(self, field: FieldDescriptor) -> Schema:
        """Give a field's schema with its comment."""
        schema = self._single(field)
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            value = self._single(field.message_type.fields_by_name["value"])
            schema = {"type": "object", "additionalProperties": value}
        elif field.is_repeated:
            schema = {"type": "array", "items": schema}
        if text := comments().get(field.full_name):
            schema = {**schema, "description": text}
        return schema

    def _single(self, field: FieldDescriptor) -> Schema:
        if field.enum_type is not None:
            return {"type": "string", "enum": [value.name for value in field.enum_type.values]}
        if field.message_type is None:
            return dict(_TYPES[field.cpp_type])
        known = _WELL_KNOWN.get(field.message_type.full_name)
        return dict(known) if known is not None else self.reference(field.message_type)


def _component_name(descriptor: Descriptor) -> str:
    return descriptor.full_name.removeprefix("ponte.v1.")


def _reachable(roots: Iterable[Descriptor]) -> set[str]:
    seen: set[str] = set()
    waiting = list(roots)
    while waiting:
        descriptor = waiting.pop()
        if descriptor.full_name in seen or descriptor.full_name in _WELL_KNOWN:
            continue
        seen.add(descriptor.full_name)
        waiting += [field.message_type for field in descriptor.fields if field.message_type is not None]
    return seen
