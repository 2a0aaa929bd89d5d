"""Groups over the use cases: what is asked of WhatsApp, what is kept, and how a no is told."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from orchestrator.domain import errors
from orchestrator.domain.errors import PonteError
from orchestrator.domain.group import Group, GroupSettings, Participant, Role
from orchestrator.domain.group.changes import GroupChange, ParticipantAction, UnknownChange
from orchestrator.domain.group.commands import (
    AnswerJoinRequests,
    ChangeParticipants,
    ChangeSettings,
    CodedContact,
    CreateGroup,
    GroupAnswer,
    JoinGroup,
    JoinRequest,
    LeaveGroup,
    ParticipantResult,
    ReadGroup,
    ReadInvite,
    ReadInviteCode,
    RevokeInviteCode,
    SetPicture,
)
from orchestrator.domain.jid import ContactId
from orchestrator.domain.page import PageRequest
from orchestrator.domain.session import SessionState
from orchestrator.services.group_creation import NewGroup
from orchestrator.services.group_records import GroupRecords
from orchestrator.services.group_services import GroupServices
from orchestrator.services.outgoing_files import OutgoingFiles
from orchestrator.store import events as event_store
from tests.support.desk import Desk
from tests.support.factories import Factories
from tests.support.files import png
from tests.support.groups import ANA, BOB, EVA, GROUP, ME, group_of, known_group
from tests.support.media import make_media

ADD = ParticipantAction.ADD


@pytest.fixture
def services(desk: Desk, tmp_path: Path) -> GroupServices:
    return GroupServices.of(desk.context, desk.gateway, OutgoingFiles(make_media(desk.context, tmp_path)))


async def types(desk: Desk) -> list[str]:
    async with desk.context.database.reading(desk.scope) as tx:
        return [event.type for event in await event_store.list_after(tx, desk.scope, 0, 500, ["group.*"])]


async def refused(call: Awaitable[Any]) -> PonteError:
    with pytest.raises(PonteError) as refusal:
        await call
    return refusal.value


async def test_a_new_group_is_kept_and_tells_who_is_not_in_it(desk: Desk, services: GroupServices) -> None:
    made = group_of(Participant(ME, Role.OWNER), Participant(ANA))
    made = Group(GROUP, made.settings, owner=ME, participants=made.participants, size=2)
    answers = [CodedContact(ME, 200), CodedContact(ANA, 200), CodedContact(BOB, 403)]
    desk.gateway.group_answers.append(GroupAnswer(group=made, participants=answers))
    wanted = NewGroup("", " Ponte ", ["+5511911111111", BOB.lid_jid, "+5511944444444"])
    created = await services.creation.create(desk.scope, wanted)

    [(session_id, command)] = desk.gateway.managed
    assert session_id == desk.session_id
    assert command == CreateGroup(
        "Ponte", ["5511911111111@s.whatsapp.net", BOB.lid_jid, "5511944444444@s.whatsapp.net"]
    )
    assert created.group.role is Role.OWNER
    assert [(one.participant, one.result, one.wa_code) for one in created.results] == [
        ("+5511911111111", ParticipantResult.DONE, 200),
        (BOB.lid_jid, ParticipantResult.NEEDS_INVITE, 403),
        ("+5511944444444", ParticipantResult.REFUSED, 0),
    ]
    assert created.results[0].contact == ANA
    assert await types(desk) == ["group.created"]


async def test_a_repeated_create_makes_no_second_group(desk: Desk, services: GroupServices) -> None:
    group = group_of(Participant(ME, Role.OWNER), Participant(ANA))
    desk.gateway.group_answers.append(
        GroupAnswer(group=group, participants=[CodedContact(ANA, 200), CodedContact(BOB, 403)])
    )
    wanted = NewGroup("", "Ponte", ["+5511911111111", BOB.lid_jid], idempotency_key="order-7")
    first = await services.creation.create(desk.scope, wanted)
    again = await services.creation.create(desk.scope, wanted)
    assert again.group == first.group
    assert [one.result.value for one in again.results] == ["DONE", "REFUSED"]
    assert len(desk.gateway.managed) == 1
    other = NewGroup("", "Other", [], idempotency_key="order-7")
    assert (await refused(services.creation.create(desk.scope, other))).code is errors.IDEMPOTENCY_KEY_REUSED


async def test_a_create_that_was_cut_off_is_not_made_twice(desk: Desk, services: GroupServices) -> None:
    desk.gateway.group_answers.append(PonteError(errors.GATEWAY_UNAVAILABLE))
    wanted = NewGroup("", "Ponte", [], idempotency_key="order-7")
    assert (await refused(services.creation.create(desk.scope, wanted))).code is errors.GATEWAY_UNAVAILABLE
    assert (await refused(services.creation.create(desk.scope, wanted))).code is errors.OUTCOME_UNKNOWN
    assert len(desk.gateway.managed) == 1


async def test_a_create_that_was_refused_may_be_tried_again(desk: Desk, services: GroupServices) -> None:
    desk.gateway.group_answers.append(PonteError(errors.GROUP_REFUSED))
    desk.gateway.group_answers.append(GroupAnswer(group=group_of()))
    wanted = NewGroup("", "Ponte", [], idempotency_key="order-7")
    assert (await refused(services.creation.create(desk.scope, wanted))).code is errors.GROUP_REFUSED
    assert (await services.creation.create(desk.scope, wanted)).group.jid == GROUP


async def test_a_group_without_its_description_is_told_with_its_id(
    desk: Desk, services: GroupServices
) -> None:
    desk.gateway.group_answers.append(GroupAnswer(group=group_of()))
    desk.gateway.group_answers.append(PonteError(errors.GROUP_REFUSED))
    error = await refused(services.creation.create(desk.scope, NewGroup("", "Ponte", [], "About us")))
    assert (error.code, error.metadata) == (errors.GROUP_REFUSED, {"group_id": GROUP})


async def test_participants_have_a_result_each_and_the_group_follows(
    desk: Desk, services: GroupServices
) -> None:
    await known_group(desk.context, desk.scope, desk.session_id)
    answers = [CodedContact(ContactId("", EVA.lid_jid), 409), CodedContact(ANA, 409)]
    desk.gateway.group_answers.append(GroupAnswer(participants=answers))
    given = ["+5511933333333", "+5511911111111"]
    results = await services.groups.change_participants(desk.scope, GROUP, "", ADD, given)
    # Eva was answered by her lid alone: the only answer left for the only question left.
    assert [(one.contact, one.result) for one in results] == [
        (EVA, ParticipantResult.ALREADY_IN_GROUP),
        (ANA, ParticipantResult.ALREADY_IN_GROUP),
    ]
    # Who is in the group is asked for by the name that the group has; a stranger by the number.
    assert desk.gateway.managed[-1][1] == ChangeParticipants(GROUP, ADD, [EVA.pn_jid, ANA.lid_jid])
    stored = await services.groups.get(desk.scope, GROUP)
    assert Participant(EVA) in stored.known.group.participants
    assert await types(desk) == ["group.joined", "group.participants_added"]


@pytest.mark.parametrize(
    ("action", "type_"),
    [
        (ParticipantAction.REMOVE, "group.participants_removed"),
        (ParticipantAction.PROMOTE, "group.participants_promoted"),
    ],
)
async def test_participants_are_removed_and_promoted(
    desk: Desk, services: GroupServices, action: ParticipantAction, type_: str
) -> None:
    await known_group(desk.context, desk.scope, desk.session_id)
    desk.gateway.group_answers.append(GroupAnswer(participants=[CodedContact(BOB, 200)]))
    await services.groups.change_participants(desk.scope, GROUP, "", action, [BOB.lid_jid])
    assert await types(desk) == ["group.joined", type_]


async def test_settings_are_changed_one_by_one_until_one_is_refused(
    desk: Desk, services: GroupServices
) -> None:
    await known_group(desk.context, desk.scope, desk.session_id)
    desk.gateway.group_answers.append(GroupAnswer())
    desk.gateway.group_answers.append(PonteError(errors.GROUP_NOT_ADMIN))
    wanted = GroupSettings(subject=" Bridge ", only_admins_send=True, disappearing_s=86_400)
    error = await refused(services.groups.update(desk.scope, GROUP, "", wanted))
    assert error.code is errors.GROUP_NOT_ADMIN
    assert [command for _, command in desk.gateway.managed] == [
        ChangeSettings(GROUP, GroupSettings(subject="Bridge")),
        ChangeSettings(GROUP, GroupSettings(only_admins_send=True)),
    ]
    stored = await services.groups.get(desk.scope, GROUP)
    assert stored.known.group.settings.subject == "Bridge"
    assert stored.known.group.settings.only_admins_send is False


async def test_a_group_that_was_left_stays_to_be_read(desk: Desk, services: GroupServices) -> None:
    await known_group(desk.context, desk.scope, desk.session_id)
    left = await services.groups.leave(desk.scope, GROUP)
    assert (left.role, desk.gateway.managed[-1][1]) == (Role.NONE, LeaveGroup(GROUP))
    assert (await services.groups.get(desk.scope, GROUP)).role is Role.NONE
    assert (await refused(services.groups.leave(desk.scope, GROUP))).code is errors.GROUP_NOT_MEMBER
    page = PageRequest(10)
    assert (await services.groups.list(desk.scope, "", page)).items == []
    assert len((await services.groups.list(desk.scope, "", page, include_left=True)).items) == 1
    assert await types(desk) == ["group.joined", "group.left"]


async def test_what_is_out_of_date_is_read_and_given_as_known_where_that_fails(
    desk: Desk, services: GroupServices
) -> None:
    await known_group(desk.context, desk.scope, desk.session_id)
    change = GroupChange(GROUP, UnknownChange("link"), desk.context.clock(), "N9")
    await GroupRecords(desk.context).record(desk.scope, desk.session_id, None, change)
    desk.gateway.available = False
    assert (await services.groups.get(desk.scope, GROUP)).known.stale
    desk.gateway.available = True
    desk.gateway.group_answers.append(GroupAnswer(group=group_of(subject="Bridge")))
    fresh = await services.groups.get(desk.scope, GROUP)
    assert (fresh.known.stale, fresh.known.group.settings.subject) == (False, "Bridge")
    await services.groups.get(desk.scope, GROUP)
    assert [command for _, command in desk.gateway.managed] == [ReadGroup(GROUP)]


async def test_a_reading_that_is_refused_tells_that_this_number_is_out(
    desk: Desk, services: GroupServices
) -> None:
    await known_group(desk.context, desk.scope, desk.session_id)
    desk.gateway.group_answers.append(PonteError(errors.GROUP_NOT_MEMBER))
    assert (await refused(services.groups.refresh(desk.scope, GROUP))).code is errors.GROUP_NOT_MEMBER
    assert (await services.groups.get(desk.scope, GROUP)).role is Role.NONE
    assert await types(desk) == ["group.joined", "group.left"]


async def test_a_picture_is_made_a_square_jpeg(desk: Desk, services: GroupServices, tmp_path: Path) -> None:
    await known_group(desk.context, desk.scope, desk.session_id)
    media = make_media(desk.context, tmp_path)
    file = tmp_path / "picture.png"
    file.write_bytes(png())
    uploaded = await media.adopt(desk.scope, file)
    await services.groups.set_picture(desk.scope, GROUP, "", uploaded.id)
    [(_, command)] = desk.gateway.managed
    assert isinstance(command, SetPicture)
    made = await media.get(desk.scope, command.media_id)
    assert (made.mime_type, made.facts.width, made.facts.height) == ("image/jpeg", 640, 640)
    await services.groups.set_picture(desk.scope, GROUP, "", "")
    assert desk.gateway.managed[-1][1] == SetPicture(GROUP, "")
    assert (
        await refused(services.groups.set_picture(desk.scope, GROUP, "", "nothing"))
    ).code is errors.NOT_FOUND


async def test_links_are_given_revoked_read_and_joined_by(desk: Desk, services: GroupServices) -> None:
    await known_group(desk.context, desk.scope, desk.session_id)
    desk.gateway.group_answers.extend(
        [GroupAnswer(invite_code="OldCode1"), GroupAnswer(invite_code="NewCode1")]
    )
    assert await services.invites.link(desk.scope, GROUP) == "https://chat.whatsapp.com/OldCode1"
    assert await services.invites.revoke_link(desk.scope, GROUP) == "https://chat.whatsapp.com/NewCode1"

    other = group_of(jid="120363000000000009@g.us")
    desk.gateway.group_answers.extend(
        [GroupAnswer(group=other), GroupAnswer(joined_jid=other.jid), GroupAnswer(group=other)]
    )
    link = "https://chat.whatsapp.com/Code1234?mode=ac"
    assert await services.invites.read(desk.scope, "", link) == other
    joined = await services.invites.join(desk.scope, "", "Code1234")
    assert joined is not None
    assert joined.jid == other.jid
    assert await services.invites.join(desk.scope, "", link) is None
    assert [command for _, command in desk.gateway.managed] == [
        ReadInviteCode(GROUP),
        RevokeInviteCode(GROUP),
        ReadInvite("Code1234"),
        JoinGroup("Code1234"),
        ReadGroup(other.jid),
        JoinGroup("Code1234"),
    ]
    assert await types(desk) == ["group.joined", "group.updated", "group.joined"]


async def test_requests_to_be_let_in_are_listed_and_answered(desk: Desk, services: GroupServices) -> None:
    await known_group(desk.context, desk.scope, desk.session_id)
    waiting = JoinRequest(EVA, desk.context.clock(), "invite_link")
    desk.gateway.group_answers.extend(
        [GroupAnswer(join_requests=[waiting]), GroupAnswer(participants=[CodedContact(EVA, 200)])]
    )
    assert await services.invites.requests(desk.scope, GROUP) == [waiting]
    results = await services.invites.answer_requests(desk.scope, GROUP, "", [EVA.lid_jid], approve=True)
    assert [one.result for one in results] == [ParticipantResult.DONE]
    assert desk.gateway.managed[-1][1] == AnswerJoinRequests(GROUP, True, [EVA.lid_jid])


async def test_the_session_need_not_be_named_while_one_is_in_the_group(
    desk: Desk, services: GroupServices, make: Factories
) -> None:
    await known_group(desk.context, desk.scope, desk.session_id)
    second = await make.linked_session(desk.scope, "+5511900000002")
    assert (await services.groups.get(desk.scope, GROUP)).session_id == desk.session_id
    await known_group(desk.context, desk.scope, second.id)
    assert (await refused(services.groups.get(desk.scope, GROUP))).code is errors.SESSION_AMBIGUOUS
    assert (await services.groups.get(desk.scope, GROUP, second.id)).session_id == second.id
    await services.groups.leave(desk.scope, GROUP, second.id)
    assert (await services.groups.get(desk.scope, GROUP)).session_id == desk.session_id


async def test_groups_are_listed_page_by_page_with_our_role(desk: Desk, services: GroupServices) -> None:
    for number in range(3):
        jid = f"12036300000000010{number}@g.us"
        people = (Participant(ANA, Role.OWNER), Participant(ME, Role.ADMIN))
        await known_group(desk.context, desk.scope, desk.session_id, group_of(*people, jid=jid))
    first = await services.groups.list(desk.scope, desk.session_id, PageRequest(2))
    rest = await services.groups.list(desk.scope, desk.session_id, PageRequest(2, first.next_token))
    assert len(first.items) == 2
    assert [one.role for one in [*first.items, *rest.items]] == [Role.ADMIN] * 3
    assert rest.next_token == ""


async def test_a_stranger_finds_nothing(desk: Desk, services: GroupServices, make: Factories) -> None:
    await known_group(desk.context, desk.scope, desk.session_id)
    stranger = await make.company("Other")
    for session_id in ("", desk.session_id):
        assert (await refused(services.groups.get(stranger, GROUP, session_id))).code is errors.NOT_FOUND
    assert (await services.groups.list(stranger, "", PageRequest(10))).items == []


async def test_a_session_without_a_number_cannot_ask(
    desk: Desk, services: GroupServices, make: Factories
) -> None:
    session = await make.session(desk.scope, state=SessionState.LOGGED_OUT.value)
    wanted = NewGroup(session.id, "Ponte", [])
    assert (await refused(services.creation.create(desk.scope, wanted))).code is errors.SESSION_NOT_LINKED


Call = Callable[[GroupServices, Desk], Awaitable[Any]]


def creating(subject: str = "Ponte", participants: tuple[str, ...] = (), description: str = "") -> Call:
    return lambda services, desk: services.creation.create(
        desk.scope, NewGroup("", subject, participants, description)
    )


def adding(*participants: str) -> Call:
    return lambda services, desk: services.groups.change_participants(
        desk.scope, GROUP, "", ADD, participants
    )


def updating(**settings: Any) -> Call:
    return lambda services, desk: services.groups.update(desk.scope, GROUP, "", GroupSettings(**settings))


def joining(link: str) -> Call:
    return lambda services, desk: services.invites.join(desk.scope, "", link)


@pytest.mark.parametrize(
    ("call", "code", "field"),
    [
        (creating(subject="  "), "INVALID_ARGUMENT", "subject"),
        (creating(subject="x" * 101), "INVALID_ARGUMENT", "subject"),
        (creating(subject="two\nlines"), "INVALID_ARGUMENT", "subject"),
        (creating(description="x" * 2049), "INVALID_ARGUMENT", "description"),
        (creating(participants=("12",)), "INVALID_PHONE_NUMBER", "participants[0]"),
        (creating(participants=("+5511911111111",) * 51), "INVALID_ARGUMENT", "participants"),
        (adding(), "INVALID_ARGUMENT", "participants"),
        (adding("+5511911111111", "5511911111111@s.whatsapp.net"), "INVALID_ARGUMENT", "participants[1]"),
        (adding("120363000000000001@g.us"), "INVALID_ARGUMENT", "participants[0]"),
        (adding("x@s.whatsapp.net"), "INVALID_ARGUMENT", "participants[0]"),
        (updating(), "INVALID_ARGUMENT", "subject"),
        (updating(disappearing_s=5), "INVALID_ARGUMENT", "disappearing_s"),
        (updating(description="\0"), "INVALID_ARGUMENT", "description"),
        (joining("https://example.com/Code1234"), "INVALID_ARGUMENT", "link"),
        (joining("no code"), "INVALID_ARGUMENT", "link"),
    ],
)
async def test_bad_input_names_its_field(
    desk: Desk, services: GroupServices, call: Call, code: str, field: str
) -> None:
    await known_group(desk.context, desk.scope, desk.session_id)
    error = await refused(call(services, desk))
    assert (error.code.name, [violation.field for violation in error.violations]) == (code, [field])
    assert desk.gateway.managed == []
