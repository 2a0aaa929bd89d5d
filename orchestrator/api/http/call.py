"""What an HTTP request says besides its message."""

from aiohttp import web

from orchestrator.api.http.answers import REQUEST_ID
from orchestrator.api.invoke import Call
from orchestrator.api.methods import Method
from orchestrator.api.request_id import request_id


def rest_call(method: Method, http: web.Request) -> Call:
    """Read the credential and the request's id from the headers."""
    headers = http.headers
    return Call(
        method=method,
        authorization=headers.get("Authorization"),
        request_id=request_id(headers.get(REQUEST_ID)),
        door="rest",
    )
