"""The people in a change, found and replaced: their other names are filled in before it is applied."""

from collections.abc import Mapping
from dataclasses import replace

from orchestrator.domain.group.changes import (
    Entered,
    GroupChange,
    JoinRequestsChanged,
    ParticipantsChanged,
    Read,
)
from orchestrator.domain.group.group import Group, Participant
from orchestrator.domain.jid import ContactId


def people_of(told: GroupChange) -> list[ContactId]:
    """Everybody whom a change names."""
    people = [told.author]
    match told.change:
        case Read(group=group) | Entered(group=group):
            people += [group.owner, *(one.contact for one in group.participants)]
        case ParticipantsChanged(participants=participants):
            people += [one.contact for one in participants]
        case JoinRequestsChanged(contacts=contacts):
            people += contacts
    return [contact for contact in people if contact.jid]


def with_people(told: GroupChange, names: Mapping[ContactId, ContactId]) -> GroupChange:
    """The change with its people as they are in `names`; who is not there stays."""

    def named(contact: ContactId) -> ContactId:
        return names.get(contact, contact)

    def all_named(participants: tuple[Participant, ...]) -> tuple[Participant, ...]:
        return tuple(replace(one, contact=named(one.contact)) for one in participants)

    def group_named(group: Group) -> Group:
        return replace(group, owner=named(group.owner), participants=all_named(group.participants))

    change = told.change
    match change:
        case Read(group=group) | Entered(group=group):
            change = replace(change, group=group_named(group))
        case ParticipantsChanged(participants=participants):
            change = replace(change, participants=all_named(participants))
        case JoinRequestsChanged(contacts=contacts):
            change = replace(change, contacts=tuple(named(contact) for contact in contacts))
    return replace(told, author=named(told.author), change=change)
