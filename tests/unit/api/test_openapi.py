"""The OpenAPI document is OpenAPI, has every method, and describes what is really answered."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from orchestrator.api.errors import to_problem
from orchestrator.api.http import json_writer
from orchestrator.api.http.openapi.document import openapi_document, openapi_json
from orchestrator.api.methods import public_methods
from orchestrator.api.rpc import encode
from orchestrator.domain.company import Scope
from orchestrator.domain.errors import CODES, RATE_LIMITED, PonteError
from orchestrator.domain.jid import ContactId
from orchestrator.domain.message import Direction, Lane, Message, MessageStatus, MessageTimes


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The document as clients read it."""
    parsed: dict[str, Any] = json.loads(openapi_json())
    return parsed


def test_document_is_valid(document: dict[str, Any]) -> None:
    OpenAPIV31SpecValidator(document).validate()
    assert document == openapi_document()


def test_every_method_is_there_with_its_comment_and_scope(document: dict[str, Any]) -> None:
    for method in public_methods():
        operation = document["paths"][method.http_path][method.http_verb.lower()]
        assert "Needs " in operation["description"], method.full_name
        assert "default" in operation["responses"]
    send = document["paths"]["/v1/messages"]["post"]
    assert send["description"].startswith("Answers as soon as the message is durable")
    assert Scope.MESSAGES_SEND in send["description"]
    assert "202" in send["responses"]


def test_comments_of_fields_and_services_are_there(document: dict[str, Any]) -> None:
    fields = document["components"]["schemas"]["Message"]["properties"]
    assert fields["chat"]["description"] == "The chat's jid; a group's ends in @g.us."
    assert fields["status"]["enum"][1] == "QUEUED"
    assert all(tag["description"] for tag in document["tags"])


def test_path_fields_are_parameters_and_not_in_the_body(document: dict[str, Any]) -> None:
    pair = document["paths"]["/v1/sessions/{session_id}:pair"]["post"]
    assert [(one["name"], one["in"]) for one in pair["parameters"]] == [("session_id", "path")]
    schema = pair["requestBody"]["content"]["application/json"]["schema"]
    assert set(schema["properties"]) == {"method", "phone_number", "custom_code", "history"}
    assert "requestBody" not in document["paths"]["/v1/sessions/{session_id}:start"]["post"]


def test_all_error_codes_are_listed(document: dict[str, Any]) -> None:
    assert [entry["code"] for entry in document["x-error-codes"]] == list(CODES)


def validator(document: dict[str, Any], name: str) -> OAS31Validator:
    """A validator of one schema of the document."""
    return OAS31Validator({"$ref": f"#/components/schemas/{name}", "components": document["components"]})


def test_real_message_fits_its_schema_and_a_cut_one_does_not(document: dict[str, Any]) -> None:
    now = datetime(2026, 1, 5, tzinfo=UTC)
    message = Message(
        id="m",
        wa_message_id="w",
        company_id="c",
        session_id="s",
        chat_jid="1@s.whatsapp.net",
        contact=ContactId("1@s.whatsapp.net"),
        direction=Direction.OUTBOUND,
        kind="text",
        text="Hello",
        status=MessageStatus.SENT,
        lane=Lane.REPLY,
        attempts=1,
        times=MessageTimes(created_at=now, sent_at=now),
    )
    written = json.loads(json_writer.write(encode.message(message)))
    validator(document, "Message").validate(written)
    del written["status"]
    assert not validator(document, "Message").is_valid(written)


def test_request_with_an_unknown_field_does_not_fit(document: dict[str, Any]) -> None:
    check = validator(document, "SendMessageRequest")
    assert check.is_valid({"to": "+5511987654321", "text": {"body": "x"}})
    assert not check.is_valid({"to": "+5511987654321", "text": {"body": "x"}, "colour": "red"})


def test_real_problem_fits_its_schema(document: dict[str, Any]) -> None:
    validator(document, "Problem").validate(to_problem(PonteError(RATE_LIMITED, retry_after_s=1), "r"))
