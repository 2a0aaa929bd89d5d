"""The bytes of files: uploads as multipart/form-data, downloads with ranges. Streamed, never whole in memory."""

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from aiohttp import BodyPartReader, web

from orchestrator.api.caller import Caller
from orchestrator.api.http import json_writer
from orchestrator.api.http.answers import REQUEST_ID, Handler, json_answer, problem_answer
from orchestrator.api.http.call import rest_call
from orchestrator.api.http.path_template import compile_path
from orchestrator.api.invoke import Call, Core
from orchestrator.api.methods import Method, public_methods
from orchestrator.api.rpc.media import encode_media
from orchestrator.domain.errors import (
    INVALID_ARGUMENT,
    MEDIA_EMPTY,
    RANGE_NOT_SATISFIABLE,
    PonteError,
    invalid_field,
)
from orchestrator.domain.media import Media
from orchestrator.services.media import MediaService

_CHUNK_BYTES: Final = 256 * 1024
_TRANSFER_S: Final = 1800.0
"""The longest that one upload or download may take."""

_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_MOST_FIELD_BYTES: Final = 1024
_FIELDS: Final = frozenset({"file", "file_name"})


def media_routes(core: Core, media: MediaService, create_from_url: Handler) -> Iterator[web.RouteDef]:
    """Give the routes of files' bytes; `create_from_url` answers a POST that is not multipart."""
    methods = {
        method.name: method for method in public_methods() if method.service == "ponte.v1.MediaService"
    }
    upload = _Upload(core, media, methods["CreateMedia"])

    async def create(http: web.Request) -> web.StreamResponse:
        return await (upload.answer(http) if _is_multipart(http) else create_from_url(http))

    yield web.post(compile_path(methods["CreateMedia"].http_path).route, create)
    info = compile_path(methods["GetMedia"].http_path).route
    download = _Download(core, media, methods["GetMedia"])
    yield web.get(info.removesuffix("/info"), download.answer)


def _is_multipart(http: web.Request) -> bool:
    return http.content_type == "multipart/form-data"


class _Upload:
    def __init__(self, core: Core, media: MediaService, method: Method) -> None:
        self._core = core
        self._media = media
        self._method = method

    async def answer(self, http: web.Request) -> web.StreamResponse:
        call = rest_call(self._method, http)
        try:
            made = await self._core.run(call, lambda caller: self._receive(caller, http), _TRANSFER_S)
        except PonteError as error:
            return problem_answer(error, call.request_id, _hang_up(http))
        return json_answer(json_writer.write(encode_media(made)), 201, call.request_id)

    async def _receive(self, caller: Caller, http: web.Request) -> Media:
        try:
            reader = await http.multipart()
            file_name = ""
            async for part in reader:
                if not isinstance(part, BodyPartReader) or part.name not in _FIELDS:
                    raise invalid_field(
                        INVALID_ARGUMENT, "file", "Give the fields `file` and `file_name` alone."
                    )
                if part.name == "file_name":
                    file_name = await _text(part)
                    continue
                return await self._media.add(
                    caller.scope,
                    _chunks(part),
                    part.headers.get("Content-Type", ""),
                    file_name or _bare(part.filename or ""),
                    http.headers.get("Idempotency-Key", ""),
                )
        except (ValueError, AssertionError):
            raise invalid_field(
                INVALID_ARGUMENT, "file", "The body is not valid multipart/form-data."
            ) from None
        raise PonteError(MEDIA_EMPTY, "The body has no field `file`; a field `file_name` goes before it.")


async def _chunks(part: BodyPartReader) -> AsyncIterator[bytes]:
    while chunk := await part.read_chunk(_CHUNK_BYTES):
        yield bytes(chunk)


async def _text(part: BodyPartReader) -> str:
    value = bytearray()
    async for chunk in _chunks(part):
        value += chunk
        if len(value) > _MOST_FIELD_BYTES:
            raise invalid_field(INVALID_ARGUMENT, "file_name", "The name is too long.")
    return value.decode()


def _bare(file_name: str) -> str:
    """A browser may give a path; only its last part is the name."""
    return re.sub(r"[\x00-\x1f]", "", re.split(r"[/\\]", file_name)[-1])[-255:]


def _hang_up(http: web.Request) -> dict[str, str]:
    """A body that is refused halfway is not read to its end."""
    return {} if http.content.at_eof() else {"Connection": "close"}


class _Download:
    def __init__(self, core: Core, media: MediaService, method: Method) -> None:
        self._core = core
        self._media = media
        self._method = method

    async def answer(self, http: web.Request) -> web.StreamResponse:
        call = rest_call(self._method, http)
        response: list[web.StreamResponse] = []
        try:
            return await self._core.run(
                call, lambda caller: self._send(caller, call, http, response), _TRANSFER_S
            )
        except PonteError as error:
            if response and response[0].prepared:
                # The headers are out: the peer sees a body that is too short.
                if http.transport is not None:
                    http.transport.close()
                return response[0]
            return problem_answer(error, call.request_id, _unsatisfied(error))

    async def _send(
        self, caller: Caller, call: Call, http: web.Request, begun: list[web.StreamResponse]
    ) -> web.StreamResponse:
        media = await self._media.get(caller.scope, http.match_info["media_id"])
        part = requested_part(http.headers.get("Range", ""), media.size)
        tag = f'"{media.sha256}"'
        headers = {
            "Cache-Control": "private, max-age=3600, immutable",
            "ETag": tag,
            "Accept-Ranges": "bytes",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            REQUEST_ID: call.request_id,
        }
        if http.headers.get("If-None-Match", "") == tag:
            return web.Response(status=304, headers=headers)
        if http.headers.get("If-Range", tag) != tag:
            part = Part(0, media.size, whole=True)
        headers["Content-Type"] = media.mime_type
        headers["Content-Disposition"] = _disposition(media.file_name)
        if not part.whole:
            headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{media.size}"
        response = web.StreamResponse(status=200 if part.whole else 206, headers=headers)
        response.content_length = part.end - part.start
        chunks = self._media.open(media, part.start, part.end)
        first = b"" if http.method == "HEAD" else await anext(chunks, b"")
        begun.append(response)
        await response.prepare(http)
        if first:
            await response.write(first)
            async for chunk in chunks:
                await response.write(chunk)
        await response.write_eof()
        return response


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes from `start` up to but not including `end`."""

    start: int
    end: int
    whole: bool = False


def requested_part(header: str, size: int) -> Part:
    """Read a Range header (RFC 9110, 14.2); what is not one range of bytes asks for everything.

    Raises RANGE_NOT_SATISFIABLE for a range that begins behind the end.
    """
    match = _RANGE.fullmatch(header.strip())
    if match is None or match.groups() == ("", ""):
        return Part(0, size, whole=True)
    first, last = match.groups()
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1) if last else size
        if last and int(last) < start:
            return Part(0, size, whole=True)
    if start >= end:
        raise PonteError(RANGE_NOT_SATISFIABLE, metadata={"size": str(size)})
    return Part(start, end)


def _unsatisfied(error: PonteError) -> dict[str, str]:
    if error.code is not RANGE_NOT_SATISFIABLE:
        return {}
    return {"Content-Range": f"bytes */{error.metadata['size']}"}


def _disposition(file_name: str) -> str:
    """Always a download: a company's files must not run in the API's own origin (RFC 6266)."""
    return f"attachment; filename*=UTF-8''{quote(file_name, safe='')}" if file_name else "attachment"
