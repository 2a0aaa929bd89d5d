"""Groups on the bridge's contract: commands to protobuf, answers and changes from it."""

from datetime import UTC, datetime

from orchestrator._generated.ponte.bridge.v1 import group_pb2 as pb
from orchestrator.bridge import errors
from orchestrator.bridge.messages import GroupArrived
from orchestrator.domain.errors import GATEWAY_UNAVAILABLE, PonteError
from orchestrator.domain.group import Group, GroupSettings, Participant, Role
from orchestrator.domain.group import changes as ch
from orchestrator.domain.group import commands as cmd
from orchestrator.domain.group.refusals import refusal_of
from orchestrator.domain.jid import ContactId

_ROLES = {
    pb.GROUP_ROLE_MEMBER: Role.MEMBER,
    pb.GROUP_ROLE_ADMIN: Role.ADMIN,
    pb.GROUP_ROLE_OWNER: Role.OWNER,
}
_ACTIONS = {
    pb.PARTICIPANT_ACTION_ADD: ch.ParticipantAction.ADD,
    pb.PARTICIPANT_ACTION_REMOVE: ch.ParticipantAction.REMOVE,
    pb.PARTICIPANT_ACTION_PROMOTE: ch.ParticipantAction.PROMOTE,
    pb.PARTICIPANT_ACTION_DEMOTE: ch.ParticipantAction.DEMOTE,
}
_TO_ACTIONS = {action: number for number, action in _ACTIONS.items()}
_REQUEST_STATES = {
    pb.JOIN_REQUEST_STATE_CREATED: ch.JoinRequestState.CREATED,
    pb.JOIN_REQUEST_STATE_REVOKED: ch.JoinRequestState.REVOKED,
    pb.JOIN_REQUEST_STATE_REJECTED: ch.JoinRequestState.REJECTED,
}
_READING = (cmd.ReadGroup, cmd.ReadAllGroups, cmd.ReadInvite, cmd.ReadInviteCode, cmd.ReadJoinRequests)
_SETTINGS = tuple(GroupSettings.__dataclass_fields__)


def encode_command(command: cmd.GroupCommand) -> pb.ManageGroup:
    """Write a command, without its request id. The path of a picture is filled in by the gateway."""
    match command:
        case cmd.ReadGroup(jid):
            return pb.ManageGroup(group_jid=jid, read=pb.ReadGroup())
        case cmd.ReadAllGroups():
            return pb.ManageGroup(read_all=pb.ReadGroups())
        case cmd.CreateGroup(subject, participants):
            return pb.ManageGroup(create=pb.CreateGroup(subject=subject, participant_jids=participants))
        case cmd.ChangeParticipants(jid, action, participants):
            change = pb.ChangeParticipants(action=_TO_ACTIONS[action], participant_jids=participants)
            return pb.ManageGroup(group_jid=jid, change_participants=change)
        case cmd.ChangeSettings(jid, settings):
            return pb.ManageGroup(group_jid=jid, change=_encode_settings(settings))
        case cmd.SetPicture(jid):
            return pb.ManageGroup(group_jid=jid, set_picture=pb.SetGroupPicture())
        case cmd.ReadInviteCode(jid):
            return pb.ManageGroup(group_jid=jid, read_invite_code=pb.ReadInviteCode())
        case cmd.RevokeInviteCode(jid):
            return pb.ManageGroup(group_jid=jid, revoke_invite_code=pb.RevokeInviteCode())
        case cmd.ReadInvite(code):
            return pb.ManageGroup(read_invite=code)
        case cmd.JoinGroup(code):
            return pb.ManageGroup(join=code)
        case cmd.ReadJoinRequests(jid):
            return pb.ManageGroup(group_jid=jid, read_join_requests=pb.ReadJoinRequests())
        case cmd.AnswerJoinRequests(jid, approve, participants):
            answers = pb.AnswerJoinRequests(approve=approve, participant_jids=participants)
            return pb.ManageGroup(group_jid=jid, answer_join_requests=answers)
        case cmd.LeaveGroup(jid):
            return pb.ManageGroup(group_jid=jid, leave=pb.LeaveGroup())


