"""What WhatsApp tells of groups is recorded once, with its events, in the company's own rows."""

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.domain.errors import PonteError
from orchestrator.domain.events import Event
from orchestrator.domain.group import GroupSettings, Participant, Role
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
    SettingsChanged,
)
from orchestrator.domain.jid import ContactId
from orchestrator.services.group_records import GroupRecords
from orchestrator.store import contacts as contact_store
from orchestrator.store import events as event_store
from orchestrator.store import groups as group_store
from tests.support.clock import ManualClock
from tests.support.desk import Desk
from tests.support.factories import Factories
from tests.support.groups import ANA, BOB, EVA, GROUP, ME, group_of, known_group

OTHER = "120363000000000002@g.us"


@pytest.fixture
def records(desk: Desk) -> GroupRecords:
    return GroupRecords(desk.context)


async def tell(
    desk: Desk, records: GroupRecords, change: Change, notification: str = "", jid: str = GROUP
) -> None:
    told = GroupChange(jid, change, desk.context.clock(), notification, ANA if notification else ContactId())
    await records.record(desk.scope, desk.session_id, 0, told)


async def news(desk: Desk) -> list[Event]:
    """The events of groups so far."""
    async with desk.context.database.reading(desk.scope) as tx:
        return await event_store.list_after(tx, desk.scope, 0, 500, ["group.*"])


async def types(desk: Desk) -> list[str]:
    return [event.type for event in await news(desk)]


async def roles(desk: Desk, jid: str = GROUP) -> dict[str, Role]:
    """What everybody in the group is, by lid."""
    async with desk.context.database.reading(desk.scope) as tx:
        stored = await group_store.find(tx, desk.scope, desk.session_id, jid)
    assert stored is not None
    return {one.contact.lid_jid: one.role for one in stored.known.group.participants}


async def test_a_group_is_stored_with_everybody_in_it(desk: Desk, records: GroupRecords) -> None:
    await tell(desk, records, Entered(group_of()), "N1")
    async with desk.context.database.reading(desk.scope) as tx:
        stored = await group_store.find(tx, desk.scope, desk.session_id, GROUP)
        people = await contact_store.find(tx, desk.scope, [ANA.pn_jid, BOB.lid_jid])
    assert stored is not None
    assert (stored.known.group, stored.role) == (group_of(), Role.MEMBER)
    assert {person.contact for person in people} == {ANA, BOB}
    [event] = await news(desk)
    assert (event.type, event.chat_jid, event.session_id) == ("group.joined", GROUP, desk.session_id)
    assert event.data["group"] == {"id": GROUP, "subject": "Ponte"}
    assert event.data["source"] == "WHATSAPP"
    assert event.data["author"] == {"phone_number": "+5511911111111", "jid": ANA.pn_jid, "lid": ANA.lid_jid}


async def test_what_comes_again_changes_nothing(desk: Desk, records: GroupRecords) -> None:
    await tell(desk, records, Entered(group_of()), "N1")
    asks = JoinRequestsChanged(JoinRequestState.CREATED, (EVA,), "invite_link")
    for _ in range(2):
        await tell(desk, records, ParticipantsChanged(ParticipantAction.ADD, (Participant(EVA),)), "N2")
        await tell(desk, records, asks, "N3")
    assert await types(desk) == ["group.joined", "group.participants_added", "group.join_request"]
    assert (await news(desk))[2].data["state"] == "CREATED"


async def test_participants_and_settings_follow(desk: Desk, records: GroupRecords) -> None:
    await tell(desk, records, Entered(group_of()), "N1")
    await tell(desk, records, ParticipantsChanged(ParticipantAction.PROMOTE, (Participant(ME),)), "N2")
    await tell(desk, records, ParticipantsChanged(ParticipantAction.REMOVE, (Participant(BOB),)), "N3")
    await tell(desk, records, SettingsChanged(GroupSettings(subject="Bridge", disappearing_s=86_400)), "N4")
    assert await roles(desk) == {ANA.lid_jid: Role.OWNER, ME.lid_jid: Role.ADMIN}
    promoted, removed, updated = (await news(desk))[1:]
    assert promoted.data["role"] == "ADMIN"
    assert removed.data["participants"] == [
        {
            "contact": {"phone_number": "+5511922222222", "jid": BOB.pn_jid, "lid": BOB.lid_jid},
            "role": "MEMBER",
        }
    ]
    assert updated.data["changes"] == {
        "subject": {"before": "Ponte", "after": "Bridge"},
        "disappearing_s": {"before": 0, "after": 86_400},
    }


