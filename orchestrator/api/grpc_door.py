"""The gRPC door: raw bytes in, the core, raw bytes out; health and reflection beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
from google.protobuf.message import DecodeError, Message
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health_aio
from grpc_reflection.v1alpha import reflection
from grpc_status import rpc_status

from orchestrator.api.errors import to_status
from orchestrator.api.invoke import Call, Core
from orchestrator.api.methods import Method, public_methods
from orchestrator.api.request_id import request_id
from orchestrator.domain.errors import BODY_TOO_LARGE, INVALID_ARGUMENT, PonteError
from orchestrator.startup import StartupError

_LARGEST_FRAME = 16 * 1024 * 1024
"""Bytes after which gRPC itself refuses, without our code."""

_Context = grpc.aio.ServicerContext[bytes, bytes]


class GrpcDoor:
    """Serves the public services. Health and reflection need no key."""

    def __init__(self, core: Core, address: tuple[str, int], body_limit_bytes: int) -> None:
        self._core = core
        self._address = address
        self._body_limit_bytes = body_limit_bytes
        self._health = health_aio.HealthServicer()
        self._server: grpc.aio.Server | None = None

    async def start(self) -> str:
        """Listen and give the address as host:port. Raises StartupError where the port is taken."""
        server = grpc.aio.server(
            options=(
                # Two servers on one port would share its connections without a word.
                ("grpc.so_reuseport", 0),
                ("grpc.max_receive_message_length", _LARGEST_FRAME),
                ("grpc.keepalive_time_ms", 30_000),
                ("grpc.keepalive_timeout_ms", 10_000),
                ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
                ("grpc.max_metadata_size", 16 * 1024),
            )
        )
        server.add_generic_rpc_handlers((_PublicMethods(self._handlers()),))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        reflection.enable_server_reflection(
            [
                *self._services(),
                health_pb2.DESCRIPTOR.services_by_name["Health"].full_name,
                reflection.SERVICE_NAME,
            ],
            server,
        )
        host, port = self._address
        shown = f"[{host}]" if ":" in host else host
        try:
            bound = server.add_insecure_port(f"{shown}:{port}")
        except RuntimeError:
            bound = 0
        if bound == 0:
            raise StartupError(
                f"The gRPC address {shown}:{port} cannot be used (taken, or not of this machine); "
                "stop what listens there or set PONTE_GRPC_ADDR."
            )
        await server.start()
        self._server = server
        return f"{shown}:{bound}"

    async def report(self, ready: bool) -> None:
        """Say through grpc.health.v1 whether requests are served."""
        status = (
            health_pb2.HealthCheckResponse.SERVING if ready else health_pb2.HealthCheckResponse.NOT_SERVING
        )
        for service in ("", *self._services()):
            await self._health.set(service, status)

    async def stop(self, grace_s: float) -> None:
        """Take no more requests, give running ones `grace_s` seconds, then cut them off."""
        server, self._server = self._server, None
        if server is not None:
            await self._health.enter_graceful_shutdown()
            await server.stop(grace_s)

    @staticmethod
    def _services() -> list[str]:
        return list(dict.fromkeys(method.service for method in public_methods()))

    def _handlers(self) -> dict[str, grpc.RpcMethodHandler[bytes, bytes]]:
        return {
            f"/{method.full_name}": grpc.unary_stream_rpc_method_handler(self._stream(method))
            if method.streams
            else grpc.unary_unary_rpc_method_handler(self._unary(method))
            for method in public_methods()
        }

    def _unary(self, method: Method) -> Callable[[bytes, _Context], Awaitable[bytes]]:
        async def answer(body: bytes, context: _Context) -> bytes:
            call = self._call(method, context)
            try:
                return (await self._core.unary(call, self._reader(method, body))).SerializeToString()
            except PonteError as error:
                return await _abort(context, error, call.request_id)

        return answer

    def _stream(self, method: Method) -> Callable[[bytes, _Context], AsyncIterator[bytes]]:
        async def answer(body: bytes, context: _Context) -> AsyncIterator[bytes]:
            call = self._call(method, context)
            try:
                async with await self._core.open_stream(call, self._reader(method, body)) as feed:
                    await feed.settle()
                    await context.send_initial_metadata((("x-request-id", call.request_id),))
                    async for message in feed:
                        if message is not None:
                            yield message.SerializeToString()
            except PonteError as error:
                await _abort(context, error, call.request_id)

        return answer

    @staticmethod
    def _call(method: Method, context: _Context) -> Call:
        metadata = {
            name: value for name, value in context.invocation_metadata() or () if isinstance(value, str)
        }
        call = Call(
            method=method,
            authorization=metadata.get("authorization"),
            request_id=request_id(metadata.get("x-request-id")),
            door="grpc",
            deadline_s=context.time_remaining(),
        )
        context.set_trailing_metadata((("x-request-id", call.request_id),))
        return call

    def _reader(self, method: Method, body: bytes) -> Callable[[], Awaitable[Message]]:
        async def read() -> Message:
            if len(body) > self._body_limit_bytes:
                raise PonteError(BODY_TOO_LARGE, f"A request has at most {self._body_limit_bytes} bytes.")
            try:
                return method.request.FromString(body)
            except DecodeError:
                raise PonteError(
                    INVALID_ARGUMENT, f"The bytes are not a {method.request.DESCRIPTOR.full_name}."
                ) from None

        return read


class _PublicMethods(grpc.GenericRpcHandler):
    """Finds a method by its path."""

    def __init__(self, handlers: dict[str, grpc.RpcMethodHandler[bytes, bytes]]) -> None:
        self._handlers = handlers

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        return self._handlers.get(handler_call_details.method)


async def _abort(context: _Context, error: PonteError, request: str) -> bytes:
    status = rpc_status.to_status(to_status(error, request))
    await context.abort(status.code, status.details, (*status.trailing_metadata, ("x-request-id", request)))
    raise AssertionError("abort does not return")
