"""What WhatsApp tells of a group, applied to what is known of it: the group afterwards, and what is news.

Only a difference is news. So what comes twice, or was read before it was told, is told once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from orchestrator.domain.events import EventType
from orchestrator.domain.group.group import (
    Group,
    GroupSettings,
    KnownGroup,
    Participant,
    ParticipantIndex,
    Role,
    find_participant,
    is_same_person,
)
from orchestrator.domain.jid import ContactId

_REMEMBERED_NOTIFICATIONS = 20
_HEARD_OF_TWICE_WITHIN_S = 60
"""WhatsApp may tell a number of what it did itself, before or after it has answered."""


class ParticipantAction(StrEnum):
    """What is done to participants."""

    ADD = "ADD"
    REMOVE = "REMOVE"
    PROMOTE = "PROMOTE"
    DEMOTE = "DEMOTE"


class JoinRequestState(StrEnum):
    """CREATED waits for an admin; REVOKED was taken back, REJECTED refused."""

    CREATED = "CREATED"
    REVOKED = "REVOKED"
    REJECTED = "REJECTED"


class LeftReason(StrEnum):
    """Why this number is not in a group any more. FOUND: a reading of all groups did not have it."""

    LEFT = "left"
    REMOVED = "removed"
    DELETED = "deleted"
    FOUND = "found"


@dataclass(frozen=True, slots=True)
class Read:
    """WhatsApp's answer about the whole group. `is_first`: this number's groups were never read before."""

    group: Group
    is_first: bool = False


@dataclass(frozen=True, slots=True)
class Entered:
    """This number came into the group, or made it."""

    group: Group


@dataclass(frozen=True, slots=True)
class ParticipantsChanged:
    """Somebody came, went, or is another than before."""

    action: ParticipantAction
    participants: tuple[Participant, ...]


@dataclass(frozen=True, slots=True)
class SettingsChanged:
    """Some settings are others."""

    settings: GroupSettings


@dataclass(frozen=True, slots=True)
class JoinRequestsChanged:
    """Somebody wants to be let in, or does not any more."""

    state: JoinRequestState
    contacts: tuple[ContactId, ...]
    method: str = ""


@dataclass(frozen=True, slots=True)
class InviteRevoked:
    """The invite link is another; its code is a key, and is not kept."""


@dataclass(frozen=True, slots=True)
class PictureChanged:
    """The picture is another, or was removed."""

    removed: bool = False


@dataclass(frozen=True, slots=True)
class Deleted:
    """There is no such group any more."""


@dataclass(frozen=True, slots=True)
class Gone:
    """A reading of all groups did not have it."""


@dataclass(frozen=True, slots=True)
class UnknownChange:
    """Something that only reading the group can tell."""

    name: str = ""


Change = (
    Read
    | Entered
    | ParticipantsChanged
    | SettingsChanged
    | JoinRequestsChanged
    | InviteRevoked
    | PictureChanged
    | Deleted
    | Gone
    | UnknownChange
)


@dataclass(frozen=True, slots=True)
class GroupChange:
    """A change as it was told; `notification_id` is empty for what was asked for, `author` for what nobody said."""

    group_jid: str
    change: Change
    at: datetime
    notification_id: str = ""
    author: ContactId = ContactId()


@dataclass(frozen=True, slots=True)
class GroupNews:
    """What becomes an event. `changes` are the settings that are others, by name, as (before, after)."""

    type: EventType
    participants: tuple[Participant, ...] = ()
    changes: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    detail: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Applied:
    """The group afterwards (None while it was never read), and what is news."""

    known: KnownGroup | None
    news: tuple[GroupNews, ...] = ()


def apply_change(known: KnownGroup | None, told: GroupChange, me: ContactId) -> Applied:
    """Take in a change. `me` are the names of the number that it was told to."""
    if known is not None and told.notification_id and told.notification_id in known.seen:
        return Applied(known)
    mark = _mark(told, me)
    if known is not None and mark is not None and (other := _counterpart(known, mark)):
        others = tuple(one for one in known.seen if one != other)
        return Applied(replace(known, seen=_remembering(others, told.notification_id)))
    applied = _apply(known, told, me)
    if applied.known is None:
        return applied
    seen = _remembering(applied.known.seen, told.notification_id, str(mark) if mark else "")
    return replace(applied, known=replace(applied.known, seen=seen))


@dataclass(frozen=True, slots=True)
class _Mark:
    """Stands in `seen` for something that this number did itself and that no state tells.

    It is heard of twice, in any order: ASKED for here, and TOLD by WhatsApp. The second time is no news.
    """

    kind: str
    side: str
    at_s: int

    def __str__(self) -> str:
        return f"{self.side} {self.kind} {self.at_s}"


def _mark(told: GroupChange, me: ContactId) -> _Mark | None:
    is_stateless = isinstance(told.change, InviteRevoked | PictureChanged)
    if not is_stateless or not is_same_person(told.author, me):
        return None
    side = "TOLD" if told.notification_id else "ASKED"
    return _Mark(type(told.change).__name__, side, round(told.at.timestamp()))


def _counterpart(known: KnownGroup, mark: _Mark) -> str:
    """The other side's mark of the same deed; empty where it was not heard of before."""
    for one in known.seen:
        side, _, rest = one.partition(" ")
        kind, _, at_s = rest.partition(" ")
        is_other = side in ("ASKED", "TOLD") and side != mark.side and kind == mark.kind
        if is_other and abs(int(at_s) - mark.at_s) <= _HEARD_OF_TWICE_WITHIN_S:
            return one
    return ""


