"""What becomes of groups: each change recorded with its events, and what a reading of all groups has and lacks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from orchestrator.domain import errors
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError, not_found
from orchestrator.domain.group import SessionGroup
from orchestrator.domain.group.changes import Gone, GroupChange, Read, apply_change
from orchestrator.domain.group.people import people_of, with_people
from orchestrator.domain.ids import make_id
from orchestrator.domain.jid import ContactId
from orchestrator.services.contacts import ContactBook, Sighting
from orchestrator.services.context import Context
from orchestrator.services.group_events import group_event
from orchestrator.store import events as event_store
from orchestrator.store import groups as group_store
from orchestrator.store import sessions
from orchestrator.store.database import Transaction
from orchestrator.store.messages import lock_company

READ_AGAIN_AFTER = timedelta(minutes=10)
"""WhatsApp keeps what it has to tell until it is recorded, so reading all groups is for what it did not tell."""


@dataclass(frozen=True, slots=True)
class _Told:
    session_id: str
    fence: int | None
    change: GroupChange


class GroupRecords:
    """Takes in what WhatsApp tells of groups."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._book = ContactBook(context)

    async def record(
        self, scope: CompanyScope, session_id: str, fence: int | None, change: GroupChange
    ) -> SessionGroup | None:
        """Make a change durable with its events; one that was told before changes nothing. Gives the group afterwards.

        `fence` is that of the gateway that heard it; None for what this API did itself.
        Raises PonteError: STALE_FENCE where another gateway holds the session now, NOT_FOUND.
        """
        told = _Told(session_id, fence, change)

        async def work(tx: Transaction) -> SessionGroup | None:
            return await self._record(tx, scope, told)

        return await self._context.database.shared_transaction(scope, work)

    async def is_reading_due(self, scope: CompanyScope, session_id: str) -> bool:
        """Tell whether all groups of a session are to be read, after it has connected."""
        async with self._context.database.reading(scope) as tx:
            last = await group_store.last_reading(tx, scope, session_id)
        return last is None or self._context.clock() - last >= READ_AGAIN_AFTER

    def now(self) -> datetime:
        """The time, as changes are stamped with it."""
        return self._context.clock()

    def pause_s(self, between: tuple[float, float]) -> float:
        """How long to wait until a reading: at random, so that many sessions do not ask at once."""
        return self._context.rng.uniform(*between)

    async def finish_reading(
        self, scope: CompanyScope, session_id: str, fence: int, group_jids: Sequence[str], asked_at: datetime
    ) -> None:
        """All groups of a session were read; those that are not among `group_jids` were left without a word.

        What was told of a group since `asked_at` counts more. Raises as `record`.
        """

        async def list_gone(tx: Transaction) -> list[str]:
            known = await group_store.list_member_jids(tx, scope, session_id, asked_at)
            return sorted(set(known) - set(group_jids))

        for jid in await self._context.database.shared_transaction(scope, list_gone):
            await self.record(scope, session_id, fence, GroupChange(jid, Gone(), self.now()))

        async def note(tx: Transaction) -> None:
            await group_store.note_reading(tx, scope, session_id, self.now())

        await self._context.database.shared_transaction(scope, note)

    async def _record(self, tx: Transaction, scope: CompanyScope, told: _Told) -> SessionGroup | None:
        await lock_company(tx, scope)
        record = await sessions.find_record(tx, scope, told.session_id)
        if record is None:
            raise not_found()
        if told.fence is not None and record.fence != told.fence:
            raise PonteError(errors.STALE_FENCE)
        before = await group_store.find(tx, scope, told.session_id, told.change.group_jid)
        change = await self._complete(tx, scope, told, before)
        applied = apply_change(before.known if before else None, change, record.session.me)
        if applied.known is None:
            return None
        now = self._context.clock()
        group_id = before.id if before else make_id(now, self._context.rng)
        after = SessionGroup(group_id, told.session_id, applied.known, record.session.me)
        if before is None or after.known != before.known:
            await group_store.save(tx, scope, before, after, now)
        if applied.news:
            news = [group_event(one, change, after) for one in applied.news]
            await event_store.append(tx, scope, news, now, self._context.rng)

            async def ring() -> None:
                await self._context.bells.events_recorded(scope)

            tx.after_commit(ring)
        return after

    async def _complete(
        self, tx: Transaction, scope: CompanyScope, told: _Told, before: SessionGroup | None
    ) -> GroupChange:
        """The change with both names of its people where they are known, and whether it is of a first reading."""
        change = told.change
        if isinstance(change.change, Read):
            is_first = await group_store.last_reading(tx, scope, told.session_id) is None
            change = replace(change, change=replace(change.change, is_first=is_first))
        known = {one.contact for one in before.known.group.participants} if before else set[ContactId]()
        strangers = [contact for contact in dict.fromkeys(people_of(change)) if contact not in known]
        if not strangers:
            return change
        learnt = await self._book.learn(tx, scope, [Sighting(contact) for contact in strangers])
        return with_people(change, dict(zip(strangers, learnt, strict=True)))
