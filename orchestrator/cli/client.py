"""A small client of Ponte's own REST API for commands and the demo."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import aiohttp

from orchestrator.startup import StartupError

_TIMEOUT = aiohttp.ClientTimeout(total=90, connect=5)
_NO_TIMEOUT = aiohttp.ClientTimeout(total=None, connect=5)

Json = dict[str, Any]


class CallFailedError(StartupError):
    """The API refused a call; the message is its sentence. `code` is its stable code."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.code = str(problem.get("code", ""))
        detail = problem.get("detail") or problem.get("title") or f"HTTP {status}"
        super().__init__(f"{detail} ({self.code})" if self.code else str(detail))


class PonteClient:
    """Calls a Ponte at `url` with one key."""

    def __init__(self, http: aiohttp.ClientSession, url: str, key: str) -> None:
        self._http = http
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}"}

    @classmethod
    @asynccontextmanager
    async def connect(cls, url: str, key: str) -> AsyncIterator[Self]:
        """Give a client with a connection pool of its own for the length of a block."""
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as http:
            yield cls(http, url, key)

    def with_key(self, key: str) -> PonteClient:
        """Return a client of the same Ponte with another key."""
        return PonteClient(self._http, self._url, key)

    async def get(self, path: str) -> Json:
        """GET `path`; raises CallFailedError, or StartupError when nobody answers."""
        return await self._call("GET", path, None)

    async def post(self, path: str, body: Mapping[str, Any] | None = None) -> Json:
        """POST `body` as JSON to `path`; raises like get()."""
        return await self._call("POST", path, body or {})

    async def post_form(self, path: str, form: aiohttp.FormData) -> Json:
        """POST a form with a file to `path`, however long that takes; raises like get()."""
        content: Json = json.loads(await self._ask("POST", path, data=form, timeout=_NO_TIMEOUT))
        return content

    async def upload(self, path: str, file: Path) -> Json:
        """POST a file of this machine to `path`, however long that takes; raises like get()."""
        with file.open("rb") as content:
            form = aiohttp.FormData()
            form.add_field("file", content, filename=file.name)
            return await self.post_form(path, form)

    async def get_bytes(self, path: str) -> bytes:
        """GET what `path` has, as it is, however long that takes; raises like get()."""
        return await self._ask("GET", path, timeout=_NO_TIMEOUT)

    async def events(self, after: int) -> AsyncIterator[Json]:
        """Yield the company's events that follow sequence number `after`, without end, as they happen."""
        request = self._http.get(
            f"{self._url}/v1/events/stream?after={after}", headers=self._headers, timeout=_NO_TIMEOUT
        )
        async with request as answer:
            if answer.status != 200:
                raise CallFailedError(answer.status, await _problem(answer))
            async for line in answer.content:
                if line.startswith(b"data:"):
                    yield json.loads(line.removeprefix(b"data:"))

    async def _call(self, method: str, path: str, body: Mapping[str, Any] | None) -> Json:
        content: Json = json.loads(await self._ask(method, path, json=body))
        return content

    async def _ask(self, method: str, path: str, **options: Any) -> bytes:
        try:
            async with self._http.request(
                method, self._url + path, headers=self._headers, **options
            ) as answer:
                if answer.status >= 400:
                    raise CallFailedError(answer.status, await _problem(answer))
                return await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise StartupError(
                f"No Ponte answers at {self._url} ({error}): start one with 'ponte up'."
            ) from error


async def _problem(answer: aiohttp.ClientResponse) -> Mapping[str, Any]:
    try:
        problem = await answer.json(content_type=None)
    except ValueError:
        problem = None
    return problem if isinstance(problem, dict) else {}