def _remembering(seen: Sequence[str], *more: str) -> tuple[str, ...]:
    return (*seen, *filter(None, more))[-_REMEMBERED_NOTIFICATIONS:]


def _apply(known: KnownGroup | None, told: GroupChange, me: ContactId) -> Applied:
    match told.change:
        case Read(group=group, is_first=is_first):
            return _read(known, group, told, me, announced=not is_first)
        case Entered(group=group):
            return _read(known, group, told, me, announced=True)
        case ParticipantsChanged() as change:
            return _participants(known, change, told, me)
        case SettingsChanged(settings=settings):
            return _settings(known, settings, told)
        case JoinRequestsChanged() as change:
            return _told(known, told, _join_requests(change))
        case InviteRevoked():
            return _told(known, told, GroupNews(EventType.GROUP_UPDATED, detail={"invite_link": "revoked"}))
        case PictureChanged(removed=removed):
            detail = {"picture": "removed" if removed else "set"}
            return _told(known, told, GroupNews(EventType.GROUP_UPDATED, detail=detail))
        case Deleted():
            return _left(known, told, LeftReason.DELETED)
        case Gone():
            return _left(known, told, LeftReason.FOUND)
    return Applied(_stale(known, told))


def _read(
    known: KnownGroup | None, group: Group, told: GroupChange, me: ContactId, *, announced: bool
) -> Applied:
    seen = known.seen if known else ()
    after = KnownGroup(group, seen=seen, read_at=told.at)
    if known is not None and known.is_member and known.read_at is not None:
        return Applied(after, _difference(known.group, group))
    is_own = known is None and is_same_person(group.owner, me) and is_same_person(told.author, me)
    type_ = EventType.GROUP_CREATED if is_own else EventType.GROUP_JOINED
    # Of a member that was told of before it was ever read, joining is no news any more.
    is_news = announced and (known is None or not known.is_member)
    return Applied(after, (GroupNews(type_),) if is_news else ())


def _difference(before: Group, after: Group) -> tuple[GroupNews, ...]:
    news: list[GroupNews] = []
    if changes := settings_difference(before.settings, after.settings):
        news.append(GroupNews(EventType.GROUP_UPDATED, changes=changes))
    old, new = ParticipantIndex(before.participants), ParticipantIndex(after.participants)
    came = [one for one in after.participants if old.find(one.contact) is None]
    went = [one for one in before.participants if new.find(one.contact) is None]
    raised: list[Participant] = []
    lowered: list[Participant] = []
    for one in after.participants:
        earlier = old.find(one.contact)
        if earlier is None or earlier.role is one.role:
            continue
        (raised if one.role.rank > earlier.role.rank else lowered).append(one)
    for type_, participants in (
        (EventType.GROUP_PARTICIPANTS_ADDED, came),
        (EventType.GROUP_PARTICIPANTS_REMOVED, went),
        (EventType.GROUP_PARTICIPANTS_PROMOTED, raised),
        (EventType.GROUP_PARTICIPANTS_DEMOTED, lowered),
    ):
        if participants:
            news.append(GroupNews(type_, tuple(participants)))
    return tuple(news)


