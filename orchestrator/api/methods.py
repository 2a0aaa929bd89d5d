"""The public methods, read from the contract's descriptors once at start."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from google.api import annotations_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor, FileDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from orchestrator._generated.ponte.v1 import (
    campaign_pb2,
    channel_pb2,
    chat_pb2,
    company_pb2,
    contact_pb2,
    content_pb2,
    event_pb2,
    group_pb2,
    import_pb2,
    media_pb2,
    message_pb2,
    policy_pb2,
    recipient_pb2,
    session_pb2,
    suppression_pb2,
    webhook_pb2,
)

PUBLIC_FILES = (
    company_pb2.DESCRIPTOR,
    session_pb2.DESCRIPTOR,
    message_pb2.DESCRIPTOR,
    content_pb2.DESCRIPTOR,
    contact_pb2.DESCRIPTOR,
    channel_pb2.DESCRIPTOR,
    chat_pb2.DESCRIPTOR,
    event_pb2.DESCRIPTOR,
    media_pb2.DESCRIPTOR,
    group_pb2.DESCRIPTOR,
    import_pb2.DESCRIPTOR,
    recipient_pb2.DESCRIPTOR,
    campaign_pb2.DESCRIPTOR,
    policy_pb2.DESCRIPTOR,
    suppression_pb2.DESCRIPTOR,
    webhook_pb2.DESCRIPTOR,
)
"""The files whose services are public; a new one is added here."""


@dataclass(frozen=True, slots=True)
class Method:
    """One public method: its name in both doors, its messages, and its REST route."""

    service: str
    """For instance `ponte.v1.MessageService`."""
    name: str
    """For instance `SendMessage`."""
    request: type[Message]
    response: type[Message]
    input: Descriptor
    output: Descriptor
    streams: bool
    http_verb: str
    http_path: str
    """The path template of google.api.http, for instance `/v1/messages/{message_id}:cancel`."""
    has_body: bool

    @property
    def full_name(self) -> str:
        """The name in gRPC's form without the leading slash: `ponte.v1.MessageService/SendMessage`."""
        return f"{self.service}/{self.name}"


@cache
def public_methods() -> tuple[Method, ...]:
    """Give all methods in the order of the contract. Raises ValueError for an annotation that is not served."""
    return tuple(_read(method) for file in PUBLIC_FILES for method in _methods_of(file))


def _methods_of(file: FileDescriptor) -> Iterator[MethodDescriptor]:
    for service in file.services_by_name.values():
        yield from service.methods


def _read(method: MethodDescriptor) -> Method:
    rule = method.GetOptions().Extensions[annotations_pb2.http]
    verb = rule.WhichOneof("pattern")
    if verb is None or verb == "custom":
        raise ValueError(f"{method.full_name} has no google.api.http annotation that can be served")
    if rule.body not in ("", "*") or rule.additional_bindings or rule.response_body:
        raise ValueError(f'{method.full_name}: only body "*" and one binding are served')
    if method.client_streaming:
        raise ValueError(f"{method.full_name}: streams of requests are not served")
    return Method(
        service=method.containing_service.full_name,
        name=method.name,
        request=GetMessageClass(method.input_type),
        response=GetMessageClass(method.output_type),
        input=method.input_type,
        output=method.output_type,
        streams=method.server_streaming,
        http_verb=verb.upper(),
        http_path=getattr(rule, verb),
        has_body=rule.body == "*",
    )


StringReader = Callable[[Message], str]


def string_fields(request: type[Message]) -> tuple[tuple[str, StringReader], ...]:
    """Give the path and a reader of each string in a request, one message deep (requests are no deeper).

    Repeated strings are read as one, joined.
    """
    found: list[tuple[str, StringReader]] = []
    for field in request.DESCRIPTOR.fields:
        if field.type == FieldDescriptor.TYPE_STRING:
            found.append((field.name, _joined(field.name) if field.is_repeated else _single(field.name)))
        elif field.message_type is not None and not field.is_repeated:
            found += [
                (f"{field.name}.{inner.name}", _nested(field.name, inner.name))
                for inner in field.message_type.fields
                if inner.type == FieldDescriptor.TYPE_STRING and not inner.is_repeated
            ]
    return tuple(found)


def _single(name: str) -> StringReader:
    return lambda message: getattr(message, name)


def _joined(name: str) -> StringReader:
    return lambda message: "".join(getattr(message, name))


def _nested(outer: str, name: str) -> StringReader:
    return lambda message: getattr(getattr(message, outer), name)
