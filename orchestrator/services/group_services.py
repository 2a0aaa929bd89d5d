"""The use cases of groups, put together."""

from dataclasses import dataclass

from orchestrator.services.context import Context
from orchestrator.services.group_creation import GroupCreation
from orchestrator.services.group_invites import GroupInvites
from orchestrator.services.groups import GroupService
from orchestrator.services.outgoing_files import OutgoingFiles
from orchestrator.services.ports import GatewayPort


@dataclass(frozen=True, slots=True)
class GroupServices:
    """What the front doors call."""

    groups: GroupService
    creation: GroupCreation
    invites: GroupInvites

    @classmethod
    def of(cls, context: Context, gateway: GatewayPort, files: OutgoingFiles) -> "GroupServices":
        """Make them of what all services share."""
        groups = GroupService(context, gateway, files)
        return cls(groups, GroupCreation(context, gateway, groups), GroupInvites(context, gateway, groups))
