"""Groups as a company's sessions know them, with their participants."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, Table, bindparam, delete, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.group import Group, GroupSettings, KnownGroup, Participant, Role, SessionGroup
from orchestrator.domain.jid import ContactId
from orchestrator.domain.page import Page, PageRequest
from orchestrator.store.database import Transaction
from orchestrator.store.id_lists import padded
from orchestrator.store.json_text import dump_json
from orchestrator.store.models import ChatGroupParticipantRow, ChatGroupRow, GroupReadingRow, SessionRow
from orchestrator.store.paging import after_token, page_of

_groups: Table = ChatGroupRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_people: Table = ChatGroupParticipantRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_readings: Table = GroupReadingRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_sessions: Table = SessionRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it

_DELETE_PEOPLE = delete(_people).where(
    _people.c.company_id == bindparam("b_company"),
    _people.c.group_id == bindparam("b_group"),
    _people.c.name == bindparam("b_name"),
)


async def find(tx: Transaction, scope: CompanyScope, session_id: str, group_jid: str) -> SessionGroup | None:
    """Look a session's group up, with its participants."""
    here = (_groups.c.session_id == session_id, _groups.c.group_jid == group_jid)
    return await _one(tx, scope, _visible(scope).where(*here))


async def find_by_id(tx: Transaction, scope: CompanyScope, group_id: str) -> SessionGroup | None:
    """Look a group up by its id in storage, with its participants."""
    return await _one(tx, scope, _visible(scope).where(_groups.c.id == group_id))


async def find_sessions(
    tx: Transaction, scope: CompanyScope, group_jid: str, limit: int
) -> Sequence[tuple[str, bool]]:
    """The sessions of the company that know a group, as (session id, is in it): members first, at most `limit`."""
    query = (
        _visible(scope)
        .where(_groups.c.group_jid == group_jid)
        .order_by(_groups.c.is_member.desc(), _groups.c.id)
        .limit(limit)
    )
    return [(row.session_id, row.is_member) for row in await tx.connection.execute(query)]


async def find_many(
    tx: Transaction, scope: CompanyScope, session_ids: Collection[str], group_jids: Collection[str]
) -> Mapping[tuple[str, str], SessionGroup]:
    """Those of these groups that these sessions know, by session id and jid.

    Of their participants only the session's own number is given, for its role.
    """
    query = _visible(scope).where(
        _groups.c.session_id.in_(padded(session_ids)), _groups.c.group_jid.in_(padded(group_jids))
    )
    rows = (await tx.connection.execute(query)).all()
    mine = await _own_participants(tx, scope, rows) if rows else {}
    return {(row.session_id, row.group_jid): _to_group(row, mine.get(row.id, ())) for row in rows}


async def find_role(
    tx: Transaction, scope: CompanyScope, session_id: str, group_jid: str, contact: ContactId
) -> Role:
    """What somebody is in a session's group, as far as is known; NONE for who is not in it."""
    names = [name for name in (contact.lid_jid, contact.pn_jid) if name]
    query = (
        select(_people.c.role)
        .join(_groups, _groups.c.id == _people.c.group_id)
        .where(
            _groups.c.company_id == scope.company_id,
            _groups.c.session_id == session_id,
            _groups.c.group_jid == group_jid,
            or_(_people.c.lid_jid.in_(names), _people.c.pn_jid.in_(names)),
        )
        .limit(1)
    )
    role = (await tx.connection.execute(query)).scalar_one_or_none()
    return Role(role) if role else Role.NONE


async def own_names(tx: Transaction, scope: CompanyScope, session_id: str) -> ContactId:
    """The names of a session's number; empty where none is linked."""
    query = select(_sessions.c.pn_jid, _sessions.c.lid_jid).where(
        _sessions.c.company_id == scope.company_id, _sessions.c.id == session_id
    )
    row = (await tx.connection.execute(query)).one_or_none()
    return ContactId(row.pn_jid, row.lid_jid) if row else ContactId()


async def list_page(
    tx: Transaction, scope: CompanyScope, session_id: str, page: PageRequest, *, include_left: bool
) -> Page[SessionGroup]:
    """The company's groups, newest known first; of all sessions where none is named.

    Of their participants only the session's own number is given, for its role.
    """
    query = _visible(scope)
    if session_id:
        query = query.where(_groups.c.session_id == session_id)
    if not include_left:
        query = query.where(_groups.c.is_member)
    rows = (await tx.connection.execute(after_token(query, _groups.c.id, page))).all()
    mine = await _own_participants(tx, scope, rows)
    return page_of([_to_group(row, mine.get(row.id, ())) for row in rows], page, lambda group: group.id)


async def list_member_jids(
    tx: Transaction, scope: CompanyScope, session_id: str, unchanged_since: datetime
) -> list[str]:
    """The groups that a session's number is in, but those about which something was told since then."""
    query = select(_groups.c.group_jid).where(
        _groups.c.company_id == scope.company_id,
        _groups.c.session_id == session_id,
        _groups.c.is_member,
        _groups.c.updated_at < unchanged_since,
    )
    return list((await tx.connection.execute(query)).scalars())


async def save(
    tx: Transaction, scope: CompanyScope, before: SessionGroup | None, after: SessionGroup, now: datetime
) -> None:
    """Store a group in the place of what was stored before; of its participants only what is another is written."""
    values = _to_values(scope, after, now)
    if before is None:
        await tx.connection.execute(insert(_groups).values(values))
    else:
        here = (_groups.c.company_id == scope.company_id, _groups.c.id == after.id)
        await tx.connection.execute(update(_groups).where(*here).values(values))
    await _save_participants(tx, scope, before, after)


