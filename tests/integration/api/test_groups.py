"""Groups over both doors: the shape of what is answered."""

import pytest

from orchestrator._generated.ponte.v1 import group_pb2, group_pb2_grpc
from orchestrator.domain import errors
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError
from orchestrator.domain.group import Group, Participant, Role
from orchestrator.domain.group.commands import CodedContact, GroupAnswer
from orchestrator.services.context import Context
from tests.integration.api.harness import RestClient, RunningApi
from tests.support.factories import Factories
from tests.support.gateway import FakeGateway
from tests.support.groups import ANA, BOB, GROUP, ME, SETTINGS, group_of, known_group

GROUP_PATH = f"/v1/groups/{GROUP}"


@pytest.fixture
async def client(api: RunningApi, make: Factories) -> RestClient:
    """A company whose one number is linked and in no group."""
    company_id, client = await api.company()
    await make.linked_session(CompanyScope(company_id))
    return client


async def test_a_group_is_made_read_changed_and_left(
    api: RunningApi, client: RestClient, gateway: FakeGateway
) -> None:
    people = (Participant(ME, Role.OWNER), Participant(ANA))
    made_group = Group(GROUP, SETTINGS, owner=ME, participants=people, size=2)
    answers = [CodedContact(ANA, 200), CodedContact(BOB, 403)]
    gateway.group_answers.append(GroupAnswer(group=made_group, participants=answers))
    body = {"subject": "Ponte", "participants": ["+5511911111111", "+5511922222222"]}
    made = await client.ask("POST", "/v1/groups", body)
    assert made.status == 201, made.body
    assert [(one["participant"], one["result"]) for one in made.body["results"]] == [
        ("+5511911111111", "DONE"),
        ("+5511922222222", "NEEDS_INVITE"),
    ]
    group = made.body["group"]
    assert (group["id"], group["subject"], group["role"]) == (GROUP, "Ponte", "OWNER")
    assert (group["who_may_send"], group["who_may_add"]) == ("EVERYBODY", "ADMINS")
    assert group["participants"][1] == {
        "contact": {"phone_number": "+5511911111111", "jid": ANA.pn_jid, "lid": ANA.lid_jid},
        "role": "MEMBER",
    }

    changed = await client.ask("PATCH", GROUP_PATH, {"who_may_send": "ADMINS", "description": ""})
    assert changed.status == 200, changed.body
    assert (changed.body["who_may_send"], changed.body["description"]) == ("ADMINS", "")

    stub = group_pb2_grpc.GroupServiceStub(api.channel)
    found = await stub.GetGroup(group_pb2.GetGroupRequest(group_id=GROUP), metadata=api.metadata(client.key))
    assert (found.subject, found.participant_count, len(found.participants)) == ("Ponte", 2, 2)

    left = await client.ask("POST", f"{GROUP_PATH}:leave", {})
    assert (left.status, left.body["role"]) == (200, "NONE")
    listed = await client.ask("GET", "/v1/groups")
    assert listed.body["groups"] == []
    with_left = await client.ask("GET", "/v1/groups?include_left=true")
    assert [(one["id"], one["participants"]) for one in with_left.body["groups"]] == [(GROUP, [])]


async def test_a_refusal_is_a_problem_with_its_code(
    api: RunningApi, make: Factories, context: Context, gateway: FakeGateway
) -> None:
    company_id, client = await api.company()
    scope = CompanyScope(company_id)
    session = await make.linked_session(scope)
    await known_group(context, scope, session.id, group_of())
    gateway.group_answers.append(PonteError(errors.GROUP_NOT_ADMIN))
    refused = await client.ask("POST", f"{GROUP_PATH}/participants:promote", {"participants": [BOB.lid_jid]})
    assert (refused.status, refused.body["code"]) == (403, "GROUP_NOT_ADMIN")
    unknown = await client.ask("PATCH", GROUP_PATH, {"who_may_send": "NOBODY"})
    assert (unknown.status, unknown.body["field_violations"][0]["field"]) == (400, "who_may_send")


async def test_links_are_given_by_their_paths(
    api: RunningApi, make: Factories, context: Context, gateway: FakeGateway
) -> None:
    company_id, client = await api.company()
    scope = CompanyScope(company_id)
    session = await make.linked_session(scope)
    await known_group(context, scope, session.id, group_of())
    other = group_of(jid="120363000000000009@g.us", subject="Other")
    gateway.group_answers.extend(
        [
            GroupAnswer(invite_code="Code1234"),
            GroupAnswer(invite_code="Code5678"),
            GroupAnswer(group=other),
            GroupAnswer(),
        ]
    )
    link = await client.ask("GET", f"{GROUP_PATH}/invite-link")
    assert link.body == {"link": "https://chat.whatsapp.com/Code1234"}
    revoked = await client.ask("POST", f"{GROUP_PATH}/invite-link:revoke", {})
    assert revoked.body == {"link": "https://chat.whatsapp.com/Code5678"}
    read = await client.ask("POST", "/v1/groups:readInvite", {"link": "Code9999"})
    assert (read.body["group_id"], read.body["participant_count"]) == (other.jid, 3)
    joined = await client.ask("POST", "/v1/groups:join", {"link": "Code9999"})
    assert joined.body == {"awaits_approval": True}
