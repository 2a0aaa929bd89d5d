"""Finds the gateway that holds a session: this process's own, or another by the address in the lease."""

from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager

from orchestrator.domain import errors
from orchestrator.domain.channel import Channel, ChannelAction
from orchestrator.domain.chat import ChatAction
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError
from orchestrator.domain.group.commands import GroupAnswer, GroupCommand
from orchestrator.domain.imports import OlderThan
from orchestrator.gateway.local import LocalGateway
from orchestrator.gateway.remote import RemoteGateway
from orchestrator.services.ports import NumberCheck, OutgoingMessage, SendAnswer
from orchestrator.services.session_runtime import SessionRuntime

_SESSIONS_REMEMBERED = 10_000

_Holder = LocalGateway | RemoteGateway
_Key = tuple[CompanyScope, str]


class GatewayRouter:
    """Implements services.ports.GatewayPort. An address is remembered until a call to it fails."""

    def __init__(self, runtime: SessionRuntime, local: LocalGateway | None, secret: str) -> None:
        self._runtime = runtime
        self._local = local
        self._secret = secret
        self._addresses: OrderedDict[_Key, str] = OrderedDict()
        self._remotes: dict[str, RemoteGateway] = {}

    async def close(self) -> None:
        """Let go of the connections to other gateways."""
        for remote in self._remotes.values():
            await remote.close()
        self._remotes.clear()

    async def send_messages(
        self, scope: CompanyScope, session_id: str, messages: Sequence[OutgoingMessage]
    ) -> AsyncIterator[SendAnswer]:
        """Send in the order given per chat; yields each answer as it comes."""
        holder = await self._holder(scope, session_id)
        with self._forgetting(scope, session_id):
            async for answer in holder.send_messages(scope, session_id, messages):
                yield answer

    async def check_numbers(
        self, scope: CompanyScope, session_id: str, phone_numbers: Sequence[str]
    ) -> list[NumberCheck]:
        """Ask WhatsApp which numbers have an account."""
        holder = await self._holder(scope, session_id)
        with self._forgetting(scope, session_id):
            return await holder.check_numbers(scope, session_id, phone_numbers)

    async def mark_read(
        self,
        scope: CompanyScope,
        session_id: str,
        chat_jid: str,
        participant_jid: str,
        wa_message_ids: Sequence[str],
    ) -> None:
        """Show messages as read to their sender."""
        holder = await self._holder(scope, session_id)
        with self._forgetting(scope, session_id):
            await holder.mark_read(scope, session_id, chat_jid, participant_jid, wa_message_ids)

    async def act_on_chat(
        self, scope: CompanyScope, session_id: str, chat_jid: str, action: ChatAction
    ) -> None:
        """Show typing in a chat, or block its contact."""
        holder = await self._holder(scope, session_id)
        with self._forgetting(scope, session_id):
            await holder.act_on_chat(scope, session_id, chat_jid, action)

    async def manage_group(self, scope: CompanyScope, session_id: str, command: GroupCommand) -> GroupAnswer:
        """Ask WhatsApp something about groups, or change one."""
        holder = await self._holder(scope, session_id)
        with self._forgetting(scope, session_id):
            return await holder.manage_group(scope, session_id, command)

    async def manage_channel(
        self, scope: CompanyScope, session_id: str, channel: str, action: ChannelAction
    ) -> Channel:
        """Look a channel up, follow it, or do so no more."""
        holder = await self._holder(scope, session_id)
        with self._forgetting(scope, session_id):
            return await holder.manage_channel(scope, session_id, channel, action)

    async def request_history(self, scope: CompanyScope, session_id: str, older_than: OlderThan) -> None:
        """Ask the number's own phone for what came before a message; its answer comes as messages from before."""
        holder = await self._holder(scope, session_id)
        with self._forgetting(scope, session_id):
            await holder.request_history(scope, session_id, older_than)

    async def request_pairing_code(
        self, scope: CompanyScope, session_id: str, phone_number: str, custom_code: str = ""
    ) -> str:
        """Ask WhatsApp for a code to type on the phone."""
        holder = await self._holder(scope, session_id)
        with self._forgetting(scope, session_id):
            return await holder.request_pairing_code(scope, session_id, phone_number, custom_code)

    async def logout(self, scope: CompanyScope, session_id: str) -> None:
        """Remove the linked device at WhatsApp."""
        holder = await self._holder(scope, session_id)
        with self._forgetting(scope, session_id):
            await holder.logout(scope, session_id)

    async def _holder(self, scope: CompanyScope, session_id: str) -> _Holder:
        if self._local is not None and self._local.holds(scope, session_id):
            return self._local
        address = self._addresses.get((scope, session_id)) or await self._look_up(scope, session_id)
        remote = self._remotes.get(address)
        if remote is None:
            remote = self._remotes[address] = RemoteGateway(address, self._secret)
        return remote

    async def _look_up(self, scope: CompanyScope, session_id: str) -> str:
        lease = await self._runtime.find_lease(scope, session_id)
        if lease is None or not lease.address:
            raise PonteError(errors.GATEWAY_UNAVAILABLE)
        self._addresses[scope, session_id] = lease.address
        if len(self._addresses) > _SESSIONS_REMEMBERED:
            self._addresses.popitem(last=False)
        return lease.address

    @contextmanager
    def _forgetting(self, scope: CompanyScope, session_id: str) -> Iterator[None]:
        """Look the address up anew after a failure."""
        try:
            yield
        except PonteError:
            self._addresses.pop((scope, session_id), None)
            raise
