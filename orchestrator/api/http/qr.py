"""The QR on show as a picture: the REST route of GetQr with .svg or .png."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import segno
from aiohttp import web

from orchestrator._generated.ponte.v1 import session_pb2
from orchestrator.api.http.answers import REQUEST_ID, problem_answer
from orchestrator.api.http.call import rest_call
from orchestrator.api.http.path_template import compile_path
from orchestrator.api.http.request_reader import RequestReader
from orchestrator.api.invoke import Core
from orchestrator.api.methods import Method, public_methods
from orchestrator.domain.errors import PonteError

_PIXELS_PER_MODULE = 8
_QUIET_ZONE_MODULES = 4
"""ISO/IEC 18004 asks for four light modules around the code."""


@dataclass(frozen=True, slots=True)
class _Picture:
    extension: str
    content_type: str


_PICTURES = (_Picture("svg", "image/svg+xml"), _Picture("png", "image/png"))


def qr_routes(core: Core) -> Iterator[web.RouteDef]:
    """Give a route per kind of picture."""
    method = next(method for method in public_methods() if method.response is session_pb2.Qr)
    for picture in _PICTURES:
        route = f"{compile_path(method.http_path).route}.{picture.extension}"
        yield web.route(method.http_verb, route, _QrPicture(core, method, picture).answer)


def draw(text: str, extension: str) -> bytes:
    """Draw a QR as "svg" or "png"."""
    picture = io.BytesIO()
    code = segno.make(text, error="l", micro=False)
    code.save(picture, kind=extension, scale=_PIXELS_PER_MODULE, border=_QUIET_ZONE_MODULES, light="white")
    return picture.getvalue()


class _QrPicture:
    def __init__(self, core: Core, method: Method, picture: _Picture) -> None:
        self._core = core
        self._method = method
        self._reader = RequestReader(method)
        self._picture = picture

    async def answer(self, http: web.Request) -> web.Response:
        call = rest_call(self._method, http)
        try:
            message = await self._core.unary(call, lambda: self._reader.read(http))
        except PonteError as error:
            return problem_answer(error, call.request_id)
        return web.Response(
            body=draw(cast(session_pb2.Qr, message).qr, self._picture.extension),
            headers={
                "Content-Type": self._picture.content_type,
                "Cache-Control": "no-store",
                "X-Content-Type-Options": "nosniff",
                REQUEST_ID: call.request_id,
            },
        )
