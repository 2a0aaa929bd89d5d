"""ponte.v1.ChatService."""

from orchestrator._generated.ponte.v1 import chat_pb2
from orchestrator.api.caller import Caller
from orchestrator.api.rpc import decode
from orchestrator.domain.chat import ChatAction
from orchestrator.domain.errors import INVALID_ARGUMENT, invalid_field
from orchestrator.services.chats import ChatService

_Activity = chat_pb2.ShowActivityRequest.Activity


class ChatMethods:
    """Chats of the caller's company."""

    service = "ponte.v1.ChatService"

    def __init__(self, chats: ChatService) -> None:
        self._chats = chats

    async def mark_read(self, caller: Caller, request: chat_pb2.MarkReadRequest) -> chat_pb2.MarkReadResponse:
        """Show messages as read."""
        await self._chats.mark_read(caller.scope, request.message_ids)
        return chat_pb2.MarkReadResponse()

    async def show_activity(
        self, caller: Caller, request: chat_pb2.ShowActivityRequest
    ) -> chat_pb2.ShowActivityResponse:
        """Show typing or recording."""
        activity = decode.choice(request.activity, _Activity.Name, ChatAction, "activity")
        if activity is None:
            raise invalid_field(INVALID_ARGUMENT, "activity", "Give one of TYPING, RECORDING, PAUSED.")
        await self._chats.show(caller.scope, request.session_id, request.chat, activity)
        return chat_pb2.ShowActivityResponse()

    async def watch_presence(
        self, caller: Caller, request: chat_pb2.WatchPresenceRequest
    ) -> chat_pb2.WatchPresenceResponse:
        """Watch what a contact shows."""
        await self._chats.watch_presence(caller.scope, request.session_id, request.contact)
        return chat_pb2.WatchPresenceResponse()

    async def block_contact(
        self, caller: Caller, request: chat_pb2.BlockContactRequest
    ) -> chat_pb2.BlockContactResponse:
        """Block a contact."""
        await self._chats.block(caller.scope, request.session_id, request.contact)
        return chat_pb2.BlockContactResponse()

    async def unblock_contact(
        self, caller: Caller, request: chat_pb2.UnblockContactRequest
    ) -> chat_pb2.UnblockContactResponse:
        """Unblock a contact."""
        await self._chats.unblock(caller.scope, request.session_id, request.contact)
        return chat_pb2.UnblockContactResponse()
