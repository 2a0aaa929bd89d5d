"""What contacts show, told as events: each change once, however often WhatsApp repeats it."""

from collections import OrderedDict

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.content.codec import rfc3339
from orchestrator.domain.events import EventType, NewEvent
from orchestrator.domain.presence import ShownPresence
from orchestrator.services.contacts import ContactBook
from orchestrator.services.context import Context
from orchestrator.store import events as event_store
from orchestrator.store.database import Transaction
from orchestrator.store.messages import lock_company

_MOST_REMEMBERED = 10_000


class PresenceService:
    """Records what gateways report. What was told last is remembered by this process alone."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._book = ContactBook(context)
        self._last: OrderedDict[tuple[str, str, str], ShownPresence] = OrderedDict()

    async def record(self, scope: CompanyScope, session_id: str, shown: ShownPresence) -> None:
        """Tell of a change; what shows what it showed before is passed over."""
        key = (session_id, shown.chat_jid, shown.contact.jid)
        if self._last.get(key) == shown:
            return

        async def write(tx: Transaction) -> None:
            await lock_company(tx, scope)
            await self._write(tx, scope, session_id, shown)

        await self._context.database.shared_transaction(scope, write)
        self._last[key] = shown
        self._last.move_to_end(key)
        if len(self._last) > _MOST_REMEMBERED:
            self._last.popitem(last=False)

    async def _write(
        self, tx: Transaction, scope: CompanyScope, session_id: str, shown: ShownPresence
    ) -> None:
        [contact] = await self._book.complete(tx, scope, [shown.contact])
        chat_jid = await self._book.chat_name(tx, scope, shown.chat_jid)
        data: dict[str, object] = {
            "session_id": session_id,
            "chat_jid": chat_jid,
            "contact": {"phone_number": contact.phone_number, "jid": contact.pn_jid, "lid": contact.lid_jid},
            "presence": shown.presence.value,
        }
        if shown.last_seen_at is not None:
            data["last_seen_at"] = rfc3339(shown.last_seen_at)
        event = NewEvent(EventType.CONTACT_PRESENCE, session_id, data, chat_jid)
        await event_store.append(tx, scope, [event], self._context.clock(), self._context.rng)

        async def ring() -> None:
            await self._context.bells.events_recorded(scope)

        tx.after_commit(ring)
