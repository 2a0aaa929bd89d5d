"""What became of a session's messages, counted."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from orchestrator.domain.company import CompanyScope
from orchestrator.store import policy, policy_outcomes
from orchestrator.store.database import Database
from orchestrator.store.models import SessionRow
from orchestrator.store.policy import SendKind, SentAt
from tests.support.clock import ManualClock
from tests.support.factories import Factories

HOUR = timedelta(hours=1)


@dataclass
class Ledger:
    """One session's messages with their attempts."""

    database: Database
    make: Factories
    scope: CompanyScope
    session: SessionRow
    now: datetime

    async def sent(self, ago: timedelta, status: str, *, delivered: bool = False, tries: int = 1) -> None:
        """A message whose last attempt was so long ago, the ones before an hour before each other."""
        at = self.now - ago
        message = await self.make.message(
            self.scope, self.session, status=status, delivered_at=at if delivered else None
        )
        attempts = [
            SentAt(message.id, at - earlier * HOUR, SendKind.OTHER) for earlier in reversed(range(tries))
        ]
        async with self.database.transaction(self.scope) as tx:
            for attempt in attempts:
                await policy.note_sends(tx, self.scope, self.session.id, [attempt])

    async def finished(self, since: datetime | None = None, most: int = 50) -> tuple[int, int]:
        async with self.database.reading(self.scope) as tx:
            return await policy_outcomes.count_finished(tx, self.scope, self.session.id, since, most)

    async def delivered(self, old: timedelta, since: datetime | None = None) -> tuple[int, int]:
        async with self.database.reading(self.scope) as tx:
            return await policy_outcomes.count_delivered(
                tx, self.scope, self.session.id, since, self.now - old
            )


@pytest.fixture
async def ledger(database: Database, make: Factories, clock: ManualClock) -> Ledger:
    scope = await make.company()
    return Ledger(database, make, scope, await make.linked_session(scope), clock())


async def test_nothing_sent_is_nothing_counted(ledger: Ledger) -> None:
    assert await ledger.finished() == (0, 0)
    assert await ledger.delivered(HOUR) == (0, 0)


async def test_what_is_sent_or_failed_for_good_counts_and_nothing_that_may_still_change(
    ledger: Ledger,
) -> None:
    for status in ("SENT", "DELIVERED", "READ", "PLAYED", "FAILED", "FAILED"):
        await ledger.sent(HOUR, status)
    for status in ("QUEUED", "SENDING", "CANCELLED"):
        await ledger.sent(HOUR, status)
    assert await ledger.finished() == (6, 2)


async def test_a_message_counts_once_however_often_it_was_tried(ledger: Ledger) -> None:
    await ledger.sent(HOUR, "FAILED", tries=4)
    await ledger.sent(HOUR, "SENT", tries=2)
    assert await ledger.finished() == (2, 1)


async def test_the_newest_count_where_there_are_many(ledger: Ledger) -> None:
    for hours in (9, 8, 7):
        await ledger.sent(hours * HOUR, "FAILED")
    for hours in (3, 2, 1):
        await ledger.sent(hours * HOUR, "SENT")
    await ledger.sent(4 * HOUR, "FAILED", tries=9)
    assert await ledger.finished(most=4) == (4, 1)
    assert await ledger.finished() == (7, 4)
    assert await ledger.finished(since=ledger.now - 4 * HOUR) == (3, 0), "after it, not at it"


async def test_deliveries_are_counted_of_old_messages_that_left(ledger: Ledger) -> None:
    await ledger.sent(7 * HOUR, "SENT")
    await ledger.sent(7 * HOUR, "DELIVERED", delivered=True)
    await ledger.sent(6 * HOUR, "READ", delivered=True)
    await ledger.sent(5 * HOUR, "SENT")
    await ledger.sent(7 * HOUR, "FAILED")
    await ledger.sent(3 * 24 * HOUR + 7 * HOUR, "SENT")
    assert await ledger.delivered(6 * HOUR) == (3, 2)
    assert await ledger.delivered(6 * HOUR, since=ledger.now - 6.5 * HOUR) == (1, 1)


async def test_another_session_and_another_company_count_for_nobody_else(
    ledger: Ledger, make: Factories
) -> None:
    other = await make.linked_session(ledger.scope, phone_number="+5511900000077")
    stranger = await make.company("Other")
    theirs = await make.linked_session(stranger, phone_number="+5511900000078")
    for scope, session in ((ledger.scope, other), (stranger, theirs)):
        await Ledger(ledger.database, make, scope, session, ledger.now).sent(7 * HOUR, "FAILED")
    assert await ledger.finished() == (0, 0)
    async with ledger.database.reading(stranger) as tx:
        found = await policy_outcomes.count_finished(tx, stranger, ledger.session.id, None, 50)
    assert found == (0, 0)
    assert await ledger.delivered(HOUR) == (0, 0)
