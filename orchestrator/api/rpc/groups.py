"""ponte.v1.GroupService."""

from orchestrator._generated.ponte.v1 import group_pb2 as pb
from orchestrator.api.caller import Caller
from orchestrator.api.rpc import decode, group_values
from orchestrator.domain.group import SessionGroup
from orchestrator.domain.group.changes import ParticipantAction
from orchestrator.services.group_creation import NewGroup
from orchestrator.services.group_services import GroupServices


class GroupMethods:
    """Groups that the numbers of the caller's company are in."""

    service = "ponte.v1.GroupService"

    def __init__(self, services: GroupServices) -> None:
        self._services = services

    async def create_group(self, caller: Caller, request: pb.CreateGroupRequest) -> pb.CreateGroupResponse:
        """Make a group."""
        wanted = NewGroup(
            request.session_id,
            request.subject,
            request.participants,
            request.description,
            decode.idempotency_key(request),
        )
        created = await self._services.creation.create(caller.scope, wanted)
        return pb.CreateGroupResponse(
            group=_whole(created.group), results=group_values.results(created.results)
        )

    async def list_groups(self, caller: Caller, request: pb.ListGroupsRequest) -> pb.ListGroupsResponse:
        """List groups, newest known first."""
        page = await self._services.groups.list(
            caller.scope, request.session_id, decode.page(request), include_left=request.include_left
        )
        return pb.ListGroupsResponse(
            groups=[group_values.group(one, with_participants=False) for one in page.items],
            next_page_token=page.next_token,
        )

    async def get_group(self, caller: Caller, request: pb.GetGroupRequest) -> pb.Group:
        """Look a group up."""
        return _whole(await self._services.groups.get(caller.scope, request.group_id, request.session_id))

    async def refresh_group(self, caller: Caller, request: pb.RefreshGroupRequest) -> pb.Group:
        """Read a group from WhatsApp anew."""
        return _whole(await self._services.groups.refresh(caller.scope, request.group_id, request.session_id))

    async def update_group(self, caller: Caller, request: pb.UpdateGroupRequest) -> pb.Group:
        """Change what is given."""
        settings = group_values.settings(request)
        changed = await self._services.groups.update(
            caller.scope, request.group_id, request.session_id, settings
        )
        return _whole(changed)

    async def set_group_picture(
        self, caller: Caller, request: pb.SetGroupPictureRequest
    ) -> pb.SetGroupPictureResponse:
        """Set or remove the picture."""
        await self._services.groups.set_picture(
            caller.scope, request.group_id, request.session_id, request.media_id
        )
        return pb.SetGroupPictureResponse()

    async def add_group_participants(
        self, caller: Caller, request: pb.GroupParticipantsRequest
    ) -> pb.GroupParticipantsResponse:
        """Add participants."""
        return await self._change_participants(caller, request, ParticipantAction.ADD)

    async def remove_group_participants(
        self, caller: Caller, request: pb.GroupParticipantsRequest
    ) -> pb.GroupParticipantsResponse:
        """Remove participants."""
        return await self._change_participants(caller, request, ParticipantAction.REMOVE)

    async def promote_group_participants(
        self, caller: Caller, request: pb.GroupParticipantsRequest
    ) -> pb.GroupParticipantsResponse:
        """Make participants admins."""
        return await self._change_participants(caller, request, ParticipantAction.PROMOTE)

    async def demote_group_participants(
        self, caller: Caller, request: pb.GroupParticipantsRequest
    ) -> pb.GroupParticipantsResponse:
        """Make admins members."""
        return await self._change_participants(caller, request, ParticipantAction.DEMOTE)

    async def get_invite_link(self, caller: Caller, request: pb.GetInviteLinkRequest) -> pb.InviteLink:
        """Give the invite link."""
        link = await self._services.invites.link(caller.scope, request.group_id, request.session_id)
        return pb.InviteLink(link=link)

    async def revoke_invite_link(self, caller: Caller, request: pb.RevokeInviteLinkRequest) -> pb.InviteLink:
        """Make the invite link worthless, and give a new one."""
        link = await self._services.invites.revoke_link(caller.scope, request.group_id, request.session_id)
        return pb.InviteLink(link=link)

    async def read_invite(self, caller: Caller, request: pb.ReadInviteRequest) -> pb.InvitedGroup:
        """Say what group is behind a link."""
        return group_values.invited(
            await self._services.invites.read(caller.scope, request.session_id, request.link)
        )

    async def join_group(self, caller: Caller, request: pb.JoinGroupRequest) -> pb.JoinGroupResponse:
        """Join by a link."""
        joined = await self._services.invites.join(caller.scope, request.session_id, request.link)
        if joined is None:
            return pb.JoinGroupResponse(awaits_approval=True)
        return pb.JoinGroupResponse(group=_whole(joined))

    async def list_join_requests(
        self, caller: Caller, request: pb.ListJoinRequestsRequest
    ) -> pb.ListJoinRequestsResponse:
        """List who waits to be let in."""
        requests = await self._services.invites.requests(caller.scope, request.group_id, request.session_id)
        return pb.ListJoinRequestsResponse(join_requests=[group_values.join_request(one) for one in requests])

    async def approve_join_requests(
        self, caller: Caller, request: pb.GroupParticipantsRequest
    ) -> pb.GroupParticipantsResponse:
        """Let in who waits."""
        return await self._answer_requests(caller, request, approve=True)

    async def reject_join_requests(
        self, caller: Caller, request: pb.GroupParticipantsRequest
    ) -> pb.GroupParticipantsResponse:
        """Turn away who waits."""
        return await self._answer_requests(caller, request, approve=False)

    async def leave_group(self, caller: Caller, request: pb.LeaveGroupRequest) -> pb.Group:
        """Leave a group."""
        return _whole(await self._services.groups.leave(caller.scope, request.group_id, request.session_id))

    async def _change_participants(
        self, caller: Caller, request: pb.GroupParticipantsRequest, action: ParticipantAction
    ) -> pb.GroupParticipantsResponse:
        results = await self._services.groups.change_participants(
            caller.scope, request.group_id, request.session_id, action, request.participants
        )
        return pb.GroupParticipantsResponse(results=group_values.results(results))

    async def _answer_requests(
        self, caller: Caller, request: pb.GroupParticipantsRequest, *, approve: bool
    ) -> pb.GroupParticipantsResponse:
        results = await self._services.invites.answer_requests(
            caller.scope, request.group_id, request.session_id, request.participants, approve=approve
        )
        return pb.GroupParticipantsResponse(results=group_values.results(results))


def _whole(group: SessionGroup) -> pb.Group:
    return group_values.group(group, with_participants=True)
