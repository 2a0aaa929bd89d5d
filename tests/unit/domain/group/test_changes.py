"""What is told of a group: the group afterwards, and only differences as news."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orchestrator.domain.events import EventType
from orchestrator.domain.group import Group, GroupSettings, KnownGroup, Participant, Role
from orchestrator.domain.group.changes import (
    Applied,
    Change,
    Deleted,
    Entered,
    Gone,
    GroupChange,
    InviteRevoked,
    JoinRequestsChanged,
    JoinRequestState,
    ParticipantAction,
    ParticipantsChanged,
    PictureChanged,
    Read,
    SettingsChanged,
    UnknownChange,
    apply_change,
)
from orchestrator.domain.jid import ContactId

JID = "120363000000000001@g.us"
AT = datetime(2026, 1, 5, 12, tzinfo=UTC)
ME = ContactId("5511900000001@s.whatsapp.net", "901@lid")
ANA = ContactId("5511911111111@s.whatsapp.net", "911@lid")
BOB = ContactId("", "922@lid")
EVA = ContactId("5511933333333@s.whatsapp.net", "")

SETTINGS = GroupSettings("Ponte", "", False, False, True, False, 0)
GROUP = Group(
    JID,
    SETTINGS,
    owner=ANA,
    participants=(Participant(ANA, Role.OWNER), Participant(ME), Participant(BOB)),
    size=3,
)
KNOWN = KnownGroup(GROUP, read_at=AT)


def apply(
    known: KnownGroup | None, change: Change, notification: str = "", author: ContactId = ANA
) -> Applied:
    return apply_change(known, GroupChange(JID, change, AT, notification, author), ME)


def types(applied: Applied) -> list[str]:
    return [news.type.value for news in applied.news]


def known_after(applied: Applied) -> KnownGroup:
    assert applied.known is not None
    return applied.known


def changed(action: str, *contacts: ContactId) -> ParticipantsChanged:
    return ParticipantsChanged(ParticipantAction(action), tuple(Participant(contact) for contact in contacts))


def test_entering_is_joining_and_making_is_creating() -> None:
    assert types(apply(None, Entered(GROUP))) == ["group.joined"]
    own = replace(GROUP, owner=ME)
    assert types(apply(None, Entered(own), author=ME)) == ["group.created"]
    assert types(apply(None, Entered(own), author=ANA)) == ["group.joined"]
    again = KnownGroup(own, is_member=False, read_at=AT)
    assert types(apply(again, Entered(own), author=ME)) == ["group.joined"]


def test_what_a_first_reading_finds_is_no_news() -> None:
    applied = apply(None, Read(GROUP, is_first=True))
    assert (applied.news, known_after(applied).group) == ((), GROUP)
    assert types(apply(None, Read(GROUP))) == ["group.joined"]


def test_a_reading_tells_the_difference() -> None:
    now = replace(
        GROUP,
        settings=replace(SETTINGS, subject="Bridge", only_admins_send=True),
        participants=(Participant(ANA), Participant(ME, Role.ADMIN), Participant(EVA)),
    )
    applied = apply(KNOWN, Read(now))
    assert types(applied) == [
        "group.updated",
        "group.participants_added",
        "group.participants_removed",
        "group.participants_promoted",
        "group.participants_demoted",
    ]
    assert applied.news[0].changes == {"subject": ("Ponte", "Bridge"), "only_admins_send": (False, True)}
    assert [[one.contact for one in news.participants] for news in applied.news[1:]] == [
        [EVA],
        [BOB],
        [ME],
        [ANA],
    ]
    assert known_after(applied).group == now
    assert apply(known_after(applied), Read(now)).news == ()


def test_a_reading_makes_fresh_what_was_out_of_date() -> None:
    stale = replace(KNOWN, stale=True, seen=("N1",))
    after = known_after(apply(stale, Read(GROUP)))
    assert (after.stale, after.seen) == (False, ("N1",))


def test_who_is_known_by_another_name_now_has_not_come() -> None:
    both = ContactId("5511922222222@s.whatsapp.net", BOB.lid_jid)
    people = tuple(replace(one, contact=both) if one.contact == BOB else one for one in GROUP.participants)
    applied = apply(KNOWN, Read(replace(GROUP, participants=people)))
    assert applied.news == ()
    assert Participant(both) in known_after(applied).group.participants


@pytest.mark.parametrize(
    ("change", "type_", "affected"),
    [
        (changed("ADD", ANA, EVA), EventType.GROUP_PARTICIPANTS_ADDED, [EVA]),
        (changed("REMOVE", BOB, EVA), EventType.GROUP_PARTICIPANTS_REMOVED, [BOB]),
        (changed("PROMOTE", BOB, ANA), EventType.GROUP_PARTICIPANTS_PROMOTED, [BOB]),
    ],
)
def test_only_those_for_whom_it_is_another_are_news(
    change: ParticipantsChanged, type_: EventType, affected: list[ContactId]
) -> None:
    applied = apply(KNOWN, change)
    [news] = applied.news
    assert (news.type, [one.contact for one in news.participants]) == (type_, affected)
    assert apply(applied.known, change).news == ()


def test_the_size_follows_the_participants() -> None:
    assert known_after(apply(KNOWN, changed("ADD", EVA))).group.size == 4
    assert known_after(apply(KNOWN, changed("REMOVE", BOB))).group.size == 2


def test_an_admin_becomes_a_member_again() -> None:
    raised = known_after(apply(KNOWN, changed("PROMOTE", ME)))
    assert raised.role_of(ME) is Role.ADMIN
    lowered = apply(raised, changed("DEMOTE", ME))
    assert types(lowered) == ["group.participants_demoted"]
    assert known_after(lowered).role_of(ME) is Role.MEMBER


@pytest.mark.parametrize(
    ("change", "author", "reason"),
    [
        (changed("REMOVE", ME, BOB), ANA, "removed"),
        (changed("REMOVE", ME), ME, "left"),
        (Deleted(), ANA, "deleted"),
        (Gone(), ContactId(), "found"),
    ],
)
def test_this_number_leaves_once(change: Change, author: ContactId, reason: str) -> None:
    for before in (KNOWN, None):
        applied = apply(before, change, author=author)
        assert [(news.type.value, dict(news.detail)) for news in applied.news] == [
            ("group.left", {"reason": reason})
        ]
        assert known_after(applied).role_of(ME) is Role.NONE
        assert apply(applied.known, change, author=author).news == ()


def test_this_number_comes_back_to_a_group_that_has_to_be_read() -> None:
    left = replace(KNOWN, is_member=False)
    applied = apply(left, changed("ADD", ME, EVA))
    assert types(applied) == ["group.joined"]
    assert (known_after(applied).is_member, known_after(applied).stale) == (True, True)
    assert types(apply(None, changed("ADD", ME))) == ["group.joined"]
    assert apply(KNOWN, changed("ADD", ME)).news == ()


def test_a_group_that_was_never_read_tells_what_it_hears() -> None:
    applied = apply(None, changed("ADD", EVA), "N1")
    assert types(applied) == ["group.participants_added"]
    stub = known_after(applied)
    assert (stub.stale, stub.seen) == (True, ("N1",))
    assert types(apply(stub, changed("PROMOTE", EVA), "N2")) == ["group.participants_promoted"]
    # Being in it is no news any more once it is read.
    assert apply(stub, Read(GROUP)).news == ()


def test_settings_that_are_others_are_news() -> None:
    applied = apply(KNOWN, SettingsChanged(GroupSettings(subject="Bridge", only_admins_add=True)))
    assert applied.news[0].changes == {"subject": ("Ponte", "Bridge")}
    assert known_after(applied).group.settings == replace(SETTINGS, subject="Bridge")
    assert apply(applied.known, SettingsChanged(GroupSettings(subject="Bridge"))).news == ()
    unread = apply(None, SettingsChanged(GroupSettings(subject="Bridge")))
    assert (types(unread), known_after(unread).stale) == (["group.updated"], True)


@pytest.mark.parametrize(
    ("change", "type_", "detail"),
    [
        (InviteRevoked(), "group.updated", {"invite_link": "revoked"}),
        (PictureChanged(), "group.updated", {"picture": "set"}),
        (PictureChanged(removed=True), "group.updated", {"picture": "removed"}),
        (
            JoinRequestsChanged(JoinRequestState.CREATED, (EVA,), "invite_link"),
            "group.join_request",
            {"state": "CREATED", "method": "invite_link"},
        ),
    ],
)
def test_what_no_state_tells_is_recognised_by_its_notification(
    change: Change, type_: str, detail: dict[str, Any]
) -> None:
    applied = apply(KNOWN, change, "N1")
    assert [(news.type.value, dict(news.detail)) for news in applied.news] == [(type_, detail)]
    assert apply(applied.known, change, "N1") == Applied(applied.known)
    assert types(apply(applied.known, change, "N2")) == [type_]
    assert known_after(apply(None, change)).stale


def test_the_newest_notifications_are_remembered() -> None:
    known: KnownGroup | None = KNOWN
    for number in range(30):
        known = apply(known, PictureChanged(), f"N{number}").known
    assert known is not None
    assert known.seen == tuple(f"N{number}" for number in range(10, 30))


def test_what_the_bridge_cannot_say_has_the_group_read_anew() -> None:
    applied = apply(KNOWN, UnknownChange("link"))
    assert (applied.news, known_after(applied).stale) == ((), True)


@pytest.mark.parametrize("change", [PictureChanged(), InviteRevoked()])
@pytest.mark.parametrize("ways", [("", "N1"), ("N1", "")])
def test_what_we_did_is_told_once_whether_whatsapp_or_its_answer_comes_first(
    change: Change, ways: tuple[str, str]
) -> None:
    first = apply(KNOWN, change, ways[0], ME)
    second = apply(first.known, change, ways[1], ME)

    assert (types(first), types(second)) == (["group.updated"], [])
    assert types(apply(second.known, change, "N1", ME)) == []
    assert types(apply(second.known, change, "N2", ME)) == ["group.updated"]


def test_a_change_by_somebody_else_or_of_another_kind_or_much_later_is_news() -> None:
    done = known_after(apply(KNOWN, PictureChanged(), author=ME))

    assert types(apply(done, PictureChanged(), "N1", ANA)) == ["group.updated"]
    assert types(apply(done, InviteRevoked(), "N1", ME)) == ["group.updated"]
    assert types(apply(done, PictureChanged(), author=ME)) == ["group.updated"]
    later = GroupChange(JID, PictureChanged(), AT + timedelta(seconds=61), "N1", ME)
    assert types(apply_change(done, later, ME)) == ["group.updated"]


def test_nothing_told_of_a_group_that_is_not_known_leaves_it_so() -> None:
    assert apply(None, SettingsChanged(GroupSettings()), "N1") == Applied(None)
