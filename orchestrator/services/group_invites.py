"""Ways into groups: invite links of our own and of others, and requests to be let in."""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.domain import errors
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError
from orchestrator.domain.group import Group, SessionGroup
from orchestrator.domain.group.commands import (
    AnswerJoinRequests,
    GroupCommand,
    JoinGroup,
    JoinRequest,
    ReadInvite,
    ReadInviteCode,
    ReadJoinRequests,
    RevokeInviteCode,
)
from orchestrator.services.context import Context
from orchestrator.services.group_input import checked_participants, invite_code, invite_link
from orchestrator.services.group_results import ResultFor
from orchestrator.services.groups import GroupService
from orchestrator.services.ports import GatewayPort
from orchestrator.services.session_choice import linked_session


@dataclass(frozen=True, slots=True)
class GroupInvites:
    """Raises as GroupService does; for links also GROUP_INVITE_INVALID, GROUP_INVITE_REVOKED, GROUP_JOIN_REFUSED and
    GROUP_ALREADY_MEMBER."""

    context: Context
    gateway: GatewayPort
    groups: GroupService

    async def link(self, scope: CompanyScope, group_jid: str, session_id: str = "") -> str:
        """The group's invite link. It is a key to the group, and so is not stored."""
        stored = await self.groups.find_member(scope, group_jid, session_id)
        answer = await self.groups.ask(scope, stored, ReadInviteCode(stored.jid))
        return invite_link(answer.invite_code)

    async def revoke_link(self, scope: CompanyScope, group_jid: str, session_id: str = "") -> str:
        """Make the link before worthless, and give the new one."""
        stored = await self.groups.find_member(scope, group_jid, session_id)
        answer = await self.groups.ask(scope, stored, RevokeInviteCode(stored.jid))
        await self.groups.note_link_revoked(scope, stored)
        return invite_link(answer.invite_code)

    async def read(self, scope: CompanyScope, session_id: str, link: str) -> Group:
        """What group is behind a link."""
        code = invite_code(link)
        session_id = await linked_session(self.context, scope, session_id)
        answer = await self.gateway.manage_group(scope, session_id, ReadInvite(code))
        if answer.group is None:
            raise PonteError(errors.GROUP_INVITE_INVALID)
        return answer.group

    async def join(self, scope: CompanyScope, session_id: str, link: str) -> SessionGroup | None:
        """Join by a link; None while an admin has to approve."""
        code = invite_code(link)
        session_id = await linked_session(self.context, scope, session_id)
        answer = await self.gateway.manage_group(scope, session_id, JoinGroup(code))
        if not answer.joined_jid:
            return None
        return await self.groups.enter(scope, session_id, answer.joined_jid)

    async def requests(
        self, scope: CompanyScope, group_jid: str, session_id: str = ""
    ) -> Sequence[JoinRequest]:
        """Who waits to be let in."""
        stored = await self.groups.find_member(scope, group_jid, session_id)
        return (await self.groups.ask(scope, stored, ReadJoinRequests(stored.jid))).join_requests

    async def answer_requests(
        self,
        scope: CompanyScope,
        group_jid: str,
        session_id: str,
        participants: Sequence[str],
        *,
        approve: bool,
    ) -> Sequence[ResultFor]:
        """Let in or turn away; gives a result for each. Who was let in is told by WhatsApp as added."""
        jids = checked_participants(participants)
        stored = await self.groups.find_member(scope, group_jid, session_id)

        def make(names: Sequence[str]) -> GroupCommand:
            return AnswerJoinRequests(stored.jid, approve, names)

        return await self.groups.ask_about_people(scope, stored, make, participants, jids)
