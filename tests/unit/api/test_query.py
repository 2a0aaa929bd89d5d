"""Query parameters of each kind."""

import pytest
from multidict import MultiDict

from orchestrator._generated.ponte.v1 import event_pb2, message_pb2, webhook_pb2
from orchestrator.api.http.query import QueryReader
from orchestrator.domain.errors import INVALID_ARGUMENT, UNKNOWN_FIELD, PonteError


def test_numbers_enums_times_and_texts() -> None:
    reader = QueryReader(message_pb2.ListMessagesRequest.DESCRIPTOR, frozenset())
    request = message_pb2.ListMessagesRequest()
    query = MultiDict(
        page_size="20",
        status="SENT",
        created_after="2026-01-05T12:00:00Z",
        chat="+5511987654321",
        page_token="",
    )
    reader.fill(request, query)
    assert request.page_size == 20
    assert request.status == message_pb2.Message.SENT
    assert request.created_after.ToJsonString() == "2026-01-05T12:00:00Z"
    assert request.chat == "+5511987654321"


def test_lists_repeat_and_zero_is_given() -> None:
    reader = QueryReader(event_pb2.SubscribeRequest.DESCRIPTOR, frozenset())
    request = event_pb2.SubscribeRequest()
    reader.fill(request, MultiDict([("types", "a.*"), ("after", "0"), ("types", "b")]))
    assert list(request.types) == ["a.*", "b"]
    assert request.HasField("after")


def test_truths() -> None:
    reader = QueryReader(webhook_pb2.UpdateWebhookRequest.DESCRIPTOR, frozenset({"webhook_id"}))
    request = webhook_pb2.UpdateWebhookRequest()
    reader.fill(request, MultiDict(enabled="false"))
    assert request.HasField("enabled")
    assert request.enabled is False
    with pytest.raises(PonteError) as caught:
        reader.fill(webhook_pb2.UpdateWebhookRequest(), MultiDict(enabled="yes"))
    assert caught.value.code is INVALID_ARGUMENT


@pytest.mark.parametrize("number", ["", " 1", "1e3", "0x10", "--1", "١", "1" * 30])  # noqa: RUF001 - an Arabic digit
def test_odd_numbers_are_refused(number: str) -> None:
    reader = QueryReader(event_pb2.ListEventsRequest.DESCRIPTOR, frozenset())
    with pytest.raises(PonteError) as caught:
        reader.fill(event_pb2.ListEventsRequest(), MultiDict(after=number))
    assert [violation.field for violation in caught.value.violations] == ["after"]


def test_nested_messages_and_path_fields_are_no_parameters() -> None:
    reader = QueryReader(message_pb2.SendMessageRequest.DESCRIPTOR, frozenset({"to"}))
    with pytest.raises(PonteError) as caught:
        reader.fill(message_pb2.SendMessageRequest(), MultiDict(text="x", to="y", wait="SENT"))
    assert caught.value.code is UNKNOWN_FIELD
    assert [violation.field for violation in caught.value.violations] == ["text", "to"]
