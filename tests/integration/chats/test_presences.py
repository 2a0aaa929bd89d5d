"""What contacts show becomes an event for each change."""

from datetime import timedelta

import pytest

from orchestrator.domain.events import Event
from orchestrator.domain.jid import ContactId
from orchestrator.domain.presence import Presence, ShownPresence
from orchestrator.services import presences as presences_module
from orchestrator.services.contacts import ContactBook, Sighting
from orchestrator.services.presences import PresenceService
from orchestrator.store import events
from tests.support.clock import START
from tests.support.desk import Desk

PN = "5511987654321@s.whatsapp.net"
LID = "777@lid"


def shown(presence: Presence, chat_jid: str = LID, **more: object) -> ShownPresence:
    return ShownPresence(chat_jid, ContactId(lid_jid=LID), presence, **more)  # type: ignore[arg-type]  # as it has them


async def told(desk: Desk) -> list[Event]:
    async with desk.context.database.reading(desk.scope) as tx:
        return await events.list_after(tx, desk.scope, 0, 100)


async def test_each_change_is_told_once_with_both_names(desk: Desk) -> None:
    async with desk.context.database.transaction(desk.scope) as tx:
        await ContactBook(desk.context).learn(tx, desk.scope, [Sighting(ContactId(PN, LID))])
    service = PresenceService(desk.context)
    for presence in (Presence.TYPING, Presence.TYPING, Presence.AVAILABLE, Presence.TYPING):
        await service.record(desk.scope, desk.session_id, shown(presence))
    recorded = await told(desk)
    assert {event.type for event in recorded} == {"contact.presence"}
    assert [event.data["presence"] for event in recorded] == ["TYPING", "AVAILABLE", "TYPING"]
    assert recorded[0].data == {
        "session_id": desk.session_id,
        "chat_jid": PN,
        "contact": {"phone_number": "+5511987654321", "jid": PN, "lid": LID},
        "presence": "TYPING",
    }


async def test_when_somebody_was_seen_last_is_told_where_it_is_shown(desk: Desk) -> None:
    service = PresenceService(desk.context)
    for seconds in (0, 5):
        seen = START + timedelta(seconds=seconds)
        await service.record(desk.scope, desk.session_id, shown(Presence.UNAVAILABLE, last_seen_at=seen))
    assert [event.data["last_seen_at"] for event in await told(desk)] == [
        "2026-01-05T12:00:00Z",
        "2026-01-05T12:00:05Z",
    ]


async def test_a_group_and_a_chat_are_told_apart(desk: Desk) -> None:
    service = PresenceService(desk.context)
    for chat_jid in (LID, "120363000000000000@g.us"):
        await service.record(desk.scope, desk.session_id, shown(Presence.TYPING, chat_jid))
    assert [event.data["chat_jid"] for event in await told(desk)] == [LID, "120363000000000000@g.us"]


async def test_what_is_remembered_is_bounded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presences_module, "_MOST_REMEMBERED", 1)
    service = PresenceService(desk.context)
    for chat_jid in (LID, "120363000000000000@g.us", LID):
        await service.record(desk.scope, desk.session_id, shown(Presence.TYPING, chat_jid))
    assert len(await told(desk)) == 3
    assert len(service._last) == 1
