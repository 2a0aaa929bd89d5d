"""Contents between the domain and the public contract: both have the same fields, so protobuf's JSON mapping does."""

from typing import Any

from google.protobuf import json_format

from orchestrator._generated.ponte.v1 import content_pb2, message_pb2
from orchestrator.domain.content import Content, Text, from_values, to_values
from orchestrator.domain.errors import INVALID_ARGUMENT, invalid_field

_OPTIONS = ("reply_to", "mentions", "mention_all", "view_once", "expiration_s", "audience")


def encode(content: Content) -> content_pb2.Content:
    """Give a content as the contract has it."""
    if content.is_plain:
        return content_pb2.Content(text=content_pb2.TextContent(body=content.text))
    return json_format.ParseDict(to_values(content), content_pb2.Content())


def decode_request(request: message_pb2.SendMessageRequest) -> Content | None:
    """Read the content of a request; None where it has none, or forwards one."""
    kind = request.WhichOneof("content")
    if kind is None or kind == "forward":
        return None
    if kind == "text" and not request.text.HasField("preview") and not _has_options(request):
        return Content(Text(request.text.body))
    try:
        values: dict[str, Any] = json_format.MessageToDict(request, preserving_proto_field_name=True)
    except (json_format.Error, ValueError):
        raise invalid_field(INVALID_ARGUMENT, kind, "Give times between the years 1 and 9999.") from None
    return from_values({name: values[name] for name in (kind, *_OPTIONS) if name in values})


def _has_options(request: message_pb2.SendMessageRequest) -> bool:
    return any(getattr(request, name) for name in _OPTIONS)
