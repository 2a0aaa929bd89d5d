"""A group as WhatsApp describes it, and as one of the company's numbers knows it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from orchestrator.domain.jid import ContactId


class Role(StrEnum):
    """What somebody is in a group. NONE is this number once it is not in the group any more."""

    NONE = "NONE"
    MEMBER = "MEMBER"
    ADMIN = "ADMIN"
    OWNER = "OWNER"

    @property
    def rank(self) -> int:
        """Higher for who may do more."""
        return list(Role).index(self)


ADMINS = frozenset({Role.ADMIN, Role.OWNER})
"""Who may do what others may not."""


@dataclass(frozen=True, slots=True)
class Participant:
    """Somebody in a group."""

    contact: ContactId
    role: Role = Role.MEMBER


@dataclass(frozen=True, slots=True)
class GroupSettings:
    """What admins set. None is not told, or not to be changed; times are seconds, 0 for never."""

    subject: str | None = None
    description: str | None = None
    only_admins_send: bool | None = None
    only_admins_edit: bool | None = None
    only_admins_add: bool | None = None
    join_approval: bool | None = None
    disappearing_s: int | None = None


NO_GROUP_SETTINGS = GroupSettings()


@dataclass(frozen=True, slots=True)
class Group:
    """A group. `size` may be more than its participants where WhatsApp tells the number alone, as for an invite."""

    jid: str
    settings: GroupSettings = NO_GROUP_SETTINGS
    owner: ContactId = ContactId()
    created_at: datetime | None = None
    community_jid: str = ""
    is_community: bool = False
    participants: tuple[Participant, ...] = ()
    size: int = 0


@dataclass(frozen=True, slots=True)
class KnownGroup:
    """A group as one of the company's numbers knows it.

    `stale`: something happened that only WhatsApp can tell: read it anew. `seen` are the newest notifications that were
    taken in, by which one that comes again is recognised. `read_at`: when it was last read as a whole.
    """

    group: Group
    is_member: bool = True
    stale: bool = False
    seen: tuple[str, ...] = ()
    read_at: datetime | None = None

    def role_of(self, me: ContactId) -> Role:
        """What this number is in the group."""
        if not self.is_member:
            return Role.NONE
        mine = find_participant(self.group.participants, me)
        return mine.role if mine else Role.MEMBER


@dataclass(frozen=True, slots=True)
class SessionGroup:
    """A group that a session's number is or was in. `me` are the number's names; `id` is of storage alone."""

    id: str
    session_id: str
    known: KnownGroup
    me: ContactId = ContactId()

    @property
    def jid(self) -> str:
        """The group's jid."""
        return self.known.group.jid

    @property
    def role(self) -> Role:
        """What the number is in the group."""
        return self.known.role_of(self.me)


def is_same_person(one: ContactId, other: ContactId) -> bool:
    """Tell whether two contacts share a name."""
    shares_lid = bool(one.lid_jid) and one.lid_jid == other.lid_jid
    return shares_lid or (bool(one.pn_jid) and one.pn_jid == other.pn_jid)


def find_participant(participants: Iterable[Participant], contact: ContactId) -> Participant | None:
    """The participant who shares a name with a contact."""
    return next((one for one in participants if is_same_person(one.contact, contact)), None)


class ParticipantIndex:
    """Participants by each of their names: groups have up to a thousand, and are compared as a whole."""

    def __init__(self, participants: Iterable[Participant]) -> None:
        self._by_name: dict[str, Participant] = {}
        for participant in participants:
            for name in (participant.contact.lid_jid, participant.contact.pn_jid):
                if name:
                    self._by_name[name] = participant

    def find(self, contact: ContactId) -> Participant | None:
        """The participant who shares a name with a contact; the lid counts first."""
        return self._by_name.get(contact.lid_jid) or self._by_name.get(contact.pn_jid)
