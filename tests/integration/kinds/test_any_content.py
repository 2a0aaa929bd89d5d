"""Any content survives REST, gRPC, storage and events unchanged; any bytes as a message break nothing."""

import json
from dataclasses import dataclass, replace
from itertools import count

import pytest
from google.protobuf import json_format
from google.protobuf.message import DecodeError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator._generated.ponte.bridge.v1 import bridge_pb2
from orchestrator._generated.ponte.v1 import content_pb2, message_pb2
from orchestrator.api.http import json_reader, json_writer
from orchestrator.api.rpc import content as content_codec
from orchestrator.api.rpc import encode
from orchestrator.bridge import decode
from orchestrator.bridge.messages import InboundArrived
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.content import Content, from_values, to_values
from orchestrator.domain.inbound import InboundMessage
from orchestrator.services.context import Context
from orchestrator.services.inbox import InboxService
from orchestrator.store import events
from orchestrator.store import messages as message_store
from tests.support.contents import contents
from tests.support.factories import Factories

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])

FENCE = 3
REQUEST = message_pb2.SendMessageRequest.DESCRIPTOR
SENDABLE = {field.name for field in REQUEST.oneofs_by_name["content"].fields} - {"forward"}

any_time = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
_numbers = count()


@dataclass(frozen=True)
class Line:
    """A company's session that a gateway holds."""

    context: Context
    scope: CompanyScope
    session_id: str


@pytest.fixture
async def line(context: Context, make: Factories) -> Line:
    scope = await make.company()
    return Line(context, scope, (await make.linked_session(scope, fence=FENCE)).id)


@given(content=contents())
@any_time
async def test_any_content_survives_storage_events_rest_and_grpc(line: Line, content: Content) -> None:
    wa_id = f"A{next(_numbers)}"
    proto = bridge_pb2.InboundMessage(request_id=1, wa_message_id=wa_id, chat_jid="7@lid", kind=content.kind)
    proto.content.CopyFrom(json_format.ParseDict(to_values(content), content_pb2.Content()))
    inbound = _arrived(proto).message
    assert inbound.content == content

    # A reference that names nothing known leaves the content as it is.
    await InboxService(line.context).record(line.scope, line.session_id, FENCE, inbound)
    async with line.context.database.reading(line.scope) as tx:
        [stored] = await message_store.find_by_whatsapp_ids(tx, line.scope, line.session_id, [wa_id])
        recorded = await events.list_after(tx, line.scope, stored.sequence - 1, 1)

    message = encode.message(stored.message)
    over_grpc = message_pb2.Message.FromString(message.SerializeToString()).content
    assert stored.message.whole_content == content
    assert from_values(recorded[0].data["content"]) == content  # type: ignore[arg-type]  # JSON
    assert _from_proto(over_grpc) == content
    assert from_values(_told(json.loads(json_writer.write(message))["content"])) == content


@given(content=contents().filter(lambda content: content.kind in SENDABLE))
@any_time
def test_any_content_is_read_from_a_request_as_it_is_written(content: Content, database_kind: str) -> None:
    asked = replace(content, reference=None, forwarded=False, album_wa_message_id="")
    body = json.loads(json.dumps(to_values(asked)))
    request = message_pb2.SendMessageRequest()
    json_reader.fill(request, REQUEST, body)

    assert (
        content_codec.decode_request(message_pb2.SendMessageRequest.FromString(request.SerializeToString()))
        == asked
    )


@given(raw=st.binary(max_size=200), content=st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
def test_any_bytes_from_the_bridge_are_read_or_kept(raw: bytes, content: bytes, database_kind: str) -> None:
    proto = bridge_pb2.InboundMessage(message_proto=raw, kind="x")
    try:
        proto.content.MergeFromString(content)
    except DecodeError:
        proto.ClearField("content")
    message = _arrived(proto).message

    assert message.message_proto == raw
    json.dumps(to_values(message.content) if message.content else {}, allow_nan=False)


@pytest.mark.parametrize(
    "values",
    [
        {"location": {"latitude": "NaN"}},
        {"event": {"location": {"longitude": "-Infinity"}}},
    ],
)
def test_numbers_that_json_does_not_have_make_a_content_unknown(
    values: dict[str, object], database_kind: str
) -> None:
    proto = bridge_pb2.InboundMessage(kind="location")
    proto.content.CopyFrom(json_format.ParseDict(values, content_pb2.Content()))

    content = _arrived(proto).message.content
    assert content is not None
    assert content.kind == "unknown"


def test_a_time_that_no_calendar_has_makes_a_content_unknown(database_kind: str) -> None:
    proto = bridge_pb2.InboundMessage(kind="event")
    proto.content.event.start_at.seconds = 2**40

    content = _arrived(proto).message.content
    assert content is not None
    assert content.kind == "unknown"


def _arrived(proto: bridge_pb2.InboundMessage) -> InboundArrived:
    event = decode.event(bridge_pb2.SessionEvent(inbound=proto))
    assert isinstance(event, InboundArrived)
    assert isinstance(event.message, InboundMessage)
    return event


def _from_proto(content: content_pb2.Content) -> Content:
    return from_values(json_format.MessageToDict(content, preserving_proto_field_name=True))


def _told(values: dict[str, object]) -> dict[str, object]:
    """REST's JSON without the absent."""
    return {name: value for name, value in values.items() if value is not None}
