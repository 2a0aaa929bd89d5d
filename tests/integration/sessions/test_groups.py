"""Groups on real Baileys against the simulated WhatsApp: managed over REST, and changed by people on their phones."""

from typing import Any

import aiohttp
import pytest

from tests.support.files import png
from tests.support.group_circle import Circle
from tests.support.session_house import NOT_YET, SessionHouse
from tests.support.simulator import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def gateway_settings() -> dict[str, Any]:
    """Groups are read at once after connecting."""
    return {"groups_after_s": (0.0, 0.0)}


async def test_a_group_is_made_and_is_the_same_here_and_at_the_server(circle: Circle) -> None:
    await circle.told("group.created")
    group = await circle.call("GET")
    server = await circle.at_server()

    assert (group["subject"], group["role"]) == ("Order 7", "OWNER")
    names = {one["contact"]["phone_number"] for one in group["participants"]}
    assert names == {one["number"] for one in server["members"]}
    assert names == {circle.house.numbers[circle.session], *circle.people}


async def test_each_participant_has_a_result_of_its_own(circle: Circle) -> None:
    house = circle.house
    new = house.servers.new_number()
    await house.simulator.create_phone(new)
    nobody = house.servers.new_number()

    added = await circle.call("POST", "/participants:add", {"participants": [new, circle.people[0], nobody]})

    results = [one["result"] for one in added["results"]]
    assert results == ["DONE", "ALREADY_IN_GROUP", "NOT_ON_WHATSAPP"]
    [event] = await circle.told("group.participants_added")
    assert [one["contact"]["phone_number"] for one in event["participants"]] == [new]
    await circle.call("POST", "/participants:promote", {"participants": [new]})
    assert {"number": new, "role": "admin"} in (await circle.at_server())["members"]
    await circle.call("POST", "/participants:demote", {"participants": [new]})
    await circle.call("POST", "/participants:remove", {"participants": [new]})
    assert new not in [one["number"] for one in (await circle.at_server())["members"]]
    await circle.told("group.participants_removed")


async def test_settings_and_picture_are_set_and_told_once(circle: Circle) -> None:
    house = circle.house
    wanted = {
        "subject": "Order 8",
        "description": "Two boxes",
        "who_may_send": "ADMINS",
        "who_may_edit": "ADMINS",
        "join_approval": True,
        "disappearing_s": 86_400,
    }
    group = await circle.call("PATCH", body=wanted)
    assert {name: group[name] for name in wanted} == wanted

    server = await circle.at_server()
    assert (server["subject"], server["description"]) == ("Order 8", "Two boxes")
    assert (server["only_admins_send"], server["only_admins_edit"]) == (True, True)
    assert (server["join_approval"], server["ephemeral_s"]) == (True, 86_400)
    form = aiohttp.FormData()
    form.add_field("file", png(64, 64), filename="group.png")
    media = (await house.rest.ask("POST", "/v1/media", data=form)).body["id"]
    await circle.call("POST", ":setPicture", {"media_id": media})
    assert (await circle.at_server())["picture"]["size"] > 0
    # What comes after all this has been told shows that nothing more was.
    await circle.on_phones("leave", by=circle.people[0])
    await circle.told("group.participants_removed")
    updates = await circle.told("group.updated")
    changed = [name for event in updates for name in event.get("changes", {})]
    assert sorted(changed) == sorted(wanted)
    assert [event["picture"] for event in updates if "picture" in event] == ["set"]


async def test_what_people_do_on_their_phones_is_told(circle: Circle) -> None:
    house, [ana, bob] = circle.house, circle.people
    await circle.on_phones("promote", members=[ana])
    await house.simulator.call("PATCH", f"/groups/{circle.group}", {"by": ana, "subject": "Lunch"})
    await circle.on_phones("leave", by=bob)

    [updated] = await circle.told("group.updated")
    assert updated["changes"]["subject"] == {"before": "Order 7", "after": "Lunch"}
    assert updated["author"]["phone_number"] == ana
    assert updated["source"] == "WHATSAPP"
    [left] = await circle.told("group.participants_removed")
    assert [one["contact"]["phone_number"] for one in left["participants"]] == [bob]
    assert (await circle.call("GET"))["participant_count"] == 2


