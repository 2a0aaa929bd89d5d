"""An HTTP request to the request message of its method: body, query, path and headers."""

from aiohttp import web
from google.protobuf.message import Message

from orchestrator.api.http.json_reader import fill, parse_object
from orchestrator.api.http.path_template import compile_path
from orchestrator.api.http.query import QueryReader
from orchestrator.api.methods import Method
from orchestrator.domain.errors import (
    BODY_TOO_LARGE,
    INVALID_ARGUMENT,
    UNSUPPORTED_CONTENT_TYPE,
    PonteError,
    invalid_field,
)

_JSON = "application/json"
_KEY_FIELD = "idempotency_key"
_RESUME_FIELD = "after"
_LONGEST_SEQUENCE = 18
"""Digits that surely fit 64 bits."""


class RequestReader:
    """Reads the requests of one method; made once at start."""

    def __init__(self, method: Method) -> None:
        fields = method.input.fields_by_name
        self._request = method.request
        self._descriptor = method.input
        self._has_body = method.has_body
        self._path_fields = compile_path(method.http_path).fields
        self._query = QueryReader(method.input, frozenset(self._path_fields))
        self._has_idempotency_key = _KEY_FIELD in fields
        self._resumes = method.streams and _RESUME_FIELD in fields

    async def read(self, http: web.Request) -> Message:
        """Give the request message. Raises PonteError for whatever is wrong with the request."""
        request = self._request()
        if self._has_body:
            fill(request, self._descriptor, parse_object(await _read_body(http)))
        if http.query_string:
            self._query.fill(request, http.query)
        for name in self._path_fields:
            _put_from_path(request, name, http.match_info[name])
        if self._has_idempotency_key:
            _put_idempotency_key(request, http.headers.get("Idempotency-Key"))
        if self._resumes:
            _put_resume_point(request, http.headers.get("Last-Event-ID"))
        return request


async def _read_body(http: web.Request) -> bytes:
    limit = http.client_max_size
    if (http.content_length or 0) > limit:
        raise _too_large(limit)
    try:
        body = await http.read()
    except web.HTTPRequestEntityTooLarge:
        raise _too_large(limit) from None
    if body and not _is_json(http):
        raise PonteError(UNSUPPORTED_CONTENT_TYPE)
    return body


def _is_json(http: web.Request) -> bool:
    return http.content_type == _JSON and (http.charset or "utf-8").lower() in ("utf-8", "utf8")


def _too_large(limit: int) -> PonteError:
    return PonteError(BODY_TOO_LARGE, f"The body is larger than {limit} bytes.")


def _put_from_path(request: Message, name: str, value: str) -> None:
    in_body = getattr(request, name)
    if in_body and in_body != value:
        raise invalid_field(
            INVALID_ARGUMENT, name, "The body has another value than the path; leave it out there."
        )
    try:
        setattr(request, name, value)
    except ValueError:
        raise invalid_field(INVALID_ARGUMENT, name, "The path is not UTF-8.") from None


def _put_idempotency_key(request: Message, header: str | None) -> None:
    if header is None:
        return
    in_body = getattr(request, _KEY_FIELD)
    if in_body and in_body != header:
        raise invalid_field(INVALID_ARGUMENT, _KEY_FIELD, "The header Idempotency-Key has another value.")
    if not header.isascii():
        raise invalid_field(INVALID_ARGUMENT, _KEY_FIELD, "Give the header Idempotency-Key in ASCII.")
    setattr(request, _KEY_FIELD, header)


def _put_resume_point(request: Message, last_event_id: str | None) -> None:
    # A reconnecting EventSource keeps its URL with the first `after`: what it has seen since stands in the header.
    if not last_event_id:
        return
    if not (
        last_event_id.isascii() and last_event_id.isdecimal() and len(last_event_id) <= _LONGEST_SEQUENCE
    ):
        raise invalid_field(INVALID_ARGUMENT, "Last-Event-ID", "Give the sequence number of the last event.")
    setattr(request, _RESUME_FIELD, int(last_event_id))
