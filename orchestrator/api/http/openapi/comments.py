"""Comments of the .proto files by the full name of what they stand on."""

from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    ServiceDescriptorProto,
)

_Path = tuple[int, ...]

# Field numbers of descriptor.proto, of which SourceCodeInfo's paths are made.
_FILE_MESSAGES, _FILE_ENUMS, _FILE_SERVICES = 4, 5, 6
_MESSAGE_FIELDS, _MESSAGE_MESSAGES, _MESSAGE_ENUMS = 2, 3, 4
_ENUM_VALUES = 2
_SERVICE_METHODS = 2


@cache
def comments() -> dict[str, str]:
    """Give each comment on one line, for instance {"ponte.v1.Message.chat": "The chat's jid."}."""
    data = (files("orchestrator._generated") / "descriptors.binpb").read_bytes()
    found: dict[str, str] = {}
    for file in FileDescriptorSet.FromString(data).file:
        texts = {
            tuple(location.path): " ".join(location.leading_comments.split())
            for location in file.source_code_info.location
            if location.leading_comments
        }
        found.update((name, texts[path]) for name, path in _names(file) if path in texts)
    return found


def _names(file: FileDescriptorProto) -> Iterator[tuple[str, _Path]]:
    yield from _message_names(file.message_type, file.package, (_FILE_MESSAGES,))
    yield from _enum_names(file.enum_type, file.package, (_FILE_ENUMS,))
    yield from _service_names(file.service, file.package)


def _message_names(
    messages: Sequence[DescriptorProto], prefix: str, path: _Path
) -> Iterator[tuple[str, _Path]]:
    for index, message in enumerate(messages):
        name, here = f"{prefix}.{message.name}", (*path, index)
        yield name, here
        for position, field in enumerate(message.field):
            yield f"{name}.{field.name}", (*here, _MESSAGE_FIELDS, position)
        yield from _message_names(message.nested_type, name, (*here, _MESSAGE_MESSAGES))
        yield from _enum_names(message.enum_type, name, (*here, _MESSAGE_ENUMS))


def _enum_names(
    enums: Sequence[EnumDescriptorProto], prefix: str, path: _Path
) -> Iterator[tuple[str, _Path]]:
    for index, enum in enumerate(enums):
        name, here = f"{prefix}.{enum.name}", (*path, index)
        yield name, here
        for position, value in enumerate(enum.value):
            yield f"{name}.{value.name}", (*here, _ENUM_VALUES, position)


def _service_names(services: Sequence[ServiceDescriptorProto], prefix: str) -> Iterator[tuple[str, _Path]]:
    for index, service in enumerate(services):
        name = f"{prefix}.{service.name}"
        yield name, (_FILE_SERVICES, index)
        for position, method in enumerate(service.method):
            yield f"{name}.{method.name}", (_FILE_SERVICES, index, _SERVICE_METHODS, position)
