"""Server-sent events: a streaming method over HTTP, resumed by Last-Event-ID."""

import asyncio
import json

from aiohttp import web
from google.protobuf.message import Message

from orchestrator.api.errors import to_problem
from orchestrator.api.feed import Feed
from orchestrator.api.http import json_writer
from orchestrator.api.http.answers import REQUEST_ID, problem_answer
from orchestrator.api.http.call import rest_call
from orchestrator.api.http.request_reader import RequestReader
from orchestrator.api.invoke import Call, Core
from orchestrator.api.methods import Method
from orchestrator.api.settings import ApiSettings
from orchestrator.domain.errors import SHUTTING_DOWN, PonteError

_HEARTBEAT = b": heartbeat\n\n"
_GONE = (ConnectionError, TimeoutError)


class EventStream:
    """Serves one streaming method as text/event-stream.

    Each message is `id:` (its sequence) and `data:` (its JSON), without an `event:` line, so that a browser's onmessage
    has them all. An error after the start is an event named `error` with problem+json, then the end.
    """

    def __init__(self, core: Core, method: Method, reader: RequestReader, settings: ApiSettings) -> None:
        self._core = core
        self._method = method
        self._reader = reader
        self._write_timeout_s = settings.stream_write_timeout_s

    async def answer(self, http: web.Request) -> web.StreamResponse:
        """Stream until the client leaves, the server stops or the key is revoked."""
        call = rest_call(self._method, http)
        try:
            feed = await self._core.open_stream(call, lambda: self._reader.read(http))
            async with feed:
                await feed.settle()
                return await self._stream(http, call, feed)
        except PonteError as error:
            return problem_answer(error, call.request_id)

    async def _stream(self, http: web.Request, call: Call, feed: Feed) -> web.StreamResponse:
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream; charset=utf-8",
                "Cache-Control": "no-store",
                # Proxies that buffer would hold events back.
                "X-Accel-Buffering": "no",
                "X-Content-Type-Options": "nosniff",
                REQUEST_ID: call.request_id,
            }
        )
        try:
            await response.prepare(http)
            await self._write(response, _HEARTBEAT)
            async for message in feed:
                await self._write(response, _HEARTBEAT if message is None else _frame(message))
        except PonteError as error:
            await self._say_goodbye(response, error, call.request_id)
        except _GONE:
            if http.transport is not None:
                http.transport.abort()
        return response

    async def _write(self, response: web.StreamResponse, data: bytes) -> None:
        async with asyncio.timeout(self._write_timeout_s):
            await response.write(data)

    async def _say_goodbye(self, response: web.StreamResponse, error: PonteError, request_id: str) -> None:
        # At a stop the stream just ends: clients come back by themselves with Last-Event-ID.
        if error.code is SHUTTING_DOWN:
            return
        problem = json.dumps(to_problem(error, request_id), ensure_ascii=False).encode()
        try:
            await self._write(response, b"event: error\ndata: " + problem + b"\n\n")
        except _GONE:
            return


def _frame(message: Message) -> bytes:
    return b"id: %d\ndata: %b\n\n" % (getattr(message, "sequence", 0), json_writer.write(message))
