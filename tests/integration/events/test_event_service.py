"""Listing and following the event log."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from typing import cast

import pytest

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError
from orchestrator.domain.events import Event, EventType, NewEvent
from orchestrator.services import event_feed
from orchestrator.services.context import Context, Limits
from orchestrator.services.event_bell import EventBell
from orchestrator.services.events import EventService
from orchestrator.store import events as event_store
from tests.support.factories import Factories

pytestmark = pytest.mark.usefixtures("no_tasks_left")

QUEUED, SENT, STATE = EventType.MESSAGE_QUEUED, EventType.MESSAGE_SENT, EventType.SESSION_STATE


class Log:
    """Writes a company's events, with or without ringing."""

    def __init__(self, context: Context, bell: EventBell, scope: CompanyScope) -> None:
        self.context = context
        self.bell = bell
        self.scope = scope

    async def write(self, *types: EventType, session_id: str = "s-1", ring: bool = True) -> None:
        new = [NewEvent(type_, session_id, {"n": number}) for number, type_ in enumerate(types)]
        async with self.context.database.transaction(self.scope) as tx:
            await event_store.append(tx, self.scope, new, self.context.clock(), self.context.rng)
        if ring:
            self.bell.ring(self.scope.company_id)


@pytest.fixture
def bell() -> EventBell:
    return EventBell()


@pytest.fixture
async def scope(make: Factories) -> CompanyScope:
    return await make.company()


@pytest.fixture
def log(context: Context, bell: EventBell, scope: CompanyScope) -> Log:
    return Log(context, bell, scope)


@pytest.fixture
def service(context: Context, bell: EventBell) -> EventService:
    return EventService(context, bell)


async def collect(events: AsyncIterator[Event], count: int) -> list[int]:
    """The sequence numbers of the next `count` events; ends the subscription."""
    found: list[int] = []
    async with asyncio.timeout(20), aclosing(cast(AsyncGenerator[Event, None], events)):
        async for event in events:
            found.append(event.sequence)
            if len(found) == count:
                break
    return found


async def listening(bell: EventBell, scope: CompanyScope) -> None:
    """Wait until a subscription follows the company."""
    async with asyncio.timeout(10):
        while bell.listeners(scope.company_id) == 0:
            await asyncio.sleep(0.002)


async def test_a_list_begins_after_a_number_and_says_how_far_it_went(
    service: EventService, log: Log, scope: CompanyScope
) -> None:
    await log.write(*[QUEUED] * 7)

    page = await service.list(scope, 2, 3)
    rest = await service.list(scope, page.last_sequence, 500)

    assert [event.sequence for event in page.events] == [3, 4, 5]
    assert page.last_sequence == 5
    assert [event.sequence for event in rest.events] == [6, 7]
    assert (await service.list(scope, 7)).events == []
    assert (await service.list(scope, 7)).last_sequence == 7


async def test_a_filtered_list_goes_on_behind_what_it_left_out(
    service: EventService, log: Log, scope: CompanyScope
) -> None:
    await log.write(SENT, QUEUED, QUEUED, STATE, QUEUED)

    page = await service.list(scope, 0, 50, ["message.sent", "session.*"])

    assert [event.sequence for event in page.events] == [1, 4]
    assert page.last_sequence == 5


async def test_a_list_of_one_session_has_its_events_only(
    service: EventService, log: Log, scope: CompanyScope
) -> None:
    await log.write(QUEUED, session_id="s-1")
    await log.write(QUEUED, SENT, session_id="s-2")

    page = await service.list(scope, 0, 50, ["message.queued"], "s-2")

    assert [event.sequence for event in page.events] == [2]


async def test_another_companys_events_are_not_seen(service: EventService, log: Log, make: Factories) -> None:
    await log.write(QUEUED)

    page = await service.list(await make.company("Other"))

    assert (list(page.events), page.last_sequence) == ([], 0)


@pytest.mark.parametrize(
    ("after", "page_size", "types", "field"),
    [
        (-1, 0, [], "after"),
        (0, -1, [], "page_size"),
        (0, 501, [], "page_size"),
        (0, 0, ["nothing.*"], "types[0]"),
    ],
)
async def test_bad_arguments_are_named(
    service: EventService, scope: CompanyScope, after: int, page_size: int, types: list[str], field: str
) -> None:
    with pytest.raises(PonteError) as refused:
        await service.list(scope, after, page_size, types)

    assert [violation.field for violation in refused.value.violations] == [field]


async def test_a_bad_subscription_is_refused_at_once(service: EventService, scope: CompanyScope) -> None:
    with pytest.raises(PonteError):
        service.subscribe(scope, -1)
    with pytest.raises(PonteError):
        service.subscribe(scope, None, ["nothing.*"])


async def test_without_a_number_a_subscription_begins_with_the_next_event(
    service: EventService, log: Log, scope: CompanyScope, bell: EventBell
) -> None:
    await log.write(QUEUED, QUEUED)
    following = asyncio.create_task(collect(service.subscribe(scope), 3))
    await listening(bell, scope)

    await log.write(QUEUED)
    await log.write(SENT, STATE)

    assert await following == [3, 4, 5]


