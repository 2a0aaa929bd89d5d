"""Calls to a company's numbers: each step that WhatsApp tells is recorded with its event, once however often told."""

from orchestrator.domain.call import OPEN_STATES, Call, CallState, CallStep, CallUpdate, advance
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.content.codec import rfc3339
from orchestrator.domain.events import EventType, NewEvent
from orchestrator.domain.ids import make_id
from orchestrator.services.contacts import ContactBook, Sighting
from orchestrator.services.context import Context
from orchestrator.store import calls as call_store
from orchestrator.store import events as event_store
from orchestrator.store.database import Transaction
from orchestrator.store.messages import lock_company


class CallService:
    """Records calls as gateways report them."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._book = ContactBook(context)

    async def record(self, scope: CompanyScope, session_id: str, update: CallUpdate) -> None:
        """Make one step durable with its event. A step of a call whose offer was never told is passed over."""

        async def write(tx: Transaction) -> None:
            await lock_company(tx, scope)
            await self._write(tx, scope, session_id, update)

        await self._context.database.shared_transaction(scope, write)

    async def _write(self, tx: Transaction, scope: CompanyScope, session_id: str, update: CallUpdate) -> None:
        known = await call_store.find(tx, scope, session_id, update.wa_call_id)
        if known is None and update.step is CallStep.OFFERED:
            call = await self._begin(tx, scope, session_id, update)
            await call_store.add(tx, scope, call)
            await self._tell(tx, scope, EventType.CALL_RECEIVED, call)
            return
        if known is None:
            return
        call = advance(known, update.step, self._context.tempo.at(update.at))
        if call == known:
            return
        await call_store.move_on(tx, scope, call)
        told = EventType.CALL_ACCEPTED if call.state in OPEN_STATES else EventType.CALL_ENDED
        await self._tell(tx, scope, told, call)

    async def _begin(self, tx: Transaction, scope: CompanyScope, session_id: str, update: CallUpdate) -> Call:
        [caller] = await self._book.learn(tx, scope, [Sighting(update.caller)])
        return Call(
            id=make_id(self._context.clock(), self._context.rng),
            wa_call_id=update.wa_call_id,
            session_id=session_id,
            caller=caller,
            group_jid=update.group_jid,
            video=update.video,
            state=CallState.RINGING,
            offline=update.offline,
            started_at=self._context.tempo.at(update.at),
        )

    async def _tell(self, tx: Transaction, scope: CompanyScope, told: EventType, call: Call) -> None:
        now, rng = self._context.clock(), self._context.rng
        chat_jid = call.group_jid or call.caller.jid
        await event_store.append(
            tx, scope, [NewEvent(told, call.session_id, call_data(call), chat_jid)], now, rng
        )

        async def ring() -> None:
            await self._context.bells.events_recorded(scope)

        tx.after_commit(ring)


def call_data(call: Call) -> dict[str, object]:
    """Give a call as it stands in events."""
    caller = call.caller
    data: dict[str, object] = {
        "id": call.id,
        "wa_call_id": call.wa_call_id,
        "session_id": call.session_id,
        "contact": {"phone_number": caller.phone_number, "jid": caller.pn_jid, "lid": caller.lid_jid},
        "group": call.group_jid,
        "video": call.video,
        "state": call.state.value,
        "offline": call.offline,
        "started_at": rfc3339(call.started_at),
    }
    if call.ended_at is not None:
        data["ended_at"] = rfc3339(call.ended_at)
    return data
