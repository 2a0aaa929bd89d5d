"""The event log."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from random import Random

import pytest
from sqlalchemy import delete, event

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.events import EventType, NewEvent
from orchestrator.store import events
from orchestrator.store.database import Database, SystemScope, Transaction
from orchestrator.store.models import EventCounterRow
from tests.support.clock import ManualClock
from tests.support.factories import Factories

COUNTERS = EventCounterRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it


def sent(number: int = 0, session_id: str = "session") -> NewEvent:
    return NewEvent(EventType.MESSAGE_SENT, session_id, {"number": number}, "55119@s.whatsapp.net")


@pytest.fixture
async def scope(make: Factories) -> CompanyScope:
    return await make.company()


async def test_events_are_numbered_from_one_and_read_back_as_recorded(
    database: Database, scope: CompanyScope, clock: ManualClock, rng: Random
) -> None:
    new = [
        NewEvent(
            EventType.MESSAGE_RECEIVED, "session", {"text": "Olá 😀", "deep": {"list": [1, None]}}, "chat"
        ),
        NewEvent(EventType.SESSION_QR, "session", {}),
    ]
    async with database.transaction(scope) as tx:
        recorded = await events.append(tx, scope, new, clock(), rng)

    async with database.reading(scope) as tx:
        assert await events.list_after(tx, scope, 0, 10) == recorded
        assert await events.last_sequence(tx, scope) == 2
    assert [(item.sequence, item.type, item.data) for item in recorded] == [
        (1, "message.received", new[0].data),
        (2, "session.qr", {}),
    ]
    assert recorded[0].at == clock()


async def test_any_number_of_events_takes_two_statements(
    database: Database, scope: CompanyScope, clock: ManualClock, rng: Random
) -> None:
    statements: list[str] = []
    async with database.transaction(scope) as tx:

        def note(*arguments: object) -> None:
            statements.append(str(arguments[2]))

        connection = tx.connection.sync_connection
        event.listen(connection, "before_cursor_execute", note)
        await events.append(tx, scope, [sent(number) for number in range(500)], clock(), rng)
        event.remove(connection, "before_cursor_execute", note)

    assert len(statements) == 2


async def test_concurrent_writers_leave_no_gap_and_no_double(
    database: Database, make: Factories, clock: ManualClock, rng: Random
) -> None:
    scopes = [await make.company() for _ in range(3)]

    async def record(scope: CompanyScope, number: int) -> None:
        async def work(tx: Transaction) -> None:
            await events.append(tx, scope, [sent(number)] * (number % 3 + 1), clock(), rng)
            if number % 7 == 0:
                raise LookupError

        await database.shared_transaction(scope, work)

    await asyncio.gather(
        *(record(scope, number) for number in range(100) for scope in scopes), return_exceptions=True
    )

    expected = sum(number % 3 + 1 for number in range(100) if number % 7)
    for scope in scopes:
        async with database.reading(scope) as tx:
            listed = await events.list_after(tx, scope, 0, 1000)
        assert [item.sequence for item in listed] == list(range(1, expected + 1))


async def test_numbers_become_visible_in_their_order(
    database: Database, scope: CompanyScope, clock: ManualClock, rng: Random
) -> None:
    seen: list[int] = []
    writing = True

    async def write() -> None:
        nonlocal writing
        for number in range(60):
            async with database.transaction(scope) as tx:
                await events.append(tx, scope, [sent(number)], clock(), rng)
                await asyncio.sleep(0)
        writing = False

    async def read() -> None:
        while writing or len(seen) < 60:
            async with database.reading(scope) as tx:
                after = seen[-1] if seen else 0
                seen.extend(item.sequence for item in await events.list_after(tx, scope, after, 100))
            await asyncio.sleep(0)

    await asyncio.gather(write(), read())

    assert seen == list(range(1, 61))


async def test_a_company_sees_only_its_own(
    database: Database, make: Factories, clock: ManualClock, rng: Random
) -> None:
    mine, other = await make.company(), await make.company()
    async with database.transaction(other) as tx:
        await events.append(tx, other, [sent()], clock(), rng)

    async with database.reading(mine) as tx:
        assert await events.list_after(tx, mine, 0, 10) == []
        assert await events.last_sequence(tx, mine) == 0


async def test_a_missing_counter_is_made(
    database: Database, scope: CompanyScope, clock: ManualClock, rng: Random
) -> None:
    async with database.transaction(SystemScope()) as tx:
        await tx.connection.execute(delete(COUNTERS))

    async with database.transaction(scope) as tx:
        first = await events.append(tx, scope, [sent(), sent()], clock(), rng)
        second = await events.append(tx, scope, [sent()], clock(), rng)
    assert [item.sequence for item in first + second] == [1, 2, 3]


async def test_no_events_are_no_work(database: Database, clock: ManualClock, rng: Random) -> None:
    nowhere = CompanyScope("nowhere")
    async with database.transaction(nowhere) as tx:
        assert await events.append(tx, nowhere, [], clock(), rng) == []
        assert await events.last_sequence(tx, nowhere) == 0


async def test_a_list_can_be_of_types_and_of_a_session(
    database: Database, scope: CompanyScope, clock: ManualClock, rng: Random
) -> None:
    types = [EventType.MESSAGE_SENT, EventType.MESSAGE_READ, EventType.SESSION_CLOSED, EventType.SESSION_QR]
    async with database.transaction(scope) as tx:
        for session_id in ("one", "two"):
            await events.append(tx, scope, [NewEvent(type_, session_id, {}) for type_ in types], clock(), rng)

        async def listed(*patterns: str, after: int = 0, limit: int = 100, session_id: str = "") -> list[int]:
            found = await events.list_after(tx, scope, after, limit, patterns, session_id)
            return [item.sequence for item in found]

        assert await listed() == list(range(1, 9))
        assert await listed("*", "message.sent") == list(range(1, 9))
        assert await listed("message.*") == [1, 2, 5, 6]
        assert await listed("message.sent", "session.*") == [1, 3, 4, 5, 7, 8]
        assert await listed("message_*", "message%", "nothing.*") == []
        assert await listed("message.*", session_id="two") == [5, 6]
        assert await listed(after=3, limit=2) == [4, 5]


async def test_times_keep_their_moment_whatever_zone_they_were_given_in(
    database: Database, scope: CompanyScope, rng: Random
) -> None:
    moment = datetime(2026, 1, 5, 9, 30, 0, 123456, tzinfo=timezone(timedelta(hours=-3)))
    async with database.transaction(scope) as tx:
        await events.append(tx, scope, [sent()], moment, rng)
        (stored,) = await events.list_after(tx, scope, 0, 1)

    assert stored.at == moment
    assert stored.at.tzinfo is UTC


async def test_text_that_postgresql_refuses_does_not_stop_the_log(
    database: Database, scope: CompanyScope, clock: ManualClock, rng: Random
) -> None:
    hostile = NewEvent(EventType.MESSAGE_RECEIVED, "session", {"text": "a\0b"})
    async with database.transaction(scope) as tx:
        await events.append(tx, scope, [hostile], clock(), rng)
        (stored,) = await events.list_after(tx, scope, 0, 1)

    assert stored.data == {"text": "a\ufffdb"}
