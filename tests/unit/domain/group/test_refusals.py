"""What WhatsApp's codes mean, by what was asked."""

import pytest

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
from orchestrator.domain.group.refusals import refusal_of, result_of

ADD = ChangeParticipants("1@g.us", ParticipantAction.ADD, ["1"])
REMOVE = ChangeParticipants("1@g.us", ParticipantAction.REMOVE, ["1"])


@pytest.mark.parametrize(
    ("command", "wa_code", "error"),
    [
        (ADD, 401, "GROUP_NOT_ADMIN"),
        (ADD, 403, "GROUP_NOT_ADMIN"),
        (ReadGroup("1@g.us"), 403, "GROUP_NOT_MEMBER"),
        (CreateGroup("Ponte", []), 403, "GROUP_REFUSED"),
        (LeaveGroup("1@g.us"), 404, "GROUP_GONE"),
        (LeaveGroup("1@g.us"), 403, "GROUP_NOT_MEMBER"),
        (ADD, 419, "GROUP_FULL"),
        (ADD, 500, "GROUP_REFUSED"),
        (JoinGroup("CODE"), 401, "GROUP_JOIN_REFUSED"),
        (JoinGroup("CODE"), 406, "GROUP_INVITE_INVALID"),
        (JoinGroup("CODE"), 409, "GROUP_ALREADY_MEMBER"),
        (ReadInvite("CODE"), 410, "GROUP_INVITE_REVOKED"),
        (JoinGroup("CODE"), 419, "GROUP_FULL"),
        (JoinGroup("CODE"), 500, "GROUP_REFUSED"),
    ],
)
def test_a_refusal_is_told_by_its_cause(command: GroupCommand, wa_code: int, error: str) -> None:
    assert refusal_of(command, wa_code).name == error


@pytest.mark.parametrize(
    ("command", "wa_code", "result"),
    [
        (ADD, 200, ParticipantResult.DONE),
        (ADD, 403, ParticipantResult.NEEDS_INVITE),
        (ADD, 404, ParticipantResult.NOT_ON_WHATSAPP),
        (CreateGroup("Ponte", []), 409, ParticipantResult.ALREADY_IN_GROUP),
        (AnswerJoinRequests("1@g.us", True, ["1"]), 408, ParticipantResult.LEFT_LATELY),
        (AnswerJoinRequests("1@g.us", False, ["1"]), 404, ParticipantResult.NOT_IN_GROUP),
        (REMOVE, 404, ParticipantResult.NOT_IN_GROUP),
        (REMOVE, 500, ParticipantResult.REFUSED),
        (ADD, 777, ParticipantResult.REFUSED),
    ],
)
def test_a_participants_code_is_told_by_what_was_asked(
    command: GroupCommand, wa_code: int, result: ParticipantResult
) -> None:
    assert result_of(command, wa_code) is result
