"""The internal gRPC service by which other processes reach the sessions that this one holds."""

from collections.abc import AsyncIterator
from typing import NoReturn

from grpc import aio
from loguru import logger

from orchestrator._generated.ponte.gateway.v1 import gateway_pb2 as pb
from orchestrator._generated.ponte.gateway.v1.gateway_pb2_grpc import (
    GatewayServiceServicer,
    add_GatewayServiceServicer_to_server,
)
from orchestrator.bridge import channels
from orchestrator.domain import errors
from orchestrator.domain.channel import ChannelAction
from orchestrator.domain.chat import ChatAction
from orchestrator.domain.errors import PonteError
from orchestrator.gateway import calls, codec
from orchestrator.gateway.gateway import Gateway
from orchestrator.startup import StartupError

Context = aio.ServicerContext[object, object]


class GatewayServer:
    """Serves a gateway at an address. A call without the shared secret is refused."""

    def __init__(self, gateway: Gateway, address: str, secret: str) -> None:
        if not secret:
            raise StartupError("The gateway's server needs the secret that all Ponte processes share.")
        self._servicer = _Servicer(gateway, secret)
        self._address = address
        self._server: aio.Server | None = None

    async def start(self) -> int:
        """Listen; gives the port. Raises StartupError where the address cannot be had."""
        server = aio.server(options=calls.SERVER_OPTIONS)
        add_GatewayServiceServicer_to_server(self._servicer, server)
        try:
            port = server.add_insecure_port(self._address)
        except RuntimeError as error:
            raise StartupError(
                f"The gateway cannot listen on {self._address}; free the port or set another address."
            ) from error
        await server.start()
        self._server = server
        return port

    async def stop(self, grace_s: float = 5.0) -> None:
        """Take no more calls; those that run have `grace_s` to end."""
        if self._server is not None:
            await self._server.stop(grace_s)


class _Servicer(GatewayServiceServicer):
    def __init__(self, gateway: Gateway, secret: str) -> None:
        self._gateway = gateway
        self._local = gateway.local
        self._secret = secret

    async def SendMessages(
        self, request: pb.SendMessagesRequest, context: Context
    ) -> AsyncIterator[pb.SendMessagesResponse]:
        try:
            scope = calls.admit(self._secret, context.invocation_metadata() or ())
            self._local.demand_connected(scope, request.session_id)
            # Tells the caller that messages may be on their way from now on.
            await context.send_initial_metadata(calls.BEGUN_METADATA)
            messages = [codec.decode_message(message) for message in request.messages]
            async for answer in self._local.send_messages(scope, request.session_id, messages):
                yield codec.encode_answer(answer)
        except Exception as error:
            await _abort(context, error)

    async def CheckNumbers(
        self, request: pb.CheckNumbersRequest, context: Context
    ) -> pb.CheckNumbersResponse:
        try:
            scope = calls.admit(self._secret, context.invocation_metadata() or ())
            checks = await self._local.check_numbers(scope, request.session_id, request.phone_numbers)
            return pb.CheckNumbersResponse(numbers=[codec.encode_check(check) for check in checks])
        except Exception as error:
            await _abort(context, error)

    async def MarkRead(self, request: pb.MarkReadRequest, context: Context) -> pb.MarkReadResponse:
        try:
            scope = calls.admit(self._secret, context.invocation_metadata() or ())
            await self._local.mark_read(
                scope,
                request.session_id,
                request.chat_jid,
                request.participant_jid,
                request.wa_message_ids,
            )
            return pb.MarkReadResponse()
        except Exception as error:
            await _abort(context, error)

    async def ActOnChat(self, request: pb.ActOnChatRequest, context: Context) -> pb.ActOnChatResponse:
        try:
            scope = calls.admit(self._secret, context.invocation_metadata() or ())
            action = ChatAction(request.action)
            await self._local.act_on_chat(scope, request.session_id, request.chat_jid, action)
            return pb.ActOnChatResponse()
        except Exception as error:
            await _abort(context, error)

    async def ManageGroup(self, request: pb.ManageGroupRequest, context: Context) -> pb.ManageGroupResponse:
        try:
            scope = calls.admit(self._secret, context.invocation_metadata() or ())
            answer = await self._local.ask_group(scope, request.session_id, request.command, request.media_id)
            return pb.ManageGroupResponse(answer=answer)
        except Exception as error:
            await _abort(context, error)

    async def ManageChannel(
        self, request: pb.ManageChannelRequest, context: Context
    ) -> pb.ManageChannelResponse:
        try:
            scope = calls.admit(self._secret, context.invocation_metadata() or ())
            action = ChannelAction(request.action)
            found = await self._local.manage_channel(scope, request.session_id, request.channel, action)
            return pb.ManageChannelResponse(channel=channels.encode_channel(found))
        except Exception as error:
            await _abort(context, error)

    async def RequestHistory(
        self, request: pb.RequestHistoryRequest, context: Context
    ) -> pb.RequestHistoryResponse:
        try:
            scope = calls.admit(self._secret, context.invocation_metadata() or ())
            older_than = codec.decode_older_than(request)
            await self._local.request_history(scope, request.session_id, older_than)
            return pb.RequestHistoryResponse()
        except Exception as error:
            await _abort(context, error)

    async def Logout(self, request: pb.LogoutRequest, context: Context) -> pb.LogoutResponse:
        try:
            scope = calls.admit(self._secret, context.invocation_metadata() or ())
            await self._local.logout(scope, request.session_id)
            return pb.LogoutResponse()
        except Exception as error:
            await _abort(context, error)

    async def RequestPairingCode(
        self, request: pb.RequestPairingCodeRequest, context: Context
    ) -> pb.RequestPairingCodeResponse:
        try:
            scope = calls.admit(self._secret, context.invocation_metadata() or ())
            code = await self._local.request_pairing_code(
                scope, request.session_id, request.phone_number, request.custom_code
            )
            return pb.RequestPairingCodeResponse(code=code)
        except Exception as error:
            await _abort(context, error)

    async def Reconcile(self, request: pb.ReconcileRequest, context: Context) -> pb.ReconcileResponse:
        try:
            calls.admit(self._secret, context.invocation_metadata() or ())
            self._gateway.ring(request.session_id)
            return pb.ReconcileResponse()
        except Exception as error:
            await _abort(context, error)


async def _abort(context: Context, error: Exception) -> NoReturn:
    if not isinstance(error, PonteError):
        logger.opt(exception=error).error("An internal call failed.")
        error = PonteError(errors.INTERNAL)
    trailing = ((calls.ERROR_CODE, error.code.name),)
    await context.abort(calls.STATUSES[error.code.kind], error.sentence, trailing)
    raise AssertionError("abort raises")
