"""Groups for tests: as WhatsApp describes them, and as a session knows them."""

from dataclasses import replace

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.group import Group, GroupSettings, Participant, Role, SessionGroup
from orchestrator.domain.group.changes import Entered, GroupChange
from orchestrator.domain.jid import ContactId
from orchestrator.services.context import Context
from orchestrator.services.group_records import GroupRecords

GROUP = "120363000000000001@g.us"
ME = ContactId("5511900000001@s.whatsapp.net", "95511900000001@lid")
"""The number of `Factories.linked_session`."""
ANA = ContactId("5511911111111@s.whatsapp.net", "911@lid")
BOB = ContactId("5511922222222@s.whatsapp.net", "922@lid")
EVA = ContactId("5511933333333@s.whatsapp.net", "933@lid")

SETTINGS = GroupSettings("Ponte", "About", False, False, True, False, 0)


def group_of(*participants: Participant, jid: str = GROUP, subject: str = "Ponte") -> Group:
    """A group of Ana's with these participants; with Ana, ourselves and Bob where none are given."""
    people = participants or (Participant(ANA, Role.OWNER), Participant(BOB), Participant(ME))
    settings = replace(SETTINGS, subject=subject)
    return Group(jid, settings, owner=ANA, participants=people, size=len(people))


async def known_group(
    context: Context, scope: CompanyScope, session_id: str, group: Group | None = None
) -> SessionGroup:
    """Let a session's number be in a group."""
    group = group or group_of()
    change = GroupChange(group.jid, Entered(group), context.clock(), author=ANA)
    stored = await GroupRecords(context).record(scope, session_id, None, change)
    assert stored is not None
    return stored
