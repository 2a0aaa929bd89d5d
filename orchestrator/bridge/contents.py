"""What a message says, from the bridge's contract."""

import json

from google.protobuf import json_format

from orchestrator._generated.ponte.bridge.v1 import bridge_pb2, history_pb2
from orchestrator.domain.content import Content, Unknown, from_values, to_values


def received_content(message: bridge_pb2.InboundMessage | history_pb2.HistoryMessage) -> Content | None:
    """Read any content but a plain text; one that the contract does not allow is kept as unknown."""
    if not message.HasField("content"):
        return None
    try:
        content = from_values(json_format.MessageToDict(message.content, preserving_proto_field_name=True))
        # Numbers that JSON does not have, and times that no calendar has.
        json.dumps(to_values(content), allow_nan=False)
    except (json_format.Error, ValueError, OverflowError):
        return Content(Unknown(message.kind))
    return content
