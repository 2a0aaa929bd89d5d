"""The sessions that another process holds, reached by gRPC at the address in their lease."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeVar

from grpc import aio
from grpc.aio import AioRpcError

from orchestrator._generated.ponte.gateway.v1 import gateway_pb2 as pb
from orchestrator._generated.ponte.gateway.v1.gateway_pb2_grpc import GatewayServiceStub
from orchestrator.bridge import channels, groups
from orchestrator.domain.channel import Channel, ChannelAction
from orchestrator.domain.chat import ChatAction
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.group.commands import GroupAnswer, GroupCommand, SetPicture
from orchestrator.domain.imports import OlderThan
from orchestrator.domain.retry import Outcome, SendReport
from orchestrator.gateway import calls, codec
from orchestrator.services.ports import NumberCheck, OutgoingMessage, SendAnswer

A = TypeVar("A")

_CALL_S = 60.0
"""Longer than the time-outs of the gateway itself."""

_LOST = SendReport(Outcome.AMBIGUOUS, reason="gateway_lost", detail="the gateway was lost before it answered")


class RemoteGateway:
    """One other gateway. Raises PonteError: what that gateway raised, or GATEWAY_UNAVAILABLE."""

    def __init__(self, address: str, secret: str) -> None:
        self._channel = aio.insecure_channel(address, options=calls.CLIENT_OPTIONS)
        self._stub = GatewayServiceStub(self._channel)
        self._secret = secret

    async def close(self) -> None:
        """Let go of the connection."""
        await self._channel.close()

    async def send_messages(
        self, scope: CompanyScope, session_id: str, messages: Sequence[OutgoingMessage]
    ) -> AsyncIterator[SendAnswer]:
        """Yield each answer as it comes; what that gateway had begun when it was lost is ambiguous."""
        request = pb.SendMessagesRequest(
            session_id=session_id, messages=[codec.encode_message(message) for message in messages]
        )
        call = self._stub.SendMessages(request, metadata=calls.call_metadata(self._secret, scope))
        left = {message.message_id for message in messages}
        begun = False
        try:
            begun = calls.BEGUN_METADATA[0] in tuple(await call.initial_metadata())
            async for answer in call:
                begun = True
                left.discard(answer.message_id)
                yield codec.decode_answer(answer)
        except AioRpcError as error:
            if not begun:
                raise calls.to_ponte_error(error) from None
        finally:
            call.cancel()
        for message_id in left:
            yield SendAnswer(message_id, _LOST)

    async def check_numbers(
        self, scope: CompanyScope, session_id: str, phone_numbers: Sequence[str]
    ) -> list[NumberCheck]:
        """Ask WhatsApp which numbers have an account."""
        request = pb.CheckNumbersRequest(session_id=session_id, phone_numbers=phone_numbers)
        answer = await self._ask(self._stub.CheckNumbers, request, scope)
        return [codec.decode_check(check) for check in answer.numbers]

    async def mark_read(
        self,
        scope: CompanyScope,
        session_id: str,
        chat_jid: str,
        participant_jid: str,
        wa_message_ids: Sequence[str],
    ) -> None:
        """Show messages as read to their sender."""
        request = pb.MarkReadRequest(
            session_id=session_id,
            chat_jid=chat_jid,
            participant_jid=participant_jid,
            wa_message_ids=wa_message_ids,
        )
        await self._ask(self._stub.MarkRead, request, scope)

    async def act_on_chat(
        self, scope: CompanyScope, session_id: str, chat_jid: str, action: ChatAction
    ) -> None:
        """Show typing in a chat, or block its contact."""
        request = pb.ActOnChatRequest(session_id=session_id, chat_jid=chat_jid, action=action.value)
        await self._ask(self._stub.ActOnChat, request, scope)

    async def manage_group(self, scope: CompanyScope, session_id: str, command: GroupCommand) -> GroupAnswer:
        """Ask WhatsApp something about groups, or change one."""
        request = pb.ManageGroupRequest(
            session_id=session_id,
            command=groups.encode_command(command),
            media_id=command.media_id if isinstance(command, SetPicture) else "",
        )
        answer = await self._ask(self._stub.ManageGroup, request, scope)
        return groups.decode_answer(command, answer.answer)

    async def manage_channel(
        self, scope: CompanyScope, session_id: str, channel: str, action: ChannelAction
    ) -> Channel:
        """Look a channel up, follow it, or do so no more."""
        request = pb.ManageChannelRequest(session_id=session_id, channel=channel, action=action.value)
        return channels.decode_channel((await self._ask(self._stub.ManageChannel, request, scope)).channel)

    async def request_history(self, scope: CompanyScope, session_id: str, older_than: OlderThan) -> None:
        """Ask the number's own phone for what came before a message; its answer comes as messages from before."""
        request = pb.RequestHistoryRequest(
            session_id=session_id,
            chat_jid=older_than.chat_jid,
            wa_message_id=older_than.wa_message_id,
            from_me=older_than.from_me,
            sent_at_ms=round(older_than.sent_at.timestamp() * 1000),
            count=older_than.count,
        )
        await self._ask(self._stub.RequestHistory, request, scope)

    async def request_pairing_code(
        self, scope: CompanyScope, session_id: str, phone_number: str, custom_code: str = ""
    ) -> str:
        """Ask WhatsApp for a code to type on the phone."""
        request = pb.RequestPairingCodeRequest(
            session_id=session_id, phone_number=phone_number, custom_code=custom_code
        )
        answer = await self._ask(self._stub.RequestPairingCode, request, scope)
        return answer.code

    async def logout(self, scope: CompanyScope, session_id: str) -> None:
        """Remove the linked device at WhatsApp."""
        await self._ask(self._stub.Logout, pb.LogoutRequest(session_id=session_id), scope)

    async def _ask(self, method: Callable[..., Awaitable[A]], request: object, scope: CompanyScope) -> A:
        try:
            return await method(request, metadata=calls.call_metadata(self._secret, scope), timeout=_CALL_S)
        except AioRpcError as error:
            raise calls.to_ponte_error(error) from None
