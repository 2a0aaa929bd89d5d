"""The core of both doors: credential, permission, rate, deadline, the call itself, its error, its log line."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from google.protobuf.message import Message
from loguru import logger

from orchestrator.api.caller import Caller, bearer_secret
from orchestrator.api.errors import internal_error
from orchestrator.api.feed import Feed
from orchestrator.api.methods import Method, StringReader, public_methods, string_fields
from orchestrator.api.metrics import ApiMetrics
from orchestrator.api.rate_limit import RateLimiter
from orchestrator.api.rpc import permissions
from orchestrator.api.settings import ApiSettings
from orchestrator.domain.company import Principal
from orchestrator.domain.errors import (
    DEADLINE_EXCEEDED,
    INVALID_ARGUMENT,
    NOT_IMPLEMENTED,
    SHUTTING_DOWN,
    PonteError,
    invalid_field,
)

UnaryHandler = Callable[[Caller, Any], Awaitable[Message]]
StreamHandler = Callable[[Caller, Any], AsyncIterator[Message]]
Authenticate = Callable[[str], Awaitable[Principal]]
Answer = TypeVar("Answer")
ReadRequest = Callable[[], Awaitable[Message]]
"""Reads and decodes the request; called only when the caller is let in."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request as a door sees it. `door` is "grpc" or "rest"; `deadline_s` the seconds that the caller gives it."""

    method: Method
    authorization: str | None
    request_id: str
    door: str
    deadline_s: float | None = None


class Core:
    """Runs public methods. Everything it raises is a PonteError (or a cancellation); faults become INTERNAL."""

    def __init__(
        self,
        handlers: Mapping[str, Callable[[Caller, Any], Any]],
        authenticate: Authenticate,
        settings: ApiSettings,
        metrics: ApiMetrics,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._handlers = handlers
        self._authenticate = authenticate
        self._settings = settings
        self._metrics = metrics
        self._monotonic = monotonic
        self._limiter = RateLimiter(
            settings.requests_per_second_per_key,
            settings.request_burst_per_key,
            settings.calls_in_flight_per_key,
            monotonic,
        )
        self._strings: dict[str, tuple[tuple[str, StringReader], ...]] = {
            method.full_name: string_fields(method.request) for method in public_methods()
        }
        self._stopping: asyncio.Future[None] | None = None
        self._draining = False

    def stop(self) -> None:
        """Refuse new requests with SHUTTING_DOWN and end all streams; running requests go on."""
        self._draining = True
        stopping = self._stop_signal()
        if not stopping.done():
            stopping.set_result(None)

    @property
    def is_draining(self) -> bool:
        """True once `stop` was called."""
        return self._draining

    async def unary(self, call: Call, read: ReadRequest) -> Message:
        """Answer one request with one message."""

        async def answer(caller: Caller) -> Message:
            request = await self._read(call, read)
            handler: UnaryHandler = self._handler(call.method)
            return await handler(caller, request)

        return await self.run(call, answer)

    async def run(
        self, call: Call, work: Callable[[Caller], Awaitable[Answer]], longest_s: float | None = None
    ) -> Answer:
        """Let the caller in and do the work of a request; `longest_s` is for one that moves a file."""
        started = self._monotonic()
        principal: Principal | None = None
        code = "OK"
        try:
            async with asyncio.timeout(longest_s or self._deadline_s(call)) as deadline:
                principal, _ = await self._admit(call)
                try:
                    return await work(Caller(principal, call.request_id))
                finally:
                    self._limiter.leave(principal.key_id)
        except PonteError as error:
            code = error.code.name
            raise
        except asyncio.CancelledError:
            code = "CANCELLED"
            raise
        except Exception as error:
            answer = self._explain(call, error, expired=deadline.expired())
            code = answer.code.name
            raise answer from None
        finally:
            self._record(call, principal, code, self._monotonic() - started)

    async def open_stream(self, call: Call, read: ReadRequest) -> Feed:
        """Let the caller in and begin a stream, to be closed always; what is wrong with the request is raised here."""
        started = self._monotonic()
        principal: Principal | None = None
        try:
            principal, secret = await self._admit(call)
            try:
                request = await self._read(call, read)
                handler: StreamHandler = self._handler(call.method)
                messages = handler(Caller(principal, call.request_id), request)
            except BaseException:
                self._limiter.leave(principal.key_id)
                raise
        except PonteError as error:
            self._record(call, principal, error.code.name, self._monotonic() - started)
            raise
        except Exception as error:
            answer = self._explain(call, error, expired=False)
            self._record(call, principal, answer.code.name, self._monotonic() - started)
            raise answer from None
        self._metrics.stream_opened(call.door)
        admitted = principal

        def closed(code: str) -> None:
            self._limiter.leave(admitted.key_id)
            self._metrics.stream_closed(call.door)
            self._record(call, admitted, code, self._monotonic() - started)

        return Feed(
            messages,
            stopping=self._stop_signal(),
            pause_s=self._settings.heartbeat_s,
            still_allowed=lambda: self._still_allowed(secret, call.method),
            explain=lambda error: self._explain(call, error, expired=False),
            closed=closed,
        )

    async def _admit(self, call: Call) -> tuple[Principal, str]:
        if self._draining:
            raise PonteError(SHUTTING_DOWN, retry_after_s=1.0)
        secret = bearer_secret(call.authorization)
        principal = await self._authenticate(secret)
        self._limiter.enter(principal.key_id)
        try:
            permissions.check(principal, call.method.full_name)
        except PonteError:
            self._limiter.leave(principal.key_id)
            raise
        return principal, secret

    async def _still_allowed(self, secret: str, method: Method) -> None:
        permissions.check(await self._authenticate(secret), method.full_name)

    async def _read(self, call: Call, read: ReadRequest) -> Message:
        request = await read()
        for path, text_of in self._strings[call.method.full_name]:
            if "\x00" in text_of(request):
                raise invalid_field(
                    INVALID_ARGUMENT, path, "The character U+0000 cannot be stored; leave it out."
                )
        return request

    def _handler(self, method: Method) -> Callable[[Caller, Any], Any]:
        handler = self._handlers.get(method.full_name)
        if handler is None:
            raise PonteError(NOT_IMPLEMENTED)
        return handler

    def _deadline_s(self, call: Call) -> float:
        longest = self._settings.request_timeout_s
        return longest if call.deadline_s is None else min(longest, call.deadline_s)

    def _stop_signal(self) -> asyncio.Future[None]:
        # Made on first use: a Core may be built before its loop runs.
        if self._stopping is None:
            self._stopping = asyncio.get_running_loop().create_future()
        return self._stopping

    @staticmethod
    def _explain(call: Call, error: Exception, *, expired: bool) -> PonteError:
        if isinstance(error, PonteError):
            return error
        if expired:
            return PonteError(DEADLINE_EXCEEDED)
        logger.bind(request_id=call.request_id).opt(exception=error).error("{} failed", call.method.full_name)
        return internal_error(call.request_id)

    def _record(self, call: Call, principal: Principal | None, code: str, seconds: float) -> None:
        method = call.method.full_name
        self._metrics.answered(method, call.door, code, seconds)
        company_id = principal.company_id if principal else None
        logger.bind(company_id=company_id, request_id=call.request_id).info(
            "{} {} {} {:.1f} ms", call.door, method, code, seconds * 1000
        )
