"""What the other side of a chat sees besides messages: read marks, typing, blocks."""

from collections.abc import Sequence

from orchestrator.domain import errors
from orchestrator.domain.chat import ChatAction
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError, invalid_field, not_found
from orchestrator.domain.exported_chat.ids import is_exported_id
from orchestrator.domain.jid import GROUP_SERVER, LID_SERVER, PHONE_NUMBER_SERVER, is_channel
from orchestrator.domain.message import Direction
from orchestrator.domain.session import LINKED_STATES
from orchestrator.services.contacts import ContactBook
from orchestrator.services.context import Context
from orchestrator.services.phone_numbers import chat_of
from orchestrator.services.ports import GatewayPort
from orchestrator.services.session_choice import only_session
from orchestrator.store import dispatch_leases
from orchestrator.store import messages as message_store

MOST_READ = 100
"""Messages in one call."""

_PEOPLE = frozenset({PHONE_NUMBER_SERVER, LID_SERVER})
_CHATS = _PEOPLE | {GROUP_SERVER}


class ChatService:
    """Acts on the chats of a company's sessions, at once and unqueued."""

    def __init__(self, context: Context, gateway: GatewayPort) -> None:
        self._context = context
        self._gateway = gateway
        self._book = ContactBook(context)

    async def mark_read(self, scope: CompanyScope, message_ids: Sequence[str]) -> None:
        """Show inbound messages as read to their senders.

        Raises PonteError: INVALID_ARGUMENT, NOT_FOUND, EXPORTED_MESSAGE, GATEWAY_UNAVAILABLE.
        """
        if not 0 < len(message_ids) <= MOST_READ:
            raise invalid_field(errors.INVALID_ARGUMENT, "message_ids", f"Give 1 to {MOST_READ} ids.")
        async with self._context.database.reading(scope) as tx:
            found = await message_store.get_many(tx, scope, sorted(set(message_ids)))
        if any(message_id not in found for message_id in message_ids):
            raise not_found()
        by_sender: dict[tuple[str, str, str], list[str]] = {}
        for position, message_id in enumerate(message_ids):
            message = found[message_id].message
            if message.direction is not Direction.INBOUND:
                raise invalid_field(
                    errors.INVALID_ARGUMENT,
                    f"message_ids[{position}]",
                    "Only a message that came in can be read.",
                )
            if is_exported_id(message.wa_message_id):
                raise invalid_field(errors.EXPORTED_MESSAGE, f"message_ids[{position}]")
            if is_channel(message.chat_jid):
                raise invalid_field(
                    errors.INVALID_ARGUMENT,
                    f"message_ids[{position}]",
                    "Posts in channels are not marked as read.",
                )
            key = (message.session_id, message.chat_jid, message.participant)
            by_sender.setdefault(key, []).append(message.wa_message_id)
        for (session_id, chat_jid, participant), wa_ids in by_sender.items():
            await self._gateway.mark_read(scope, session_id, chat_jid, participant, wa_ids)

    async def show(self, scope: CompanyScope, session_id: str, chat: str, action: ChatAction) -> None:
        """Show TYPING, RECORDING or PAUSED in a chat (E.164 or jid).

        Raises PonteError: INVALID_PHONE_NUMBER, INVALID_ARGUMENT, NOT_FOUND, SESSION_AMBIGUOUS, SESSION_NOT_LINKED,
        GATEWAY_UNAVAILABLE.
        """
        await self._act(scope, session_id, _checked(chat, "chat", _CHATS), action)

    async def block(self, scope: CompanyScope, session_id: str, contact: str) -> None:
        """Keep a contact (E.164 or jid) from writing. Raises as `show`."""
        await self._act(scope, session_id, _checked(contact, "contact", _PEOPLE), ChatAction.BLOCK)

    async def unblock(self, scope: CompanyScope, session_id: str, contact: str) -> None:
        """Let a blocked contact (E.164 or jid) write again. Raises as `show`."""
        await self._act(scope, session_id, _checked(contact, "contact", _PEOPLE), ChatAction.UNBLOCK)

    async def watch_presence(self, scope: CompanyScope, session_id: str, contact: str) -> None:
        """Have told what a contact (E.164 or jid) shows, until the connection ends. Raises as `show`."""
        await self._act(scope, session_id, _checked(contact, "contact", _PEOPLE), ChatAction.WATCH_PRESENCE)

    async def _act(self, scope: CompanyScope, session_id: str, jid: str, action: ChatAction) -> None:
        async with self._context.database.reading(scope) as tx:
            session_id = session_id or await only_session(tx, scope)
            jid = await self._book.chat_name(tx, scope, jid)
            facts = (await dispatch_leases.session_facts(tx, scope, [session_id])).get(session_id)
        if facts is None:
            raise not_found()
        if facts.state not in LINKED_STATES:
            raise PonteError(errors.SESSION_NOT_LINKED)
        await self._gateway.act_on_chat(scope, session_id, jid, action)


def _checked(text: str, field: str, servers: frozenset[str]) -> str:
    jid = chat_of(text, field)
    user, _, server = jid.partition("@")
    if not user or server not in servers:
        raise invalid_field(errors.INVALID_ARGUMENT, field, "Give a phone number or a jid.")
    return jid
