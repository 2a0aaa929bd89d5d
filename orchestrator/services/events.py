"""The event log of a company: pages of it, and following it as it grows."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from orchestrator.domain import errors
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import invalid_field
from orchestrator.domain.event_types import checked_patterns
from orchestrator.domain.events import Event
from orchestrator.domain.page import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE
from orchestrator.domain.webhook import matches
from orchestrator.services.context import Context
from orchestrator.services.event_bell import EventBell
from orchestrator.services.event_feed import PAGE_EVENTS, EventFeeds
from orchestrator.store import events as event_store


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events in order. `last_sequence` is how far the log was read: give it as `after` to go on."""

    events: Sequence[Event]
    last_sequence: int


@dataclass(frozen=True, slots=True)
class _Filter:
    patterns: tuple[str, ...]
    session_id: str

    def takes(self, event: Event) -> bool:
        if self.session_id and event.session_id != self.session_id:
            return False
        return matches(self.patterns, event.type)


class EventService:
    """Lists and follows events."""

    def __init__(self, context: Context, bell: EventBell) -> None:
        self._context = context
        self._feeds = EventFeeds(context, bell)

    async def list(
        self,
        scope: CompanyScope,
        after: int = 0,
        page_size: int = 0,
        types: Sequence[str] = (),
        session_id: str = "",
    ) -> EventPage:
        """Give the events after sequence number `after`, oldest first, at most `page_size` (1 to 500; 0 means 50).

        Raises PonteError(INVALID_ARGUMENT) for a negative `after`, a page size out of bounds or an unknown type.
        """
        _check_after(after)
        if not 0 <= page_size <= MAX_PAGE_SIZE:
            raise invalid_field(errors.INVALID_ARGUMENT, "page_size", f"Give 1 to {MAX_PAGE_SIZE}.")
        wanted = _Filter(checked_patterns(types, "types"), session_id)
        return await self._read(scope, after, page_size or DEFAULT_PAGE_SIZE, wanted)

    def subscribe(
        self,
        scope: CompanyScope,
        after: int | None = None,
        types: Sequence[str] = (),
        session_id: str = "",
    ) -> AsyncIterator[Event]:
        """Give every event after `after` and then each new one, in order, none twice, until the iterator is closed.

        `after` None begins with the next event that happens once the iteration began.
        Raises PonteError(INVALID_ARGUMENT) at once, SUBSCRIBER_LIMIT_REACHED at the first step.
        """
        if after is not None:
            _check_after(after)
        return self._follow(scope, after, _Filter(checked_patterns(types, "types"), session_id))

    async def _follow(self, scope: CompanyScope, after: int | None, wanted: _Filter) -> AsyncIterator[Event]:
        async with self._feeds.follow(scope) as feed:
            position = feed.position if after is None else after
            while True:
                if feed.holds_after(position):
                    await feed.wait_beyond(position)
                if feed.holds_after(position):
                    found = feed.after(position)
                    position = found[-1].sequence
                    events: Sequence[Event] = [event for event in found if wanted.takes(event)]
                else:
                    page = await self._read(scope, position, PAGE_EVENTS, wanted)
                    position, events = page.last_sequence, page.events
                for event in events:
                    yield event

    async def _read(self, scope: CompanyScope, after: int, limit: int, wanted: _Filter) -> EventPage:
        async with self._context.database.reading(scope) as tx:
            # First: what is committed up to here is seen by the next statement, so a short page has read that far.
            last = await event_store.last_sequence(tx, scope)
            events = await event_store.list_after(tx, scope, after, limit, wanted.patterns, wanted.session_id)
        if len(events) == limit:
            return EventPage(events, events[-1].sequence)
        newest = events[-1].sequence if events else after
        return EventPage(events, max(after, newest, last))


def _check_after(after: int) -> None:
    if after < 0:
        raise invalid_field(errors.INVALID_ARGUMENT, "after", "Give a sequence number, 0 for the beginning.")
