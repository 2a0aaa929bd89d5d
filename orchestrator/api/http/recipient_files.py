"""Files of recipients over REST: a CSV or XLSX comes in as multipart/form-data, the reported lines go out as CSV."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from typing import IO, Final

from aiohttp import BodyPartReader, web

from orchestrator._generated.ponte.v1 import recipient_pb2
from orchestrator.api.caller import Caller
from orchestrator.api.http import json_writer
from orchestrator.api.http.answers import Handler, json_answer, problem_answer
from orchestrator.api.http.call import rest_call
from orchestrator.api.http.csv_file import CsvFile, Rows, inert
from orchestrator.api.http.path_template import compile_path
from orchestrator.api.invoke import Core
from orchestrator.api.methods import Method, public_methods
from orchestrator.api.rpc import campaign_values
from orchestrator.domain.errors import (
    BODY_TOO_LARGE,
    IMPORT_UNREADABLE,
    INVALID_ARGUMENT,
    PonteError,
    invalid_field,
)
from orchestrator.services.campaign_services import CampaignServices

MOST_BYTES: Final = 512 * 1024 * 1024

_CHUNK_BYTES: Final = 256 * 1024
_TRANSFER_S: Final = 3600.0
"""The longest that one import may take."""

_LINES_AT_ONCE: Final = 500


def recipient_file_routes(
    core: Core, services: CampaignServices, import_named: Handler
) -> Iterator[web.RouteDef]:
    """Give the routes of recipients' files; `import_named` answers an import whose recipients stand in JSON."""
    methods = {
        method.name: method
        for method in public_methods()
        if method.service == "ponte.v1.RecipientListService"
    }
    upload = _Upload(core, services, methods["ImportRecipients"])

    async def take_in(http: web.Request) -> web.StreamResponse:
        return await (
            upload.answer(http) if http.content_type == "multipart/form-data" else import_named(http)
        )

    yield web.post(compile_path(methods["ImportRecipients"].http_path).route, take_in)
    lines = methods["ListReportedLines"]
    report = CsvFile(core, lines, "reported-lines.csv", _Report(services).rows)
    yield web.get(f"{compile_path(lines.http_path).route}.csv", report.answer)


class _Upload:
    def __init__(self, core: Core, services: CampaignServices, method: Method) -> None:
        self._core = core
        self._services = services
        self._method = method

    async def answer(self, http: web.Request) -> web.StreamResponse:
        call = rest_call(self._method, http)
        try:
            done = await self._core.run(call, lambda caller: self._take_in(caller, http), _TRANSFER_S)
        except PonteError as error:
            close = {} if http.content.at_eof() else {"Connection": "close"}
            return problem_answer(error, call.request_id, close)
        return json_answer(json_writer.write(done), 200, call.request_id)

    async def _take_in(self, caller: Caller, http: web.Request) -> recipient_pb2.RecipientImport:
        list_id = http.match_info["recipient_list_id"]
        await self._services.lists.get(caller.scope, list_id)
        # Read whole before it is taken in: a workbook's index is at its end. On disk, not in memory.
        with tempfile.TemporaryFile() as file:
            name = await _receive(http, file)
            file.seek(0)
            done = await self._services.imports.from_file(caller.scope, list_id, file, name)
        return campaign_values.recipient_import(done)


async def _receive(http: web.Request, file: IO[bytes]) -> str:
    """Write the field `file` to `file` and give its name."""
    try:
        async for part in await http.multipart():
            if not isinstance(part, BodyPartReader) or part.name != "file":
                raise invalid_field(INVALID_ARGUMENT, "file", "Give the field `file` alone.")
            while chunk := await part.read_chunk(_CHUNK_BYTES):
                if file.tell() + len(chunk) > MOST_BYTES:
                    raise PonteError(BODY_TOO_LARGE, f"The file is larger than {MOST_BYTES} bytes; split it.")
                file.write(chunk)
            return part.filename or ""
    except (ValueError, AssertionError):
        raise invalid_field(INVALID_ARGUMENT, "file", "The body is not valid multipart/form-data.") from None
    raise PonteError(IMPORT_UNREADABLE, "The body has no field `file`.")


class _Report:
    def __init__(self, services: CampaignServices) -> None:
        self._services = services

    async def rows(self, caller: Caller, http: web.Request) -> AsyncIterator[Rows]:
        lists = self._services.lists
        found = await lists.get_import(
            caller.scope, http.match_info["recipient_list_id"], http.match_info["import_id"]
        )
        yield [("line", "given", "reason")]
        last = 0
        while lines := await lists.reported_lines(caller.scope, found.id, last, _LINES_AT_ONCE):
            yield [(line.line, inert(line.given), line.reason.value) for line in lines]
            last = lines[-1].line
