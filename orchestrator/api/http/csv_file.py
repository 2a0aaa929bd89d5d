"""Answers that are a CSV file, written as its rows are read: it may be of any size."""

import csv
import io
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final

from aiohttp import web

from orchestrator.api.caller import Caller
from orchestrator.api.http.answers import REQUEST_ID, problem_answer
from orchestrator.api.http.call import rest_call
from orchestrator.api.invoke import Core
from orchestrator.api.methods import Method
from orchestrator.domain.errors import PonteError

_TRANSFER_S: Final = 3600.0
"""The longest that one download may take."""

Rows = Sequence[tuple[object, ...]]


class CsvFile:
    """A file named `file_name`, under the rights of `method`; `rows` gives it in portions, the heading first."""

    def __init__(
        self,
        core: Core,
        method: Method,
        file_name: str,
        rows: Callable[[Caller, web.Request], AsyncIterator[Rows]],
    ) -> None:
        self._core = core
        self._method = method
        self._file_name = file_name
        self._rows = rows

    async def answer(self, http: web.Request) -> web.StreamResponse:
        """Send it; a problem that shows before its first portion is answered as such."""
        call = rest_call(self._method, http)
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/csv; charset=utf-8",
                "Content-Disposition": f'attachment; filename="{self._file_name}"',
                "Cache-Control": "no-store",
                "X-Content-Type-Options": "nosniff",
                REQUEST_ID: call.request_id,
            }
        )
        try:
            await self._core.run(call, lambda caller: self._send(caller, http, response), _TRANSFER_S)
        except PonteError as error:
            if not response.prepared:
                return problem_answer(error, call.request_id)
            # The headers are out: the peer sees a body that is too short.
            if http.transport is not None:
                http.transport.close()
        return response

    async def _send(self, caller: Caller, http: web.Request, response: web.StreamResponse) -> None:
        async for rows in self._rows(caller, http):
            if not response.prepared:
                await response.prepare(http)
            await response.write(_csv(rows))
        await response.write_eof()


def inert(given: str) -> str:
    """Spreadsheets run what begins like a formula: an apostrophe makes it text. Numbers with a plus sign are none."""
    return f"'{given}" if given[:1] in ("=", "@", "-", "\t") or given[:2] in ("+=", "+@") else given


def _csv(rows: Rows) -> bytes:
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    return written.getvalue().encode()