async def test_a_subscription_replays_and_goes_on_without_a_gap(
    service: EventService, log: Log, scope: CompanyScope, bell: EventBell
) -> None:
    count = 3 * event_feed.PAGE_EVENTS + 7
    await log.write(*[QUEUED] * count)
    following = asyncio.create_task(collect(service.subscribe(scope, 1), count + 2))
    await listening(bell, scope)
    for _ in range(3):
        await log.write(QUEUED)

    assert await following == list(range(2, count + 4))


async def test_a_subscription_gets_its_types_and_session_only(
    service: EventService, log: Log, scope: CompanyScope, bell: EventBell
) -> None:
    await log.write(QUEUED, STATE, SENT)
    following = asyncio.create_task(collect(service.subscribe(scope, 0, ["message.*"], "s-1"), 4))
    await listening(bell, scope)
    await log.write(STATE, QUEUED, session_id="s-2")
    await log.write(STATE, QUEUED, SENT, session_id="s-1")

    assert await following == [1, 3, 7, 8]


async def test_a_lost_bell_costs_time_and_no_event(
    monkeypatch: pytest.MonkeyPatch, service: EventService, log: Log, scope: CompanyScope, bell: EventBell
) -> None:
    monkeypatch.setattr(event_feed, "LOOK_EVERY_S", 0.05)
    following = asyncio.create_task(collect(service.subscribe(scope), 2))
    await listening(bell, scope)

    await log.write(QUEUED, SENT, ring=False)

    assert await following == [1, 2]


async def test_writers_and_many_followers_at_once_lose_and_double_nothing(
    service: EventService, context: Context, bell: EventBell, scope: CompanyScope
) -> None:
    writers, each = 8, 25
    following = [asyncio.create_task(collect(service.subscribe(scope, 0), writers * each)) for _ in range(10)]
    await listening(bell, scope)

    async def write() -> None:
        log = Log(context, bell, scope)
        for _ in range(each):
            await log.write(QUEUED)

    await asyncio.gather(*(write() for _ in range(writers)))

    assert await asyncio.gather(*following) == [list(range(1, writers * each + 1))] * 10


async def test_a_follower_that_falls_behind_memory_reads_the_log(
    monkeypatch: pytest.MonkeyPatch, service: EventService, log: Log, scope: CompanyScope, bell: EventBell
) -> None:
    monkeypatch.setattr(event_feed, "KEPT_EVENTS", 20)
    slow = cast(AsyncGenerator[Event, None], service.subscribe(scope, 0))
    async with aclosing(slow):
        await log.write(QUEUED)
        assert (await anext(slow)).sequence == 1
        for _ in range(10):
            await log.write(*[QUEUED] * 10)
        quick = asyncio.create_task(collect(service.subscribe(scope, 100), 1))
        assert await quick == [101]

        assert [(await anext(slow)).sequence for _ in range(100)] == list(range(2, 102))


async def test_followers_share_one_reader_that_ends_with_the_last(
    service: EventService, log: Log, scope: CompanyScope, bell: EventBell
) -> None:
    following = [asyncio.create_task(collect(service.subscribe(scope, 0), count)) for count in (1, 2, 2)]
    await listening(bell, scope)
    assert bell.listeners(scope.company_id) == 1

    await log.write(QUEUED)
    assert await following[0] == [1]
    assert bell.listeners(scope.company_id) == 1
    await log.write(QUEUED)
    await asyncio.gather(*following)

    assert bell.listeners(scope.company_id) == 0


async def test_a_cancelled_follower_gives_its_place_back(
    service: EventService, scope: CompanyScope, bell: EventBell
) -> None:
    following = asyncio.create_task(collect(service.subscribe(scope), 1))
    await listening(bell, scope)

    following.cancel()
    await asyncio.wait([following])

    assert following.cancelled()
    assert bell.listeners(scope.company_id) == 0


async def test_a_company_has_a_bounded_number_of_followers(
    context: Context, bell: EventBell, scope: CompanyScope, log: Log, make: Factories
) -> None:
    service = EventService(replace(context, limits=Limits(subscribers_per_company=1)), bell)
    first = asyncio.create_task(collect(service.subscribe(scope), 1))
    await listening(bell, scope)

    with pytest.raises(PonteError) as refused:
        await collect(service.subscribe(scope), 1)
    assert refused.value.code.name == "SUBSCRIBER_LIMIT_REACHED"

    await log.write(QUEUED)
    assert await first == [1]
    assert await collect(service.subscribe(scope, 0), 1) == [1]


async def test_a_failing_database_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, service: EventService, log: Log, scope: CompanyScope, bell: EventBell
) -> None:
    monkeypatch.setattr(event_feed, "LOOK_EVERY_S", 0.02)
    following = asyncio.create_task(collect(service.subscribe(scope), 1))
    await listening(bell, scope)
    failures = 0

    async def failing(*arguments: object) -> list[Event]:
        nonlocal failures
        failures += 1
        raise OSError("the database is away")

    with monkeypatch.context() as broken:
        broken.setattr(event_store, "list_after", failing)
        await log.write(QUEUED)
        async with asyncio.timeout(10):
            while failures < 2:
                await asyncio.sleep(0.005)

    assert await following == [1]
