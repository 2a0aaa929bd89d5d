"""The OpenAPI document: one operation per public method, with its scope, and the pictures and probes beside them."""

import json
import re
from functools import cache
from importlib.metadata import version
from typing import Any

from google.protobuf.empty_pb2 import Empty

from orchestrator.api.errors import PROBLEM_CONTENT_TYPE, STATUSES, http_status
from orchestrator.api.http.openapi.comments import comments
from orchestrator.api.http.openapi.schemas import Schema, Schemas
from orchestrator.api.http.path_template import compile_path
from orchestrator.api.http.success import success_status
from orchestrator.api.methods import Method, public_methods
from orchestrator.api.rpc.permissions import REQUIRED, Administrator
from orchestrator.domain.errors import CODES

_INTRODUCTION = (
    "REST over the same services as gRPC. JSON has the names of the .proto files; enums are names, times RFC 3339, "
    "64-bit integers numbers. Fields of a body that are a text, number, enum or time may be given as query parameters "
    "instead, for instance POST /v1/messages?wait=SENT. Unknown fields are refused. Errors are "
    "application/problem+json; each has a stable code."
)
_PROBLEM: Schema = {
    "type": "object",
    "description": "An error, as RFC 9457 has it.",
    "required": ["type", "title", "status", "detail", "code", "field_violations", "request_id"],
    "properties": {
        "type": {"type": "string", "description": "Where the code is documented."},
        "title": {"type": "string", "description": "What the code means."},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What went wrong this time."},
        "code": {"type": "string", "description": "Stable, one per cause."},
        "field_violations": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "description"],
                "properties": {"field": {"type": "string"}, "description": {"type": "string"}},
            },
        },
        "retry_after_s": {"type": "number", "description": "Seconds after which another try makes sense."},
        "request_id": {"type": "string", "description": "By which the log has the request."},
        "metadata": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}
_PROBLEM_ANSWER = {
    "description": "An error",
    "content": {PROBLEM_CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


@cache
def openapi_json() -> bytes:
    """Give the document as JSON, UTF-8."""
    return json.dumps(openapi_document(), ensure_ascii=False, separators=(",", ":")).encode()


def openapi_document() -> dict[str, Any]:
    """Make the document."""
    methods = public_methods()
    schemas = Schemas(
        answers=[method.output for method in methods],
        requests=[method.input for method in methods],
    )
    paths: dict[str, dict[str, Any]] = {}
    for method in methods:
        paths.setdefault(method.http_path, {})[method.http_verb.lower()] = _operation(method, schemas)
    _add_pictures(paths)
    _add_probes(paths)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Ponte", "version": version("ponte"), "description": _INTRODUCTION},
        "servers": [{"url": "/"}],
        "security": [{"key": []}],
        "tags": _tags(methods),
        "paths": paths,
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": {**schemas.components, "Problem": _PROBLEM},
        },
        "x-error-codes": [
            {
                "code": code.name,
                "http_status": http_status(code),
                "grpc_status": STATUSES[code.kind].grpc.name,
                "meaning": code.sentence,
            }
            for code in CODES.values()
        ],
    }


def _tags(methods: tuple[Method, ...]) -> list[Schema]:
    services = dict.fromkeys(method.service for method in methods)
    return [{"name": _tag(service), "description": comments().get(service, "")} for service in services]


def _tag(service: str) -> str:
    return service.rpartition(".")[2].removesuffix("Service")


def _operation(method: Method, schemas: Schemas) -> Schema:
    required = REQUIRED.get(method.full_name)
    needs = (
        "the administrator's key"
        if isinstance(required, Administrator)
        else f"a key with the scope {required}"
    )
    text = comments().get(f"{method.service}.{method.name}", "")
    operation: Schema = {
        "operationId": f"{_tag(method.service)}_{method.name}",
        "tags": [_tag(method.service)],
        "summary": _words(method.name),
        "description": f"{text} Needs {needs}.".strip(),
        "parameters": _parameters(method, schemas),
        "responses": {str(success_status(method)): _answer(method, schemas), "default": _PROBLEM_ANSWER},
    }
    body = _body(method, schemas)
    if body is not None:
        operation["requestBody"] = body
    return operation


def _words(name: str) -> str:
    first, *rest = re.findall(r"[A-Z][a-z]*", name)
    return " ".join([first, *(word.lower() for word in rest)])


def _parameters(method: Method, schemas: Schemas) -> list[Schema]:
    in_path = compile_path(method.http_path).fields
    parameters: list[Schema] = []
    for field in method.input.fields:
        schema = schemas.field(field)
        text = schema.pop("description", "")
        if field.name in in_path:
            parameters.append(_parameter(field.name, "path", text, schema))
        elif not method.has_body:
            parameters.append(_parameter(field.name, "query", text, schema))
    if "idempotency_key" in method.input.fields_by_name:
        text = "The same key and body within 24 hours give the same answer; another body is refused."
        parameters.append(_parameter("Idempotency-Key", "header", text, {"type": "string", "maxLength": 255}))
    if method.streams:
        text = "The sequence number of the last event that was seen; goes before `after`."
        parameters.append(_parameter("Last-Event-ID", "header", text, {"type": "integer"}))
    return parameters


def _parameter(name: str, where: str, text: str, schema: Schema) -> Schema:
    parameter: Schema = {"name": name, "in": where, "required": where == "path", "schema": schema}
    if text:
        parameter["description"] = text
    return parameter


def _body(method: Method, schemas: Schemas) -> Schema | None:
    in_path = frozenset(compile_path(method.http_path).fields)
    descriptor = method.input
    if not method.has_body or all(field.name in in_path for field in descriptor.fields):
        return None
    schema = schemas.message(descriptor, without=in_path) if in_path else schemas.reference(descriptor)
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _answer(method: Method, schemas: Schemas) -> Schema:
    if method.response is Empty:
        return {"description": "Done"}
    content_type = "text/event-stream" if method.streams else "application/json"
    schema = schemas.reference(method.output)
    return {
        "description": "One event after the other" if method.streams else "Done",
        "content": {content_type: {"schema": schema}},
    }


def _add_pictures(paths: dict[str, dict[str, Any]]) -> None:
    path = "/v1/sessions/{session_id}/qr"
    get_qr = paths[path]["get"]
    for extension, content_type in (("svg", "image/svg+xml"), ("png", "image/png")):
        paths[f"{path}.{extension}"] = {
            "get": {
                **get_qr,
                "operationId": f"{get_qr['operationId']}_{extension}",
                "summary": f"Get qr as {extension.upper()}",
                "responses": {
                    "200": {"description": "The QR on show", "content": {content_type: {}}},
                    "default": _PROBLEM_ANSWER,
                },
            }
        }


def _add_probes(paths: dict[str, dict[str, Any]]) -> None:
    probes = {
        "/healthz": ("The process answers", "application/json"),
        "/readyz": ("Requests can be served; 503 where not", "application/json"),
        "/metrics": ("Prometheus metrics, where no metrics address is set", "text/plain"),
    }
    for path, (text, content_type) in probes.items():
        paths[path] = {
            "get": {
                "operationId": path.strip("/"),
                "tags": ["Operation"],
                "summary": text,
                "security": [],
                "responses": {"200": {"description": text, "content": {content_type: {}}}},
            }
        }