def settings_difference(before: GroupSettings, after: GroupSettings) -> dict[str, tuple[Any, Any]]:
    """The settings that `after` tells and that are others than before, by name."""
    found: dict[str, tuple[Any, Any]] = {}
    for name in (one.name for one in fields(GroupSettings)):
        old, new = getattr(before, name), getattr(after, name)
        if new is not None and new != old:
            found[name] = (old, new)
    return found


def _settings(known: KnownGroup | None, settings: GroupSettings, told: GroupChange) -> Applied:
    before = known.group.settings if known else GroupSettings()
    changes = settings_difference(before, settings)
    if not changes:
        return Applied(known)
    news = GroupNews(EventType.GROUP_UPDATED, changes=changes)
    if known is None:
        return Applied(_stale(known, told), (news,))
    after = replace(before, **{name: new for name, (_, new) in changes.items()})
    return Applied(replace(known, group=replace(known.group, settings=after)), (news,))


def _participants(
    known: KnownGroup | None, change: ParticipantsChanged, told: GroupChange, me: ContactId
) -> Applied:
    mine = find_participant(change.participants, me)
    if change.action is ParticipantAction.REMOVE and mine is not None:
        is_own = is_same_person(told.author, me)
        return _left(known, told, LeftReason.LEFT if is_own else LeftReason.REMOVED)
    if change.action is ParticipantAction.ADD and mine is not None:
        return _came_back(known, told)
    if known is None or known.read_at is None:
        # Nothing to compare with: what was told is the news.
        return Applied(_stale(known, told), (GroupNews(_EVENTS[change.action], change.participants),))
    after, affected = _changed(known.group.participants, change)
    if not affected:
        return Applied(known)
    group = replace(known.group, participants=after, size=len(after))
    return Applied(replace(known, group=group), (GroupNews(_EVENTS[change.action], affected),))


_EVENTS = {
    ParticipantAction.ADD: EventType.GROUP_PARTICIPANTS_ADDED,
    ParticipantAction.REMOVE: EventType.GROUP_PARTICIPANTS_REMOVED,
    ParticipantAction.PROMOTE: EventType.GROUP_PARTICIPANTS_PROMOTED,
    ParticipantAction.DEMOTE: EventType.GROUP_PARTICIPANTS_DEMOTED,
}


def _changed(
    before: Sequence[Participant], change: ParticipantsChanged
) -> tuple[tuple[Participant, ...], tuple[Participant, ...]]:
    """The participants afterwards, and those for whom something is another."""
    present = ParticipantIndex(before)
    if change.action is ParticipantAction.ADD:
        added = tuple(one for one in change.participants if present.find(one.contact) is None)
        return (*before, *added), added
    named = ParticipantIndex(change.participants)
    if change.action is ParticipantAction.REMOVE:
        removed = tuple(one for one in before if named.find(one.contact) is not None)
        return tuple(one for one in before if named.find(one.contact) is None), removed
    role = Role.ADMIN if change.action is ParticipantAction.PROMOTE else Role.MEMBER
    after: list[Participant] = []
    affected: list[Participant] = []
    for one in before:
        is_meant = named.find(one.contact) is not None and one.role not in (role, Role.OWNER)
        now = replace(one, role=role) if is_meant else one
        after.append(now)
        if is_meant:
            affected.append(now)
    return tuple(after), tuple(affected)


def _came_back(known: KnownGroup | None, told: GroupChange) -> Applied:
    if known is not None and known.is_member:
        return Applied(known)
    after = _stale(known, told)
    return Applied(replace(after, is_member=True), (GroupNews(EventType.GROUP_JOINED),))


def _left(known: KnownGroup | None, told: GroupChange, reason: LeftReason) -> Applied:
    if known is not None and not known.is_member:
        return Applied(known)
    after = replace(known or KnownGroup(Group(told.group_jid)), is_member=False, stale=False)
    return Applied(after, (GroupNews(EventType.GROUP_LEFT, detail={"reason": reason.value}),))


def _join_requests(change: JoinRequestsChanged) -> GroupNews:
    return GroupNews(
        EventType.GROUP_JOIN_REQUEST,
        tuple(Participant(contact, Role.NONE) for contact in change.contacts),
        detail={"state": change.state.value, "method": change.method},
    )


def _told(known: KnownGroup | None, told: GroupChange, news: GroupNews) -> Applied:
    """News that no state tells: a notification that comes again is recognised by its id."""
    return Applied(known or _stale(known, told), (news,))


def _stale(known: KnownGroup | None, told: GroupChange) -> KnownGroup:
    return replace(known, stale=True) if known else KnownGroup(Group(told.group_jid), stale=True)