async def test_the_link_lets_people_in_and_a_revoked_one_does_not(circle: Circle) -> None:
    house = circle.house
    link = (await circle.call("GET", "/invite-link"))["link"]
    assert link.endswith((await circle.at_server())["invite_code"])
    guest = await house.link()
    body = {"session_id": guest, "link": link}
    assert (await house.call("POST", "/v1/groups:readInvite", body))["subject"] == "Order 7"
    joined = await house.call("POST", "/v1/groups:join", body)
    assert joined["group"]["id"] == circle.group

    again = await circle.call("POST", "/invite-link:revoke", {"session_id": circle.session})

    assert again["link"] != link
    [updated] = await circle.told("group.updated")
    assert updated["invite_link"] == "revoked"
    third = await house.link()
    answer = await house.rest.ask("POST", "/v1/groups:join", {"session_id": third, "link": link})
    assert (answer.status, answer.body["code"]) == (409, "GROUP_INVITE_REVOKED")


async def test_who_asks_to_be_let_in_is_told_and_let_in(circle: Circle) -> None:
    house = circle.house
    await circle.call("PATCH", body={"join_approval": True})
    guest = house.servers.new_number()
    await house.simulator.create_phone(guest)
    await circle.on_phones("join", by=guest)

    [asked] = await circle.told("group.join_request")
    assert (asked["state"], asked["participants"][0]["contact"]["phone_number"]) == ("CREATED", guest)
    [waiting] = (await circle.call("GET", "/join-requests"))["join_requests"]
    assert waiting["contact"]["phone_number"] == guest
    approved = await circle.call("POST", "/join-requests:approve", {"participants": [guest]})
    assert [one["result"] for one in approved["results"]] == ["DONE"]
    assert guest in [one["number"] for one in (await circle.at_server())["members"]]


async def test_who_was_added_may_not_do_what_only_admins_may_and_may_leave(circle: Circle) -> None:
    house, [ana, bob] = circle.house, circle.people
    own = house.numbers[circle.session]
    theirs = {"owner": ana, "subject": "Theirs", "members": [bob, own]}
    circle.group = (await house.simulator.call("POST", "/groups", theirs))["jid"]
    [joined] = await circle.told("group.joined")
    assert (joined["role"], joined["author"]["phone_number"]) == ("MEMBER", ana)

    code = await circle.code("POST", "/participants:promote", {"participants": [bob]})
    assert code == "GROUP_NOT_ADMIN"
    left = await circle.call("POST", ":leave", {})

    assert left["role"] == "NONE"
    assert own not in [one["number"] for one in (await circle.at_server())["members"]]
    [event] = await circle.told("group.left")
    assert event["reason"] == "left"
    assert await circle.code("POST", ":leave", {}) == "GROUP_NOT_MEMBER"


async def test_what_happened_while_the_number_was_away_shows_when_it_is_back(circle: Circle) -> None:
    house, [ana, bob] = circle.house, circle.people
    await house.call("POST", f"/v1/sessions/{circle.session}:stop", {})
    await house.reach(circle.session, "STOPPED")
    await circle.on_phones("promote", members=[ana])
    await circle.on_phones("remove", by=ana, members=[bob])

    await house.call("POST", f"/v1/sessions/{circle.session}:start", {})

    [removed] = await circle.told("group.participants_removed")
    assert [one["contact"]["phone_number"] for one in removed["participants"]] == [bob]

    async def settled() -> dict[str, Any]:
        group: dict[str, Any] = await circle.call("GET")
        return group if group["participant_count"] == 2 else NOT_YET

    assert {one["role"] for one in (await eventually(settled))["participants"]} == {"OWNER", "ADMIN"}


async def test_groups_from_before_the_link_are_found_and_are_no_news(house: SessionHouse) -> None:
    number, owner = house.servers.new_number(), house.servers.new_number()
    for one in (number, owner):
        await house.simulator.create_phone(one)
    body = {"owner": owner, "subject": "Of old", "members": [number]}
    group = (await house.simulator.call("POST", "/groups", body))["jid"]

    session = await house.link_phone(number)

    async def listed() -> list[str]:
        page = await house.call("GET", f"/v1/groups?session_id={session}")
        return [one["id"] for one in page["groups"]]

    assert await eventually(listed) == [group]
    assert await house.events(session, "group.*") == []
