"""Errors as the doors tell them: a kind's HTTP and gRPC status, problem+json and google.rpc.Status."""

import math
from dataclasses import dataclass

import grpc
from google.protobuf.any_pb2 import Any
from google.rpc import error_details_pb2, status_pb2

from orchestrator.domain.errors import (
    BODY_TOO_LARGE,
    INTERNAL,
    MEDIA_TOO_LARGE,
    METHOD_NOT_ALLOWED,
    RANGE_NOT_SATISFIABLE,
    UNSUPPORTED_CONTENT_TYPE,
    ErrorCode,
    ErrorKind,
    PonteError,
)

ERROR_DOMAIN = "ponte"
PROBLEM_CONTENT_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Statuses:
    """The statuses of one kind of error."""

    http: int
    grpc: grpc.StatusCode


_G = grpc.StatusCode
STATUSES: dict[ErrorKind, Statuses] = {
    ErrorKind.INVALID_ARGUMENT: Statuses(400, _G.INVALID_ARGUMENT),
    ErrorKind.UNAUTHENTICATED: Statuses(401, _G.UNAUTHENTICATED),
    ErrorKind.PERMISSION_DENIED: Statuses(403, _G.PERMISSION_DENIED),
    ErrorKind.NOT_FOUND: Statuses(404, _G.NOT_FOUND),
    ErrorKind.ALREADY_EXISTS: Statuses(409, _G.ALREADY_EXISTS),
    ErrorKind.FAILED_PRECONDITION: Statuses(409, _G.FAILED_PRECONDITION),
    ErrorKind.RESOURCE_EXHAUSTED: Statuses(429, _G.RESOURCE_EXHAUSTED),
    ErrorKind.DEADLINE_EXCEEDED: Statuses(504, _G.DEADLINE_EXCEEDED),
    ErrorKind.UNAVAILABLE: Statuses(503, _G.UNAVAILABLE),
    ErrorKind.UNIMPLEMENTED: Statuses(501, _G.UNIMPLEMENTED),
    ErrorKind.INTERNAL: Statuses(500, _G.INTERNAL),
}
"""FAILED_PRECONDITION is 409 over HTTP: the request is well made, the thing is not in a state for it
(RFC 9110, 15.5.10)."""

_OWN_HTTP_STATUS = {
    BODY_TOO_LARGE.name: 413,
    UNSUPPORTED_CONTENT_TYPE.name: 415,
    METHOD_NOT_ALLOWED.name: 405,
    MEDIA_TOO_LARGE.name: 413,
    RANGE_NOT_SATISFIABLE.name: 416,
}


def http_status(code: ErrorCode) -> int:
    """Give the HTTP status that answers with this code have."""
    return _OWN_HTTP_STATUS.get(code.name, STATUSES[code.kind].http)


def internal_error(request_id: str) -> PonteError:
    """What a caller hears of a fault: nothing but the id by which the log has it."""
    return PonteError(INTERNAL, f"Something went wrong on our side; the log has it as request {request_id}.")


def to_problem(error: PonteError, request_id: str) -> dict[str, object]:
    """Give the application/problem+json document (RFC 9457) of an error; `type` is its place in the documentation."""
    problem: dict[str, object] = {
        "type": f"/docs#{error.code.name}",
        "title": error.code.sentence,
        "status": http_status(error.code),
        "detail": error.sentence,
        "code": error.code.name,
        "field_violations": [
            {"field": violation.field, "description": violation.description} for violation in error.violations
        ],
        "request_id": request_id,
    }
    if error.retry_after_s is not None:
        problem["retry_after_s"] = round(error.retry_after_s, 3)
    if error.metadata:
        problem["metadata"] = dict(error.metadata)
    return problem


def problem_headers(error: PonteError) -> dict[str, str]:
    """Give the HTTP headers that belong to an error: when to try again, how to authenticate."""
    headers: dict[str, str] = {}
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after_s)))
    if error.code.kind is ErrorKind.UNAUTHENTICATED:
        headers["WWW-Authenticate"] = 'Bearer realm="ponte"'
    return headers


def to_status(error: PonteError, request_id: str) -> status_pb2.Status:
    """Give the google.rpc.Status of an error: ErrorInfo, RequestInfo and, where they apply, BadRequest, RetryInfo."""
    status = status_pb2.Status(code=STATUSES[error.code.kind].grpc.value[0], message=error.sentence)
    _add(
        status,
        error_details_pb2.ErrorInfo(reason=error.code.name, domain=ERROR_DOMAIN, metadata=error.metadata),
    )
    _add(status, error_details_pb2.RequestInfo(request_id=request_id))
    if error.violations:
        bad_request = error_details_pb2.BadRequest()
        for violation in error.violations:
            bad_request.field_violations.add(field=violation.field, description=violation.description)
        _add(status, bad_request)
    if error.retry_after_s is not None:
        retry_info = error_details_pb2.RetryInfo()
        retry_info.retry_delay.FromMilliseconds(round(error.retry_after_s * 1000))
        _add(status, retry_info)
    return status


def _add(
    status: status_pb2.Status,
    detail: error_details_pb2.ErrorInfo
    | error_details_pb2.RequestInfo
    | error_details_pb2.BadRequest
    | error_details_pb2.RetryInfo,
) -> None:
    packed = Any()
    packed.Pack(detail)
    status.details.append(packed)
