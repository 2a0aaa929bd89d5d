"""Errors in both doors' words."""

import pytest
from google.rpc import error_details_pb2

from orchestrator.api.errors import (
    STATUSES,
    http_status,
    internal_error,
    problem_headers,
    to_problem,
    to_status,
)
from orchestrator.domain.errors import (
    BODY_TOO_LARGE,
    CODES,
    CREDENTIAL_MISSING,
    INVALID_ARGUMENT,
    RATE_LIMITED,
    SESSION_NOT_LINKED,
    WAIT_TIMED_OUT,
    ErrorKind,
    FieldViolation,
    PonteError,
)


def test_every_kind_has_its_statuses() -> None:
    assert set(STATUSES) == set(ErrorKind)


@pytest.mark.parametrize("name", CODES)
def test_every_code_is_an_error_over_http(name: str) -> None:
    assert 400 <= http_status(CODES[name]) < 600


def test_codes_whose_cause_http_has_a_status_for() -> None:
    assert http_status(BODY_TOO_LARGE) == 413
    assert http_status(SESSION_NOT_LINKED) == 409


def test_problem_has_what_the_error_has() -> None:
    error = PonteError(
        INVALID_ARGUMENT,
        "Both are wrong.",
        (FieldViolation("a", "Not so."), FieldViolation("b.c", "Nor so.")),
        1.2345,
    )
    assert to_problem(error, "r1") == {
        "type": "/docs#INVALID_ARGUMENT",
        "title": INVALID_ARGUMENT.sentence,
        "status": 400,
        "detail": "Both are wrong.",
        "code": "INVALID_ARGUMENT",
        "field_violations": [
            {"field": "a", "description": "Not so."},
            {"field": "b.c", "description": "Nor so."},
        ],
        "request_id": "r1",
        "retry_after_s": 1.234,
    }


def test_headers_say_when_to_come_back_in_whole_seconds() -> None:
    assert problem_headers(PonteError(RATE_LIMITED, retry_after_s=0.01)) == {"Retry-After": "1"}
    assert problem_headers(PonteError(RATE_LIMITED, retry_after_s=2.1)) == {"Retry-After": "3"}
    assert problem_headers(PonteError(CREDENTIAL_MISSING)) == {"WWW-Authenticate": 'Bearer realm="ponte"'}


def test_status_carries_details_only_where_they_apply() -> None:
    bare = to_status(PonteError(SESSION_NOT_LINKED), "r1")
    assert [detail.type_url.rpartition(".")[2] for detail in bare.details] == ["ErrorInfo", "RequestInfo"]
    full = to_status(
        PonteError(WAIT_TIMED_OUT, "", (FieldViolation("a", "b"),), 1.5, {"message_id": "m1"}), "r1"
    )
    info, request, bad, retry = (
        error_details_pb2.ErrorInfo(),
        error_details_pb2.RequestInfo(),
        error_details_pb2.BadRequest(),
        error_details_pb2.RetryInfo(),
    )
    for message, detail in zip((info, request, bad, retry), full.details, strict=True):
        assert detail.Unpack(message)
    assert (info.reason, info.domain, dict(info.metadata)) == (
        "WAIT_TIMED_OUT",
        "ponte",
        {"message_id": "m1"},
    )
    assert request.request_id == "r1"
    assert [(violation.field, violation.description) for violation in bad.field_violations] == [("a", "b")]
    assert retry.retry_delay.ToMilliseconds() == 1500


def test_fault_says_nothing_but_the_requests_id() -> None:
    assert "r1" in internal_error("r1").sentence