def decode_answer(command: cmd.GroupCommand, answer: pb.GroupManaged) -> cmd.GroupAnswer:
    """Read the answer to a command. Raises PonteError where WhatsApp refused it or did not answer."""
    if answer.error_code:
        raise _refused(command, answer)
    return cmd.GroupAnswer(
        group=_group(answer.group) if answer.HasField("group") else None,
        participants=[cmd.CodedContact(_contact(one.contact), one.wa_code) for one in answer.participants],
        invite_code=answer.invite_code,
        joined_jid=answer.joined_jid,
        join_requests=[
            cmd.JoinRequest(_contact(one.contact), _time(one.requested_at_ms), one.method)
            for one in answer.join_requests
        ],
        group_jids=list(answer.group_jids),
    )


def decode_change(changed: pb.GroupChanged) -> GroupArrived:
    """Read what WhatsApp told of a group; what this version does not know has the group read anew."""
    value = ch.GroupChange(
        group_jid=changed.group_jid,
        change=_change(changed),
        at=_time(changed.at_ms) or datetime.fromtimestamp(0, UTC),
        notification_id=changed.notification_id,
        author=_contact(changed.author),
    )
    return GroupArrived(changed.request_id, changed.company_id, changed.session_id, value)


def _change(changed: pb.GroupChanged) -> ch.Change:
    match changed.WhichOneof("change"):
        case "read":
            return ch.Read(_group(changed.read))
        case "entered":
            return ch.Entered(_group(changed.entered))
        case "participants" if changed.participants.action in _ACTIONS:
            participants = tuple(_participant(one) for one in changed.participants.participants)
            return ch.ParticipantsChanged(_ACTIONS[changed.participants.action], participants)
        case "settings":
            return ch.SettingsChanged(_settings(changed.settings))
        case "join_requests" if changed.join_requests.state in _REQUEST_STATES:
            requests = changed.join_requests
            contacts = tuple(_contact(one) for one in requests.contacts)
            return ch.JoinRequestsChanged(_REQUEST_STATES[requests.state], contacts, requests.method)
        case "invite_revoked":
            return ch.InviteRevoked()
        case "picture":
            return ch.PictureChanged(changed.picture.removed)
        case "deleted":
            return ch.Deleted()
        case _:
            return ch.UnknownChange(changed.unknown.name)


def _refused(command: cmd.GroupCommand, answer: pb.GroupManaged) -> PonteError:
    if answer.error_code == "REFUSED":
        code = refusal_of(command, answer.wa_code)
        return PonteError(code, f"{code.sentence} (WhatsApp: {answer.wa_code} {answer.detail})")
    if answer.error_code == "TIMED_OUT" and not isinstance(command, _READING):
        return PonteError(
            GATEWAY_UNAVAILABLE,
            "WhatsApp did not answer in time, and may have done it: look the group up before trying again.",
        )
    return errors.refused(answer.error_code, answer.detail)


def _encode_settings(settings: GroupSettings) -> pb.GroupSettings:
    told = {name: value for name in _SETTINGS if (value := getattr(settings, name)) is not None}
    return pb.GroupSettings(**told)


def _settings(settings: pb.GroupSettings) -> GroupSettings:
    return GroupSettings(**{field.name: value for field, value in settings.ListFields()})


def _group(group: pb.Group) -> Group:
    return Group(
        jid=group.jid,
        settings=_settings(group.settings),
        owner=_contact(group.owner),
        created_at=_time(group.created_at_ms),
        community_jid=group.community_jid,
        is_community=group.is_community,
        participants=tuple(_participant(one) for one in group.participants),
        size=group.size,
    )


def _participant(participant: pb.GroupParticipant) -> Participant:
    return Participant(_contact(participant.contact), _ROLES.get(participant.role, Role.MEMBER))


def _contact(contact: pb.GroupContact) -> ContactId:
    return ContactId(contact.pn_jid, contact.lid_jid)


def _time(milliseconds: int) -> datetime | None:
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else None
