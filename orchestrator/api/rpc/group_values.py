"""Groups to messages of the public contract, and what is asked of them from it."""

from collections.abc import Sequence

from orchestrator._generated.ponte.v1 import group_pb2
from orchestrator.api.rpc import encode
from orchestrator.domain.errors import INVALID_ARGUMENT, invalid_field
from orchestrator.domain.group import Group, GroupSettings, Role, SessionGroup
from orchestrator.domain.group.commands import JoinRequest, ParticipantResult
from orchestrator.services.group_results import ResultFor

_ROLE = {role: group_pb2.Group.Role.Value(role.value) for role in Role}
_RESULT = {result: group_pb2.ParticipantResult.Result.Value(result.value) for result in ParticipantResult}
_ONLY_ADMINS = {group_pb2.Group.EVERYBODY: False, group_pb2.Group.ADMINS: True}


def group(value: SessionGroup, *, with_participants: bool) -> group_pb2.Group:
    """Encode a group as one session knows it."""
    known, settings = value.known.group, value.known.group.settings
    encoded = group_pb2.Group(
        id=known.jid,
        session_id=value.session_id,
        subject=settings.subject or "",
        description=settings.description or "",
        owner=encode.contact(known.owner),
        role=_ROLE[value.role],
        who_may_send=_who(settings.only_admins_send),
        who_may_edit=_who(settings.only_admins_edit),
        who_may_add=_who(settings.only_admins_add),
        join_approval=bool(settings.join_approval),
        disappearing_s=settings.disappearing_s or 0,
        community_id=known.community_jid,
        is_community=known.is_community,
        participant_count=known.size,
        created_at=encode.moment(known.created_at),
        read_at=encode.moment(value.known.read_at),
    )
    if with_participants:
        encoded.participants.extend(
            group_pb2.GroupParticipant(contact=encode.contact(one.contact), role=_ROLE[one.role])
            for one in known.participants
        )
    return encoded


def invited(value: Group) -> group_pb2.InvitedGroup:
    """Encode the group behind somebody's link."""
    return group_pb2.InvitedGroup(
        group_id=value.jid,
        subject=value.settings.subject or "",
        description=value.settings.description or "",
        owner=encode.contact(value.owner),
        participant_count=value.size,
        join_approval=bool(value.settings.join_approval),
        created_at=encode.moment(value.created_at),
    )


def results(values: Sequence[ResultFor]) -> list[group_pb2.ParticipantResult]:
    """Encode what became of each participant."""
    return [
        group_pb2.ParticipantResult(
            participant=one.participant,
            contact=encode.contact(one.contact),
            result=_RESULT[one.result],
            wa_code=one.wa_code,
        )
        for one in values
    ]


def join_request(value: JoinRequest) -> group_pb2.JoinRequest:
    """Encode a request to be let in."""
    return group_pb2.JoinRequest(
        contact=encode.contact(value.contact),
        method=value.method,
        requested_at=encode.moment(value.requested_at),
    )


def settings(request: group_pb2.UpdateGroupRequest) -> GroupSettings:
    """Read what is to be changed. Raises INVALID_ARGUMENT for an unknown enum value."""
    return GroupSettings(
        subject=request.subject if request.HasField("subject") else None,
        description=request.description if request.HasField("description") else None,
        only_admins_send=_only_admins(request.who_may_send, "who_may_send"),
        only_admins_edit=_only_admins(request.who_may_edit, "who_may_edit"),
        only_admins_add=_only_admins(request.who_may_add, "who_may_add"),
        join_approval=request.join_approval if request.HasField("join_approval") else None,
        disappearing_s=request.disappearing_s if request.HasField("disappearing_s") else None,
    )


def _who(only_admins: bool | None) -> group_pb2.Group.Who.ValueType:
    if only_admins is None:
        return group_pb2.Group.WHO_UNSPECIFIED
    return group_pb2.Group.ADMINS if only_admins else group_pb2.Group.EVERYBODY


def _only_admins(who: group_pb2.Group.Who.ValueType, field: str) -> bool | None:
    if who == group_pb2.Group.WHO_UNSPECIFIED:
        return None
    if who not in _ONLY_ADMINS:
        raise invalid_field(INVALID_ARGUMENT, field, "Give one of EVERYBODY, ADMINS.")
    return _ONLY_ADMINS[who]
