"""The live end of a company's event log, read once for all who follow it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from loguru import logger

from orchestrator.domain import errors
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError
from orchestrator.domain.events import Event
from orchestrator.services.context import Context
from orchestrator.services.event_bell import EventBell
from orchestrator.store import events as event_store

LOOK_EVERY_S: Final = 3.0
"""How often the log is looked at when no bell rings: the bell may be lost, the event may not."""

PAGE_EVENTS: Final = 200
"""Events of one read, and the most that one follower takes at a time."""

KEPT_EVENTS: Final = 1000
"""Newest events kept in memory per company; a follower that falls further behind reads the log itself."""


class EventFeed:
    """The newest events of one company, in order and without gaps, kept current by one reader."""

    def __init__(self, context: Context, bell: EventBell, scope: CompanyScope, position: int) -> None:
        self.position = position
        self.followers = 0
        self._context = context
        self._bell = bell
        self._scope = scope
        self._kept: deque[Event] = deque(maxlen=KEPT_EVENTS)
        self._grown = asyncio.Event()

    def holds_after(self, position: int) -> bool:
        """Tell whether all events after `position` that were read are still in memory."""
        return position >= self.position - len(self._kept)

    def after(self, position: int) -> list[Event]:
        """The events after `position`, at most a page; only where `holds_after(position)`."""
        skipped = len(self._kept) - max(0, self.position - position)
        return [self._kept[index] for index in range(skipped, min(len(self._kept), skipped + PAGE_EVENTS))]

    async def wait_beyond(self, position: int) -> None:
        """Return when there is an event after `position`."""
        while self.position <= position:
            await self._grown.wait()

    async def run(self) -> None:
        """Read new events until cancelled; a failing database is tried again and again."""
        with self._bell.listen(self._scope.company_id) as listener:
            while True:
                try:
                    found = await self._read()
                except Exception:
                    logger.bind(company_id=self._scope.company_id).exception("Reading new events failed")
                    found = []
                if len(found) < PAGE_EVENTS:
                    await listener.wait(LOOK_EVERY_S)

    async def _read(self) -> list[Event]:
        async with self._context.database.reading(self._scope) as tx:
            found = await event_store.list_after(tx, self._scope, self.position, PAGE_EVENTS)
        if found:
            self._kept.extend(found)
            self.position = found[-1].sequence
            grown, self._grown = self._grown, asyncio.Event()
            grown.set()
        return found


class EventFeeds:
    """One feed per company that is followed; it ends with its last follower."""

    def __init__(self, context: Context, bell: EventBell) -> None:
        self._context = context
        self._bell = bell
        self._feeds: dict[str, tuple[EventFeed, asyncio.Task[None]]] = {}
        self._opening = asyncio.Lock()

    @asynccontextmanager
    async def follow(self, scope: CompanyScope) -> AsyncIterator[EventFeed]:
        """Have the company's feed while the block lasts.

        Raises PonteError(SUBSCRIBER_LIMIT_REACHED) where the company has as many followers as it may have.
        """
        feed = await self._open(scope)
        try:
            yield feed
        finally:
            await self._leave(scope, feed)

    async def _open(self, scope: CompanyScope) -> EventFeed:
        async with self._opening:
            if scope.company_id not in self._feeds:
                async with self._context.database.reading(scope) as tx:
                    position = await event_store.last_sequence(tx, scope)
                feed = EventFeed(self._context, self._bell, scope, position)
                self._feeds[scope.company_id] = (feed, asyncio.create_task(feed.run()))
        feed, _ = self._feeds[scope.company_id]
        if feed.followers >= self._context.limits.subscribers_per_company:
            raise PonteError(errors.SUBSCRIBER_LIMIT_REACHED)
        feed.followers += 1
        return feed

    async def _leave(self, scope: CompanyScope, feed: EventFeed) -> None:
        feed.followers -= 1
        if feed.followers > 0:
            return
        _, reader = self._feeds.pop(scope.company_id)
        reader.cancel()
        await asyncio.wait([reader])
