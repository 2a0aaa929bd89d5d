"""REST: one route per public method, transcoded from its google.api.http annotation."""

from collections.abc import Iterator

from aiohttp import web

from orchestrator.api.http import json_writer
from orchestrator.api.http.answers import Handler, json_answer, no_content, problem_answer
from orchestrator.api.http.call import rest_call
from orchestrator.api.http.path_template import compile_path
from orchestrator.api.http.request_reader import RequestReader
from orchestrator.api.http.sse import EventStream
from orchestrator.api.http.success import success_status
from orchestrator.api.invoke import Core
from orchestrator.api.methods import Method, public_methods
from orchestrator.api.settings import ApiSettings
from orchestrator.domain.errors import PonteError


def rest_routes(core: Core, settings: ApiSettings) -> Iterator[web.RouteDef]:
    """Give the routes of all public methods; streams are server-sent events."""
    for method in public_methods():
        reader = RequestReader(method)
        handler = (
            EventStream(core, method, reader, settings).answer
            if method.streams
            else unary_handler(core, method, reader)
        )
        yield web.route(method.http_verb, compile_path(method.http_path).route, handler)


def unary_handler(core: Core, method: Method, reader: RequestReader) -> Handler:
    """Give what answers a method with one message."""
    status = success_status(method)

    async def answer(http: web.Request) -> web.StreamResponse:
        call = rest_call(method, http)
        try:
            message = await core.unary(call, lambda: reader.read(http))
        except PonteError as error:
            return problem_answer(error, call.request_id)
        if status == 204:
            return no_content(call.request_id)
        return json_answer(json_writer.write(message), status, call.request_id)

    return answer
