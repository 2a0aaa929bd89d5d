"""ponte.v1.EventService."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import cast

from orchestrator._generated.ponte.v1 import event_pb2
from orchestrator.api.caller import Caller
from orchestrator.api.rpc import encode
from orchestrator.domain.events import Event
from orchestrator.services.events import EventService


class EventMethods:
    """The event log of the caller's company."""

    service = "ponte.v1.EventService"

    def __init__(self, events: EventService) -> None:
        self._events = events

    async def list_events(
        self, caller: Caller, request: event_pb2.ListEventsRequest
    ) -> event_pb2.ListEventsResponse:
        """List events after a sequence number, oldest first."""
        page = await self._events.list(
            caller.scope, request.after, request.page_size, tuple(request.types), request.session_id
        )
        return event_pb2.ListEventsResponse(
            events=[encode.event(event) for event in page.events], last_sequence=page.last_sequence
        )

    def subscribe(
        self, caller: Caller, request: event_pb2.SubscribeRequest
    ) -> AsyncIterator[event_pb2.Event]:
        """Give all events after a sequence number, then each new one. Raises at once for a bad request."""
        after = request.after if request.HasField("after") else None
        return _encoded(self._events.subscribe(caller.scope, after, tuple(request.types), request.session_id))


async def _encoded(events: AsyncIterator[Event]) -> AsyncIterator[event_pb2.Event]:
    # The service gives a generator; closing it at once gives the subscription back.
    async with aclosing(cast(AsyncGenerator[Event, None], events)):
        async for event in events:
            yield encode.event(event)
