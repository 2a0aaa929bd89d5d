"""The sessions that this process holds, as services.ports.GatewayPort."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from weakref import WeakKeyDictionary

from orchestrator._generated.ponte.bridge.v1 import group_pb2
from orchestrator.bridge import groups
from orchestrator.bridge.stream import SessionStream
from orchestrator.domain import errors
from orchestrator.domain.channel import Channel, ChannelAction
from orchestrator.domain.chat import ChatAction
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError
from orchestrator.domain.group.commands import GroupAnswer, GroupCommand, SetPicture
from orchestrator.domain.imports import OlderThan
from orchestrator.gateway.runner import SessionRunner
from orchestrator.gateway.sending import OpenFiles, Window, send_messages
from orchestrator.gateway.settings import GatewaySettings
from orchestrator.services.outgoing_files import OutgoingFiles
from orchestrator.services.ports import NumberCheck, OutgoingMessage, SendAnswer

_LOGOUT_S = 15.0

_BEYOND_ACK_S = 10.0
"""The bridge itself answers a late ack; this much later the bridge is late."""


class LocalGateway:
    """Reaches held sessions. Raises PonteError(GATEWAY_UNAVAILABLE) for one that is not held or not connected."""

    def __init__(
        self,
        runners: Mapping[str, SessionRunner],
        settings: GatewaySettings,
        files: OutgoingFiles | None = None,
    ) -> None:
        self._files = files
        self._runners = runners
        self._settings = settings
        self._windows: WeakKeyDictionary[SessionStream, Window] = WeakKeyDictionary()

    def holds(self, scope: CompanyScope, session_id: str) -> bool:
        """Tell whether this process holds the session of this company."""
        runner = self._runners.get(session_id)
        return runner is not None and runner.scope == scope and not runner.finished

    def demand_connected(self, scope: CompanyScope, session_id: str) -> None:
        """Raise PonteError(GATEWAY_UNAVAILABLE) unless messages can be sent now."""
        self._connected(scope, session_id)

    async def send_messages(
        self, scope: CompanyScope, session_id: str, messages: Sequence[OutgoingMessage]
    ) -> AsyncIterator[SendAnswer]:
        """Send in the order given per chat; yields each answer as it comes."""
        stream = self._connected(scope, session_id)
        window = self._windows.get(stream)
        if window is None:
            window = self._windows[stream] = Window(self._settings.window, self._open_files(scope))
        # Sends of one socket wait for each other: a full window may take longer than one ack.
        timeout_s = 2 * self._settings.ack_timeout_ms / 1000 + _BEYOND_ACK_S
        async for answer in send_messages(stream, window, messages, timeout_s):
            yield answer

    def _open_files(self, scope: CompanyScope) -> OpenFiles | None:
        return partial(self._files.opened, scope) if self._files else None

    async def check_numbers(
        self, scope: CompanyScope, session_id: str, phone_numbers: Sequence[str]
    ) -> list[NumberCheck]:
        """Ask WhatsApp which numbers have an account."""
        stream = self._connected(scope, session_id)
        checked = await stream.check_numbers(phone_numbers, self._settings.query_timeout_s)
        return [NumberCheck(number.phone_number, number.on_whatsapp, number.contact) for number in checked]

    async def mark_read(
        self,
        scope: CompanyScope,
        session_id: str,
        chat_jid: str,
        participant_jid: str,
        wa_message_ids: Sequence[str],
    ) -> None:
        """Show messages as read to their sender."""
        stream = self._connected(scope, session_id)
        await stream.mark_read(chat_jid, participant_jid, wa_message_ids, self._settings.query_timeout_s)

    async def act_on_chat(
        self, scope: CompanyScope, session_id: str, chat_jid: str, action: ChatAction
    ) -> None:
        """Show typing in a chat, or block its contact."""
        stream = self._connected(scope, session_id)
        await stream.act_on_chat(chat_jid, action, self._settings.query_timeout_s)

    async def manage_group(self, scope: CompanyScope, session_id: str, command: GroupCommand) -> GroupAnswer:
        """Ask WhatsApp something about groups, or change one."""
        media_id = command.media_id if isinstance(command, SetPicture) else ""
        answer = await self.ask_group(scope, session_id, groups.encode_command(command), media_id)
        return groups.decode_answer(command, answer)

    async def ask_group(
        self, scope: CompanyScope, session_id: str, command: group_pb2.ManageGroup, media_id: str = ""
    ) -> group_pb2.GroupManaged:
        """Hand a command to the bridge as it is, with the path of its picture, and give the bridge's answer."""
        stream = self._connected(scope, session_id)
        if not media_id:
            return await stream.manage_group(command, self._settings.group_timeout_s)
        if self._files is None:
            # Without its path the command would remove the picture.
            raise PonteError(errors.MEDIA_NOT_STORED, "This gateway has no files at hand.")
        async with self._files.opened_file(scope, media_id) as path:
            command.set_picture.file_path = str(path)
            return await stream.manage_group(command, self._settings.group_timeout_s)

    async def manage_channel(
        self, scope: CompanyScope, session_id: str, channel: str, action: ChannelAction
    ) -> Channel:
        """Look a channel up, follow it, or do so no more."""
        stream = self._connected(scope, session_id)
        return await stream.manage_channel(channel, action, self._settings.query_timeout_s)

    async def request_history(self, scope: CompanyScope, session_id: str, older_than: OlderThan) -> None:
        """Ask the number's own phone for what came before a message; its answer comes as messages from before."""
        stream = self._connected(scope, session_id)
        await stream.request_history(older_than, self._settings.query_timeout_s)

    async def request_pairing_code(
        self, scope: CompanyScope, session_id: str, phone_number: str, custom_code: str = ""
    ) -> str:
        """Ask WhatsApp for a code to type on the phone; the session must be on show."""
        stream = self._runner(scope, session_id).open_stream
        if stream is None:
            raise PonteError(errors.GATEWAY_UNAVAILABLE)
        return await stream.request_pairing_code(phone_number, self._settings.query_timeout_s, custom_code)

    async def logout(self, scope: CompanyScope, session_id: str) -> None:
        """Remove the linked device at WhatsApp; returns when the closed connection is recorded."""
        runner = self._runner(scope, session_id)
        stream = self._connected(scope, session_id)
        try:
            async with asyncio.timeout(_LOGOUT_S):
                await stream.logout()
                await runner.wait_closed(stream)
        except TimeoutError:
            raise PonteError(
                errors.GATEWAY_UNAVAILABLE, f"WhatsApp did not confirm the logout in {_LOGOUT_S:g} s."
            ) from None

    def _runner(self, scope: CompanyScope, session_id: str) -> SessionRunner:
        runner = self._runners.get(session_id)
        if runner is None or runner.scope != scope:
            raise PonteError(errors.GATEWAY_UNAVAILABLE)
        return runner

    def _connected(self, scope: CompanyScope, session_id: str) -> SessionStream:
        stream = self._runner(scope, session_id).connected_stream
        if stream is None:
            raise PonteError(errors.GATEWAY_UNAVAILABLE)
        return stream
