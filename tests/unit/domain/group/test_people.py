"""Everybody in a change is found, and replaced by whoever they are."""

from datetime import UTC, datetime

import pytest

from orchestrator.domain.group import Group, Participant, Role
from orchestrator.domain.group.changes import (
    Change,
    Deleted,
    Entered,
    GroupChange,
    JoinRequestsChanged,
    JoinRequestState,
    ParticipantAction,
    ParticipantsChanged,
    Read,
)
from orchestrator.domain.group.people import people_of, with_people
from orchestrator.domain.jid import ContactId

AT = datetime(2026, 1, 5, tzinfo=UTC)
AUTHOR, ANA = ContactId("", "901@lid"), ContactId("", "911@lid")
BOTH = ContactId("5511911111111@s.whatsapp.net", "911@lid")
GROUP = Group("1@g.us", owner=ANA, participants=(Participant(ANA, Role.OWNER),))
NAMED = Group("1@g.us", owner=BOTH, participants=(Participant(BOTH, Role.OWNER),))


@pytest.mark.parametrize(
    ("change", "people", "after"),
    [
        (Read(GROUP), [AUTHOR, ANA, ANA], Read(NAMED)),
        (Entered(GROUP), [AUTHOR, ANA, ANA], Entered(NAMED)),
        (
            ParticipantsChanged(ParticipantAction.ADD, (Participant(ANA),)),
            [AUTHOR, ANA],
            ParticipantsChanged(ParticipantAction.ADD, (Participant(BOTH),)),
        ),
        (
            JoinRequestsChanged(JoinRequestState.CREATED, (ANA,)),
            [AUTHOR, ANA],
            JoinRequestsChanged(JoinRequestState.CREATED, (BOTH,)),
        ),
        (Deleted(), [AUTHOR], Deleted()),
    ],
)
def test_people_get_their_other_names(change: Change, people: list[ContactId], after: Change) -> None:
    told = GroupChange("1@g.us", change, AT, author=AUTHOR)
    assert people_of(told) == people
    assert with_people(told, {ANA: BOTH}) == GroupChange("1@g.us", after, AT, author=AUTHOR)


def test_nobody_is_no_person() -> None:
    assert people_of(GroupChange("1@g.us", Deleted(), AT)) == []
