"""What services need from the outside, as protocols: the gateways that hold sessions, and the bells."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from orchestrator.domain.channel import Channel, ChannelAction
from orchestrator.domain.chat import ChatAction
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.content import Content
from orchestrator.domain.group.commands import GroupAnswer, GroupCommand
from orchestrator.domain.imports import OlderThan
from orchestrator.domain.jid import ContactId
from orchestrator.domain.retry import SendReport


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """One message for a gateway to send; `wa_message_id` is the same in every attempt.

    `content` is None for a plain text. Typing is shown for `typing_ms` before.
    `fresh_recipient`: WhatsApp is asked anew for the recipient's devices, keys and group data before.
    """

    message_id: str
    wa_message_id: str
    chat_jid: str
    text: str
    fresh_recipient: bool = False
    content: Content | None = None
    typing_ms: int = 0


@dataclass(frozen=True, slots=True)
class SendAnswer:
    """The result of one message. `message_proto` is what was sent, kept for Baileys' `getMessage`."""

    message_id: str
    report: SendReport
    acknowledged_at: datetime | None = None
    contact: ContactId = ContactId()
    message_proto: bytes = b""


@dataclass(frozen=True, slots=True)
class NumberCheck:
    """Whether a number has a WhatsApp account, and its names there."""

    phone_number: str
    on_whatsapp: bool
    contact: ContactId


class GatewayPort(Protocol):
    """Reaches the gateway that holds a session, in this process or another.

    All methods raise PonteError(GATEWAY_UNAVAILABLE) where no gateway holds the session or it does not answer.
    """

    def send_messages(
        self, scope: CompanyScope, session_id: str, messages: Sequence[OutgoingMessage]
    ) -> AsyncIterator[SendAnswer]:
        """Send in the order given per chat; yields each answer as it comes. After the first of a chat that is not
        acknowledged, the rest of that chat is answered NOT_ATTEMPTED."""
        ...

    async def check_numbers(
        self, scope: CompanyScope, session_id: str, phone_numbers: Sequence[str]
    ) -> list[NumberCheck]:
        """Ask WhatsApp which numbers have an account."""
        ...

    async def mark_read(
        self,
        scope: CompanyScope,
        session_id: str,
        chat_jid: str,
        participant_jid: str,
        wa_message_ids: Sequence[str],
    ) -> None:
        """Show messages as read to their sender."""
        ...

    async def act_on_chat(
        self, scope: CompanyScope, session_id: str, chat_jid: str, action: ChatAction
    ) -> None:
        """Show typing in a chat, or block its contact."""
        ...

    async def manage_group(self, scope: CompanyScope, session_id: str, command: GroupCommand) -> GroupAnswer:
        """Ask WhatsApp something about groups, or change one. Raises PonteError where it refuses or does not answer."""
        ...

    async def manage_channel(
        self, scope: CompanyScope, session_id: str, channel: str, action: ChannelAction
    ) -> Channel:
        """Look a channel up, follow it, or do so no more. Raises PonteError(CHANNEL_NOT_FOUND)."""
        ...

    async def request_history(self, scope: CompanyScope, session_id: str, older_than: OlderThan) -> None:
        """Ask the number's own phone for what came before a message; its answer comes as messages from before."""
        ...

    async def request_pairing_code(
        self, scope: CompanyScope, session_id: str, phone_number: str, custom_code: str = ""
    ) -> str:
        """Ask WhatsApp for a code to type on the phone; `custom_code`, where it is not empty, is that code."""
        ...

    async def logout(self, scope: CompanyScope, session_id: str) -> None:
        """Remove the linked device at WhatsApp."""
        ...


class Bells(Protocol):
    """Wakes whoever waits. A lost bell costs time, never a message: the database says what is due. Never raises."""

    async def messages_due(self, scope: CompanyScope, session_id: str) -> None:
        """A session has messages to send."""
        ...

    async def events_recorded(self, scope: CompanyScope) -> None:
        """A company has new events: subscribers and webhooks are woken."""
        ...

    async def session_changed(self, scope: CompanyScope, session_id: str) -> None:
        """A session's desired state changed: gateways look now instead of at their next round."""
        ...