async def last_reading(tx: Transaction, scope: CompanyScope, session_id: str) -> datetime | None:
    """When all groups of a session were read last; None for never."""
    query = select(_readings.c.read_at).where(
        _readings.c.company_id == scope.company_id, _readings.c.session_id == session_id
    )
    return (await tx.connection.execute(query)).scalar_one_or_none()


async def note_reading(tx: Transaction, scope: CompanyScope, session_id: str, now: datetime) -> None:
    """All groups of a session were read."""
    make = sqlite.insert if tx.dialect == "sqlite" else postgresql.insert
    row = {"session_id": session_id, "company_id": scope.company_id, "read_at": now}
    statement = make(_readings).values(row)
    await tx.connection.execute(
        statement.on_conflict_do_update(index_elements=["session_id"], set_={"read_at": now})
    )


async def _one(tx: Transaction, scope: CompanyScope, query: Select[Any]) -> SessionGroup | None:
    row = (await tx.connection.execute(query)).one_or_none()
    if row is None:
        return None
    return _to_group(row, (await _participants(tx, scope, [row.id])).get(row.id, ()))


def _visible(scope: CompanyScope) -> Select[Any]:
    return (
        select(_groups, _sessions.c.pn_jid.label("my_pn"), _sessions.c.lid_jid.label("my_lid"))
        .join(_sessions, _sessions.c.id == _groups.c.session_id)
        .where(_groups.c.company_id == scope.company_id, _sessions.c.deleted_at.is_(None))
    )


async def _participants(
    tx: Transaction, scope: CompanyScope, group_ids: Sequence[str]
) -> Mapping[str, Sequence[Participant]]:
    query = (
        select(_people)
        .where(_people.c.company_id == scope.company_id, _people.c.group_id.in_(group_ids))
        .order_by(_people.c.name)
    )
    return _by_group(await tx.connection.execute(query))


async def _own_participants(
    tx: Transaction, scope: CompanyScope, rows: Sequence[Row[Any]]
) -> Mapping[str, Sequence[Participant]]:
    names = {name for row in rows for name in (row.my_pn, row.my_lid) if name}
    query = select(_people).where(
        _people.c.company_id == scope.company_id,
        _people.c.group_id.in_([row.id for row in rows]),
        _people.c.name.in_(names),
    )
    return _by_group(await tx.connection.execute(query))


def _by_group(rows: Any) -> Mapping[str, Sequence[Participant]]:
    found: dict[str, list[Participant]] = {}
    for row in rows:
        participant = Participant(ContactId(row.pn_jid, row.lid_jid), Role(row.role))
        found.setdefault(row.group_id, []).append(participant)
    return {
        group_id: sorted(participants, key=lambda one: -one.role.rank)
        for group_id, participants in found.items()
    }


async def _save_participants(
    tx: Transaction, scope: CompanyScope, before: SessionGroup | None, after: SessionGroup
) -> None:
    old = _by_name(before.known.group.participants if before else ())
    new = _by_name(after.known.group.participants)
    gone = [name for name in old if new.get(name) != old[name]]
    come = [name for name in new if new[name] != old.get(name)]
    if gone:
        keys = [{"b_company": scope.company_id, "b_group": after.id, "b_name": name} for name in gone]
        await tx.connection.execute(_DELETE_PEOPLE, keys)
    if come:
        rows = [
            {
                "group_id": after.id,
                "name": name,
                "company_id": scope.company_id,
                "pn_jid": new[name].contact.pn_jid,
                "lid_jid": new[name].contact.lid_jid,
                "role": new[name].role.value,
            }
            for name in come
        ]
        await tx.connection.execute(insert(_people), rows)


def _by_name(participants: Sequence[Participant]) -> dict[str, Participant]:
    return {one.contact.lid_jid or one.contact.pn_jid: one for one in participants}


def _to_values(scope: CompanyScope, stored: SessionGroup, now: datetime) -> dict[str, object]:
    known, group = stored.known, stored.known.group
    settings = {
        name: value
        for name in GroupSettings.__dataclass_fields__
        if (value := getattr(group.settings, name)) is not None
    }
    return {
        "id": stored.id,
        "company_id": scope.company_id,
        "session_id": stored.session_id,
        "group_jid": group.jid,
        "settings": dump_json(settings),
        "owner_pn_jid": group.owner.pn_jid,
        "owner_lid_jid": group.owner.lid_jid,
        "created_at": group.created_at,
        "community_jid": group.community_jid,
        "is_community": group.is_community,
        "size": group.size,
        "is_member": known.is_member,
        "stale": known.stale,
        "seen": dump_json(known.seen),
        "read_at": known.read_at,
        "updated_at": now,
    }


def _to_group(row: Row[Any], participants: Sequence[Participant]) -> SessionGroup:
    group = Group(
        jid=row.group_jid,
        settings=GroupSettings(**json.loads(row.settings)),
        owner=ContactId(row.owner_pn_jid, row.owner_lid_jid),
        created_at=row.created_at,
        community_jid=row.community_jid,
        is_community=row.is_community,
        participants=tuple(participants),
        size=row.size,
    )
    known = KnownGroup(group, row.is_member, row.stale, tuple(json.loads(row.seen or "[]")), row.read_at)
    return SessionGroup(row.id, row.session_id, known, ContactId(row.my_pn, row.my_lid))