async def test_somebody_told_by_one_name_is_known_by_both(desk: Desk, records: GroupRecords) -> None:
    await tell(desk, records, Entered(group_of()), "N1")
    known_elsewhere = GroupChange(OTHER, Entered(group_of(Participant(EVA), jid=OTHER)), desk.context.clock())
    await records.record(desk.scope, desk.session_id, 0, known_elsewhere)
    by_lid = Participant(ContactId("", EVA.lid_jid))
    await tell(desk, records, ParticipantsChanged(ParticipantAction.ADD, (by_lid,)), "N2")
    assert (await news(desk))[-1].data["participants"] == [
        {
            "contact": {"phone_number": "+5511933333333", "jid": EVA.pn_jid, "lid": EVA.lid_jid},
            "role": "MEMBER",
        }
    ]


async def test_the_first_reading_of_all_groups_is_no_news_and_the_next_one_is(
    desk: Desk, records: GroupRecords, clock: ManualClock
) -> None:
    assert await records.is_reading_due(desk.scope, desk.session_id)
    asked_at = records.now()
    await tell(desk, records, Read(group_of()))
    await tell(desk, records, Read(group_of(jid=OTHER)), jid=OTHER)
    await records.finish_reading(desk.scope, desk.session_id, 0, [GROUP, OTHER], asked_at)
    assert await types(desk) == []
    assert not await records.is_reading_due(desk.scope, desk.session_id)

    clock.advance(timedelta(minutes=10).total_seconds())
    assert await records.is_reading_due(desk.scope, desk.session_id)
    asked_at = records.now()
    await tell(desk, records, Read(group_of(Participant(ANA, Role.OWNER), Participant(ME), subject="Bridge")))
    await records.finish_reading(desk.scope, desk.session_id, 0, [GROUP], asked_at)
    assert [(event.type, event.chat_jid) for event in await news(desk)] == [
        ("group.updated", GROUP),
        ("group.participants_removed", GROUP),
        ("group.left", OTHER),
    ]
    assert {event.data["source"] for event in await news(desk)} == {"READING"}


async def test_what_was_told_since_the_question_counts_more(
    desk: Desk, records: GroupRecords, clock: ManualClock
) -> None:
    asked_at = records.now()
    clock.advance(1)
    await tell(desk, records, Entered(group_of()), "N1")
    await records.finish_reading(desk.scope, desk.session_id, 0, [], asked_at)
    assert await types(desk) == ["group.joined"]


async def test_a_gateway_that_lost_the_session_writes_nothing(desk: Desk, records: GroupRecords) -> None:
    told = GroupChange(GROUP, Entered(group_of()), desk.context.clock(), "N1")
    for session_id, fence, code in ((desk.session_id, 7, "STALE_FENCE"), ("nothing", 0, "NOT_FOUND")):
        with pytest.raises(PonteError) as refusal:
            await records.record(desk.scope, session_id, fence, told)
        assert refusal.value.code.name == code
    assert await types(desk) == []


async def test_groups_are_a_companys_own(desk: Desk, make: Factories) -> None:
    await known_group(desk.context, desk.scope, desk.session_id)
    stranger = await make.company("Other")
    async with desk.context.database.reading(stranger) as tx:
        assert await group_store.find(tx, stranger, desk.session_id, GROUP) is None
        assert await group_store.find_sessions(tx, stranger, GROUP, 2) == []


async def test_a_thousand_participants_are_stored_and_compared(desk: Desk, records: GroupRecords) -> None:
    people = tuple(
        Participant(ContactId(f"55119{number:08}@s.whatsapp.net", f"{number}@lid"))
        for number in range(1, 1001)
    )
    group = group_of(*people)
    await tell(desk, records, Entered(group), "N1")
    await tell(desk, records, Read(replace(group, participants=people[1:])))
    [event] = (await news(desk))[1:]
    assert event.type == "group.participants_removed"
    assert len(await roles(desk)) == 999


async def test_a_deleted_group_stays_to_be_read(desk: Desk, records: GroupRecords) -> None:
    await tell(desk, records, Entered(group_of()), "N1")
    await tell(desk, records, Deleted(), "N2")
    assert (await news(desk))[-1].data["reason"] == "deleted"
    assert len(await roles(desk)) == 3
