"""The gRPC client of a bridge process."""

from collections.abc import AsyncIterator
from typing import Protocol

import grpc
from grpc import aio

from orchestrator._generated.ponte.bridge.v1 import bridge_pb2 as pb
from orchestrator._generated.ponte.bridge.v1.bridge_pb2_grpc import BridgeStub
from orchestrator.bridge import decode
from orchestrator.bridge.messages import BridgeStatus, Opening
from orchestrator.bridge.stream import SessionStream

_MAX_MESSAGE_BYTES = 64 * 1024 * 1024
"""Bound of one message on the stream: a whole history chunk fits."""

_OPTIONS = (
    ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", _MAX_MESSAGE_BYTES),
    # The bridge is next door and is started again where it dies: the defaults (up to 120 s) would wait for nothing.
    ("grpc.initial_reconnect_backoff_ms", 100),
    # Despite its name the longest that one attempt to connect may take, see gRPC's doc/connection-backoff.md.
    ("grpc.min_reconnect_backoff_ms", 5_000),
    ("grpc.max_reconnect_backoff_ms", 1000),
    # A process that hangs answers no ping: its streams break after 15 s instead of never.
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.http2.ping_timeout_ms", 5_000),
    ("grpc.http2.max_pings_without_data", 0),
)


class Bridge(Protocol):
    """A bridge process, or its sibling in memory."""

    def open(self, opening: Opening) -> SessionStream:
        """Open and start one session's stream; a bridge that cannot be reached shows as Closed on the stream."""
        ...

    async def status(self, timeout_s: float) -> BridgeStatus:
        """Ask what the process is and holds; raises AioRpcError where it does not answer."""
        ...

    async def hold(self, holder: str, seconds: float, timeout_s: float) -> None:
        """Let the sessions of a holder live for so long from now; without another word the bridge ends them then.

        Raises AioRpcError where it does not answer.
        """
        ...

    async def close(self) -> None:
        """Let go of the connection."""
        ...


class BridgeClient:
    """Reaches one bridge process at `address`: `unix:/path` or `host:port`. Belongs to the loop that first uses it.

    `credentials` are those of mutual TLS, which a bridge on another machine demands.
    """

    def __init__(self, address: str, credentials: grpc.ChannelCredentials | None = None) -> None:
        self.address = address
        self._credentials = credentials
        self._open_channel: aio.Channel | None = None

    def open(self, opening: Opening) -> SessionStream:
        """Open and start one session's stream; a bridge that cannot be reached shows as Closed on the stream."""
        stream = SessionStream(_GrpcWire(self._channel()), opening)
        stream.start()
        return stream

    async def status(self, timeout_s: float) -> BridgeStatus:
        """Ask what the process is and holds; raises AioRpcError where it does not answer."""
        stub = BridgeStub(self._channel())
        return decode.status(await stub.Status(pb.StatusRequest(), timeout=timeout_s))

    async def hold(self, holder: str, seconds: float, timeout_s: float) -> None:
        """Let the sessions of a holder live for so long from now; without another word the bridge ends them then.

        Raises AioRpcError where it does not answer.
        """
        request = pb.HoldRequest(holder=holder, valid_for_ms=round(seconds * 1000))
        await BridgeStub(self._channel()).Hold(request, timeout=timeout_s)

    async def close(self) -> None:
        """Let go of the connection; streams that are open are cancelled."""
        if self._open_channel is not None:
            await self._open_channel.close()
            self._open_channel = None

    def _channel(self) -> aio.Channel:
        if self._open_channel is None:
            self._open_channel = (
                aio.insecure_channel(self.address, options=_OPTIONS)
                if self._credentials is None
                else aio.secure_channel(self.address, self._credentials, options=_OPTIONS)
            )
        return self._open_channel


class _GrpcWire:
    """A gRPC call as a wire."""

    def __init__(self, channel: aio.Channel) -> None:
        self._call = BridgeStub(channel).Session()

    async def write(self, command: pb.SessionCommand) -> None:
        await self._call.write(command)

    def events(self) -> AsyncIterator[pb.SessionEvent]:
        return aiter(self._call)

    async def done_writing(self) -> None:
        await self._call.done_writing()

    def cancel(self) -> None:
        self._call.cancel()
