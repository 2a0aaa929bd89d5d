"""What WhatsApp's codes mean when it refuses something about a group."""

from collections.abc import Mapping

from orchestrator.domain import errors
from orchestrator.domain.errors import ErrorCode
from orchestrator.domain.group.changes import ParticipantAction
from orchestrator.domain.group.commands import (
    AnswerJoinRequests,
    ChangeParticipants,
    CreateGroup,
    GroupCommand,
    JoinGroup,
    LeaveGroup,
    ParticipantResult,
    ReadGroup,
    ReadInvite,
)

_DONE = 200

_ADDING = {
    401: ParticipantResult.BLOCKED,
    403: ParticipantResult.NEEDS_INVITE,
    404: ParticipantResult.NOT_ON_WHATSAPP,
    408: ParticipantResult.LEFT_LATELY,
    409: ParticipantResult.ALREADY_IN_GROUP,
    419: ParticipantResult.GROUP_FULL,
    500: ParticipantResult.GROUP_FULL,
}
_OTHERS = {404: ParticipantResult.NOT_IN_GROUP}
_BY_CODE: Mapping[int, ErrorCode] = {
    404: errors.GROUP_GONE,
    410: errors.GROUP_GONE,
    419: errors.GROUP_FULL,
}
_OF_INVITES: Mapping[int, ErrorCode] = {
    400: errors.GROUP_INVITE_INVALID,
    401: errors.GROUP_JOIN_REFUSED,
    403: errors.GROUP_JOIN_REFUSED,
    404: errors.GROUP_INVITE_INVALID,
    406: errors.GROUP_INVITE_INVALID,
    409: errors.GROUP_ALREADY_MEMBER,
    410: errors.GROUP_INVITE_REVOKED,
    419: errors.GROUP_FULL,
}
_NOT_ALLOWED = frozenset({401, 403})


def refusal_of(command: GroupCommand, wa_code: int) -> ErrorCode:
    """The error for a command that WhatsApp refused as a whole.

    401 and 403 say "not allowed" alike: to one who is no admin, and to one who is not in the group. What every member
    may do is refused to who is not in it.
    """
    if isinstance(command, JoinGroup | ReadInvite):
        return _OF_INVITES.get(wa_code, errors.GROUP_REFUSED)
    if wa_code in _NOT_ALLOWED and not isinstance(command, CreateGroup):
        every_member_may = isinstance(command, ReadGroup | LeaveGroup)
        return errors.GROUP_NOT_MEMBER if every_member_may else errors.GROUP_NOT_ADMIN
    return _BY_CODE.get(wa_code, errors.GROUP_REFUSED)


def result_of(command: GroupCommand, wa_code: int) -> ParticipantResult:
    """What became of one participant of a command that WhatsApp took."""
    if wa_code == _DONE:
        return ParticipantResult.DONE
    adds = isinstance(command, CreateGroup) or (
        isinstance(command, ChangeParticipants) and command.action is ParticipantAction.ADD
    )
    is_approval = isinstance(command, AnswerJoinRequests) and command.approve
    codes = _ADDING if adds or is_approval else _OTHERS
    return codes.get(wa_code, ParticipantResult.REFUSED)
