"""A stream of messages to one client: heartbeats while it is idle, an end when Ponte stops or the key is revoked."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType

from google.protobuf.message import Message

from orchestrator.domain.errors import SHUTTING_DOWN, ErrorKind, PonteError

_REFUSALS = (ErrorKind.UNAUTHENTICATED, ErrorKind.PERMISSION_DENIED)
_SETTLE_S = 0.1
"""How long the start of an idle stream is held back: an error of the first step comes well within it."""


class Feed:
    """Iterates over messages; None stands for "nothing for `pause_s` seconds", so that the door can send a heartbeat.

    Raises PonteError: SHUTTING_DOWN when `stopping` is done, what `still_allowed` raises (asked each `pause_s`), and
    what `explain` makes of an error of the source. Nothing is read ahead: a slow client slows the source and fills no
    memory. Use it with `async with`; `closed` is called once with "OK", an error's code or "CANCELLED".
    """

    def __init__(
        self,
        source: AsyncIterator[Message],
        *,
        stopping: asyncio.Future[None],
        pause_s: float,
        still_allowed: Callable[[], Awaitable[None]],
        explain: Callable[[Exception], PonteError],
        closed: Callable[[str], None],
    ) -> None:
        self._source = source
        self._stopping = stopping
        self._pause_s = pause_s
        self._still_allowed = still_allowed
        self._explain = explain
        self._closed: Callable[[str], None] | None = closed
        self._ended_with = "OK"
        self._pending: asyncio.Task[Message | None] | None = None
        self._checked_at = asyncio.get_running_loop().time()

    async def __aenter__(self) -> "Feed":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._closed is None:
            return
        closed, self._closed = self._closed, None
        try:
            await self._end_source()
        finally:
            closed(self._ended_with if error is None or isinstance(error, PonteError) else "CANCELLED")

    def __aiter__(self) -> "Feed":
        return self

    async def settle(self) -> None:
        """Let the source take its first step, which may fail, before the door says that all is well."""
        self._pending = asyncio.ensure_future(_take(self._source))
        await asyncio.wait(
            (self._pending, self._stopping), timeout=_SETTLE_S, return_when=asyncio.FIRST_COMPLETED
        )
        if self._pending.done() and isinstance(error := self._pending.exception(), Exception):
            raise self._ended(self._explain(error))

    async def __anext__(self) -> Message | None:
        await self._check_permission()
        if self._pending is None:
            self._pending = asyncio.ensure_future(_take(self._source))
        await asyncio.wait(
            (self._pending, self._stopping), timeout=self._pause_s, return_when=asyncio.FIRST_COMPLETED
        )
        if self._stopping.done():
            raise self._ended(PonteError(SHUTTING_DOWN, retry_after_s=1.0))
        if not self._pending.done():
            return None
        pending, self._pending = self._pending, None
        try:
            message = pending.result()
        except Exception as error:
            raise self._ended(self._explain(error)) from None
        if message is None:
            raise StopAsyncIteration
        return message

    async def _check_permission(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._checked_at < self._pause_s:
            return
        self._checked_at = now
        try:
            await self._still_allowed()
        except PonteError as error:
            if error.code.kind in _REFUSALS:
                raise self._ended(error) from None
        except Exception as error:
            self._explain(error)

    def _ended(self, error: PonteError) -> PonteError:
        self._ended_with = error.code.name
        return error

    async def _end_source(self) -> None:
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.cancel()
            await asyncio.gather(pending, return_exceptions=True)
        close = getattr(self._source, "aclose", None)
        if close is not None:
            await close()


async def _take(source: AsyncIterator[Message]) -> Message | None:
    try:
        return await anext(source)
    except StopAsyncIteration:
        return None
