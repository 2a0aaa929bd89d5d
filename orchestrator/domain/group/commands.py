"""What can be asked of WhatsApp about groups, and its answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from orchestrator.domain.group.changes import ParticipantAction
from orchestrator.domain.group.group import Group, GroupSettings
from orchestrator.domain.jid import ContactId


@dataclass(frozen=True, slots=True)
class ReadGroup:
    """The group as it is now."""

    group_jid: str


@dataclass(frozen=True, slots=True)
class ReadAllGroups:
    """The jids of all groups that this number is in; each group itself comes as a change before the answer."""


@dataclass(frozen=True, slots=True)
class CreateGroup:
    """Make a group."""

    subject: str
    participants: Sequence[str]


@dataclass(frozen=True, slots=True)
class ChangeParticipants:
    """Add, remove, promote or demote."""

    group_jid: str
    action: ParticipantAction
    participants: Sequence[str]


@dataclass(frozen=True, slots=True)
class ChangeSettings:
    """Set what is not None, field by field."""

    group_jid: str
    settings: GroupSettings


@dataclass(frozen=True, slots=True)
class SetPicture:
    """Set a stored JPEG as the picture; an empty id removes it."""

    group_jid: str
    media_id: str


@dataclass(frozen=True, slots=True)
class ReadInviteCode:
    """The code in the group's link."""

    group_jid: str


@dataclass(frozen=True, slots=True)
class RevokeInviteCode:
    """A new code; the one before does not work any more."""

    group_jid: str


@dataclass(frozen=True, slots=True)
class ReadInvite:
    """What group is behind a code."""

    code: str


@dataclass(frozen=True, slots=True)
class JoinGroup:
    """Join by a code."""

    code: str


@dataclass(frozen=True, slots=True)
class ReadJoinRequests:
    """Who waits to be let in."""

    group_jid: str


@dataclass(frozen=True, slots=True)
class AnswerJoinRequests:
    """Let in or turn away."""

    group_jid: str
    approve: bool
    participants: Sequence[str]


@dataclass(frozen=True, slots=True)
class LeaveGroup:
    """Leave."""

    group_jid: str


GroupCommand = (
    ReadGroup
    | ReadAllGroups
    | CreateGroup
    | ChangeParticipants
    | ChangeSettings
    | SetPicture
    | ReadInviteCode
    | RevokeInviteCode
    | ReadInvite
    | JoinGroup
    | ReadJoinRequests
    | AnswerJoinRequests
    | LeaveGroup
)


@dataclass(frozen=True, slots=True)
class CodedContact:
    """What WhatsApp answered about one participant: 200, or its error."""

    contact: ContactId
    wa_code: int


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """Somebody waits to be let in; `method` is how they ask: invite_link, linked_group_join or non_admin_add."""

    contact: ContactId
    requested_at: datetime | None = None
    method: str = ""


@dataclass(frozen=True, slots=True)
class GroupAnswer:
    """What was asked for; the rest is empty. `joined_jid` is empty while an admin has to approve."""

    group: Group | None = None
    participants: Sequence[CodedContact] = ()
    invite_code: str = ""
    joined_jid: str = ""
    join_requests: Sequence[JoinRequest] = ()
    group_jids: Sequence[str] = ()


class ParticipantResult(StrEnum):
    """What became of one participant."""

    DONE = "DONE"
    NOT_ON_WHATSAPP = "NOT_ON_WHATSAPP"
    NEEDS_INVITE = "NEEDS_INVITE"
    ALREADY_IN_GROUP = "ALREADY_IN_GROUP"
    NOT_IN_GROUP = "NOT_IN_GROUP"
    LEFT_LATELY = "LEFT_LATELY"
    BLOCKED = "BLOCKED"
    GROUP_FULL = "GROUP_FULL"
    REFUSED = "REFUSED"
