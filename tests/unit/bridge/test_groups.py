"""Groups on the bridge's contract: commands out, answers and changes in."""

from datetime import UTC, datetime
from typing import Any

import pytest

from orchestrator._generated.ponte.bridge.v1 import group_pb2 as pb
from orchestrator.bridge.groups import decode_answer, decode_change, encode_command
from orchestrator.domain.errors import PonteError
from orchestrator.domain.group import Group, GroupSettings, Participant, Role
from orchestrator.domain.group import changes as ch
from orchestrator.domain.group import commands as cmd
from orchestrator.domain.jid import ContactId

JID = "120363000000000001@g.us"
ANA = ContactId("5511911111111@s.whatsapp.net", "911@lid")
ANA_PB = pb.GroupContact(pn_jid=ANA.pn_jid, lid_jid=ANA.lid_jid)
GROUP_PB = pb.Group(
    jid=JID,
    settings=pb.GroupSettings(subject="Ponte", only_admins_send=False, disappearing_s=0),
    owner=ANA_PB,
    created_at_ms=1_600_000_000_000,
    participants=[pb.GroupParticipant(contact=ANA_PB, role=pb.GROUP_ROLE_OWNER)],
    size=1,
)
GROUP = Group(
    JID,
    GroupSettings(subject="Ponte", only_admins_send=False, disappearing_s=0),
    owner=ANA,
    created_at=datetime.fromtimestamp(1_600_000_000, UTC),
    participants=(Participant(ANA, Role.OWNER),),
    size=1,
)


@pytest.mark.parametrize(
    ("command", "action", "group_jid"),
    [
        (cmd.ReadGroup(JID), "read", JID),
        (cmd.ReadAllGroups(), "read_all", ""),
        (cmd.CreateGroup("Ponte", [ANA.pn_jid]), "create", ""),
        (cmd.ChangeParticipants(JID, ch.ParticipantAction.DEMOTE, [ANA.lid_jid]), "change_participants", JID),
        (cmd.ChangeSettings(JID, GroupSettings(description="")), "change", JID),
        (cmd.SetPicture(JID, "media"), "set_picture", JID),
        (cmd.ReadInviteCode(JID), "read_invite_code", JID),
        (cmd.RevokeInviteCode(JID), "revoke_invite_code", JID),
        (cmd.ReadInvite("CODE"), "read_invite", ""),
        (cmd.JoinGroup("CODE"), "join", ""),
        (cmd.ReadJoinRequests(JID), "read_join_requests", JID),
        (cmd.AnswerJoinRequests(JID, True, [ANA.lid_jid]), "answer_join_requests", JID),
        (cmd.LeaveGroup(JID), "leave", JID),
    ],
)
def test_each_command_is_written(command: cmd.GroupCommand, action: str, group_jid: str) -> None:
    written = encode_command(command)
    assert (written.WhichOneof("action"), written.group_jid) == (action, group_jid)


def test_only_what_is_to_be_changed_is_written() -> None:
    written = encode_command(cmd.ChangeSettings(JID, GroupSettings(description="", disappearing_s=0))).change
    assert [field.name for field, _ in written.ListFields()] == ["description", "disappearing_s"]


def test_an_answer_is_read() -> None:
    answer = pb.GroupManaged(
        group=GROUP_PB,
        participants=[pb.ParticipantResult(contact=ANA_PB, wa_code=403)],
        invite_code="CODE",
        joined_jid=JID,
        join_requests=[pb.JoinRequest(contact=ANA_PB, method="invite_link")],
        group_jids=[JID],
    )
    assert decode_answer(cmd.ReadGroup(JID), answer) == cmd.GroupAnswer(
        group=GROUP,
        participants=[cmd.CodedContact(ANA, 403)],
        invite_code="CODE",
        joined_jid=JID,
        join_requests=[cmd.JoinRequest(ANA, None, "invite_link")],
        group_jids=[JID],
    )


@pytest.mark.parametrize(
    ("command", "error_code", "wa_code", "code", "words"),
    [
        (cmd.LeaveGroup(JID), "REFUSED", 403, "GROUP_NOT_MEMBER", "(WhatsApp: 403 forbidden)"),
        (cmd.JoinGroup("CODE"), "REFUSED", 410, "GROUP_INVITE_REVOKED", "ask an admin"),
        (cmd.LeaveGroup(JID), "RATE_LIMITED", 429, "WHATSAPP_RATE_LIMITED", "429"),
        (cmd.LeaveGroup(JID), "TIMED_OUT", 0, "GATEWAY_UNAVAILABLE", "may have done it"),
        (cmd.ReadGroup(JID), "TIMED_OUT", 0, "GATEWAY_UNAVAILABLE", "try again in a moment"),
        (cmd.LeaveGroup(JID), "NOT_CONNECTED", 0, "GATEWAY_UNAVAILABLE", "not connected"),
    ],
)
def test_a_no_is_told_from_no_answer(
    command: cmd.GroupCommand, error_code: str, wa_code: int, code: str, words: str
) -> None:
    answer = pb.GroupManaged(error_code=error_code, wa_code=wa_code, detail="forbidden")
    with pytest.raises(PonteError) as refusal:
        decode_answer(command, answer)
    assert refusal.value.code.name == code
    assert words in refusal.value.sentence


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"read": GROUP_PB}, ch.Read(GROUP)),
        ({"entered": GROUP_PB}, ch.Entered(GROUP)),
        (
            {
                "participants": pb.ParticipantsChanged(
                    action=pb.PARTICIPANT_ACTION_ADD, participants=[pb.GroupParticipant(contact=ANA_PB)]
                )
            },
            ch.ParticipantsChanged(ch.ParticipantAction.ADD, (Participant(ANA, Role.MEMBER),)),
        ),
        (
            {"settings": pb.GroupSettings(only_admins_edit=False)},
            ch.SettingsChanged(GroupSettings(only_admins_edit=False)),
        ),
        (
            {
                "join_requests": pb.JoinRequestsChanged(
                    state=pb.JOIN_REQUEST_STATE_REVOKED, contacts=[ANA_PB], method="invite_link"
                )
            },
            ch.JoinRequestsChanged(ch.JoinRequestState.REVOKED, (ANA,), "invite_link"),
        ),
        ({"invite_revoked": pb.InviteRevoked()}, ch.InviteRevoked()),
        ({"picture": pb.GroupPictureChanged(removed=True)}, ch.PictureChanged(removed=True)),
        ({"deleted": pb.GroupDeleted()}, ch.Deleted()),
        ({"unknown": pb.UnknownGroupChange(name="link")}, ch.UnknownChange("link")),
        # What a newer bridge may say.
        ({"participants": pb.ParticipantsChanged()}, ch.UnknownChange()),
        ({"join_requests": pb.JoinRequestsChanged()}, ch.UnknownChange()),
        ({}, ch.UnknownChange()),
    ],
)
def test_each_change_is_read(change: dict[str, Any], expected: ch.Change) -> None:
    told = pb.GroupChanged(
        request_id=7,
        company_id="company",
        session_id="session",
        group_jid=JID,
        notification_id="N1",
        author=ANA_PB,
        at_ms=1_700_000_000_000,
        **change,
    )
    arrived = decode_change(told)
    assert (arrived.request_id, arrived.company_id, arrived.session_id) == (7, "company", "session")
    assert arrived.change == ch.GroupChange(
        JID, expected, datetime.fromtimestamp(1_700_000_000, UTC), "N1", ANA
    )
