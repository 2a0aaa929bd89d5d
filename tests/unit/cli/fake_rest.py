"""An HTTP server that answers by a table, for commands that call Ponte or the simulator."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

Answer = dict[str, Any] | list[Any] | Callable[[dict[str, Any]], Any]


@dataclass
class FakeRest:
    """`answers` maps "METHOD /path" to JSON or a function of the request's body; `calls` has what was asked."""

    answers: dict[str, Answer] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    calls: list[tuple[str, dict[str, Any], str]] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)
    url: str = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        key = f"{request.method} {request.path}"
        is_json = not request.content_type.startswith("multipart/")
        body = json.loads(await request.text() or "{}") if is_json else {}
        if request.query_string:
            self.queries.append(request.query_string)
        self.calls.append((key, body, request.headers.get("Authorization", "")))
        if key == "GET /v1/events/stream":
            return await self._stream(request)
        answer = self.answers.get(key)
        if answer is None:
            problem = {"title": "Not found", "code": "NOT_FOUND", "detail": f"Nothing at {key}."}
            return web.json_response(problem, status=404, content_type="application/problem+json")
        return web.json_response(answer(body) if callable(answer) else answer)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b": hello\n\n")
        for event in self.events:
            await response.write(f"id: {event.get('sequence', 1)}\ndata: {json.dumps(event)}\n\n".encode())
        return response


@asynccontextmanager
async def running_rest(fake: FakeRest) -> AsyncIterator[FakeRest]:
    """Serve `fake` on a free port for the length of a block; its `url` is set."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", fake.answer)
    async with TestServer(app) as server:
        fake.url = str(server.make_url("")).rstrip("/")
        yield fake
