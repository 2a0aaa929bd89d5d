"""People are one where they share a name; a number's role follows from the group."""

import pytest

from orchestrator.domain.group import Group, KnownGroup, Participant, Role, SessionGroup, is_same_person
from orchestrator.domain.jid import ContactId

ME = ContactId("5511900000001@s.whatsapp.net", "901@lid")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (ContactId("1@s.whatsapp.net", ""), ContactId("1@s.whatsapp.net", "9@lid"), True),
        (ContactId("", "9@lid"), ContactId("1@s.whatsapp.net", "9@lid"), True),
        (ContactId("1@s.whatsapp.net", ""), ContactId("", "9@lid"), False),
        (ContactId(), ContactId(), False),
    ],
)
def test_who_shares_a_name_is_one(one: ContactId, other: ContactId, same: bool) -> None:
    assert is_same_person(one, other) is same


def test_a_role_is_what_the_group_says() -> None:
    group = Group("1@g.us", participants=(Participant(ME, Role.ADMIN),))
    assert SessionGroup("id", "session", KnownGroup(group), ME).role is Role.ADMIN
    assert SessionGroup("id", "session", KnownGroup(group, is_member=False), ME).role is Role.NONE
    assert SessionGroup("id", "session", KnownGroup(Group("1@g.us")), ME).role is Role.MEMBER
    assert SessionGroup("id", "session", KnownGroup(group), ME).jid == "1@g.us"
