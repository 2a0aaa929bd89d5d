"""HTTP answers: JSON and problem+json, with the headers that all of them carry."""

import json
from collections.abc import Awaitable, Callable

from aiohttp import web

from orchestrator.api.errors import PROBLEM_CONTENT_TYPE, http_status, problem_headers, to_problem
from orchestrator.domain.errors import PonteError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

REQUEST_ID = "X-Request-Id"


def json_answer(body: bytes, status: int, request_id: str) -> web.Response:
    """Answer with JSON that is written already."""
    return web.Response(
        body=body,
        status=status,
        headers={
            "Content-Type": "application/json",
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            REQUEST_ID: request_id,
        },
    )


def no_content(request_id: str) -> web.Response:
    """Answer 204."""
    return web.Response(status=204, headers={"Cache-Control": "no-store", REQUEST_ID: request_id})


def problem_answer(error: PonteError, request_id: str, headers: dict[str, str] | None = None) -> web.Response:
    """Answer with application/problem+json."""
    return web.Response(
        body=json.dumps(to_problem(error, request_id), ensure_ascii=False).encode(),
        status=http_status(error.code),
        headers={
            "Content-Type": PROBLEM_CONTENT_TYPE,
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            REQUEST_ID: request_id,
            **problem_headers(error),
            **(headers or {}),
        },
    )
