"""JSON bodies: whatever arrives is either taken or refused with a place, never a fault."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator._generated.ponte.v1 import contact_pb2, message_pb2
from orchestrator.api.http.json_reader import fill, parse_object
from orchestrator.domain.errors import INVALID_ARGUMENT, INVALID_JSON, UNKNOWN_FIELD, PonteError

_TEXTS = st.text(st.characters(), max_size=5)
"""With halves of surrogate pairs among them."""
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=8,
)
_FIELDS = st.sampled_from([field.name for field in message_pb2.SendMessageRequest.DESCRIPTOR.fields])


def read(values: dict[str, Any]) -> message_pb2.SendMessageRequest:
    """Fill a SendMessageRequest."""
    request = message_pb2.SendMessageRequest()
    fill(request, message_pb2.SendMessageRequest.DESCRIPTOR, values)
    return request


def refusal_of(attempt: Callable[[], object]) -> PonteError | None:
    """The error that an attempt meets, if any."""
    try:
        attempt()
    except PonteError as error:
        return error
    return None


def refusal(values: dict[str, Any]) -> PonteError:
    """The error that these values meet."""
    with pytest.raises(PonteError) as caught:
        read(values)
    return caught.value


@given(st.binary(max_size=200))
def test_any_bytes_are_an_object_or_invalid_json(body: bytes) -> None:
    error = refusal_of(lambda: parse_object(body))
    assert error is None or error.code is INVALID_JSON


@given(st.dictionaries(_FIELDS | _TEXTS, _JSON, max_size=4))
def test_any_object_is_taken_or_its_fields_are_named(values: dict[str, Any]) -> None:
    error = refusal_of(lambda: read(parse_object(json.dumps(values).encode())))
    if error is not None and error.code is not INVALID_JSON:
        assert error.code in (UNKNOWN_FIELD, INVALID_ARGUMENT)
        assert error.violations or "only one" in error.detail


def test_empty_body_is_an_empty_object() -> None:
    assert parse_object(b"") == {}


def test_both_spellings_and_null_are_taken() -> None:
    request = read({"sessionId": "a", "idempotency_key": "b", "lane": None})
    assert (request.session_id, request.idempotency_key, request.lane) == ("a", "b", 0)


def test_every_wrong_field_is_named_at_once() -> None:
    error = refusal({"to": 5, "text": {"body": 1, "x": 2}, "y": 3})
    assert error.code is UNKNOWN_FIELD
    assert [violation.field for violation in error.violations] == ["to", "text.body", "text.x", "y"]


def test_what_a_field_takes_is_said() -> None:
    error = refusal({"lane": "FAST", "send_at": "x", "timeout_s": 1.5, "text": "x"})
    assert [violation.description for violation in error.violations] == [
        "Give one of REPLY, TRANSACTIONAL, CAMPAIGN.",
        "Give a time as RFC 3339 has it, for instance 2026-01-31T12:00:00Z.",
        "Give a whole number of at most 32 bits.",
        "Give an object.",
    ]


def test_list_where_none_is_expected_and_none_where_one_is() -> None:
    request = contact_pb2.CheckContactsRequest()
    with pytest.raises(PonteError) as caught:
        fill(
            request, contact_pb2.CheckContactsRequest.DESCRIPTOR, {"phone_numbers": "x", "session_id": ["y"]}
        )
    assert [violation.field for violation in caught.value.violations] == ["phone_numbers", "session_id"]


def test_long_names_are_cut() -> None:
    (violation,) = refusal({"x" * 500: 1}).violations
    assert violation.field == "x" * 100


def test_name_that_is_no_unicode_is_invalid_json() -> None:
    with pytest.raises(PonteError) as caught:
        parse_object(b'{"a": {"\\ud800": 1}}')
    assert caught.value.code is INVALID_JSON
