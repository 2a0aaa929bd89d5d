"""Messages that came in: recorded once, with their contact and their event, before WhatsApp hears that they did."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from orchestrator.domain import errors
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError, not_found
from orchestrator.domain.ids import make_id
from orchestrator.domain.inbound import InboundMessage
from orchestrator.domain.jid import ContactId, is_channel, is_group
from orchestrator.domain.message import Direction, Lane, Message, MessageStatus, MessageTimes
from orchestrator.services.batching import TransactionBatcher
from orchestrator.services.contacts import ContactBook, Sighting
from orchestrator.services.context import Context
from orchestrator.services.inbound_reading import InboundReading
from orchestrator.services.opt_outs import InboundPolicy
from orchestrator.services.received_files import carries_file
from orchestrator.store import dispatch_leases, media_downloads, message_marks, message_receipts
from orchestrator.store import events as event_store
from orchestrator.store import messages as message_store
from orchestrator.store.database import Transaction
from orchestrator.store.messages import StoredMessage

_NUL_SHOWN_AS = "\ufffd"


@dataclass(frozen=True, slots=True)
class _Arrival:
    session_id: str
    fence: int
    inbound: InboundMessage


@dataclass(slots=True)
class _Known:
    """(session, a name of the chat, WhatsApp id) of what is stored, and the messages by session and WhatsApp id."""

    keys: set[tuple[str, str, str]]
    named: dict[tuple[str, str], list[Message]]


class InboxService:
    """Records what gateways hand over."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._book = ContactBook(context)
        self._policy = InboundPolicy(context)
        self._batcher = TransactionBatcher(context.database, self._write)

    async def record(self, scope: CompanyScope, session_id: str, fence: int, inbound: InboundMessage) -> None:
        """Make a message durable; one that was recorded before is recognised and changes nothing.

        What the company's own phone sent is kept as an outbound message that is sent, unless it is one of ours.
        Raises PonteError: STALE_FENCE where another gateway holds the session now, NOT_FOUND.
        """
        await self._batcher.add(scope, _Arrival(session_id, fence, inbound))

    async def _write(
        self, tx: Transaction, scope: CompanyScope, arrivals: Sequence[_Arrival]
    ) -> list[PonteError | None]:
        await message_store.lock_company(tx, scope)
        facts = await dispatch_leases.session_facts(tx, scope, {arrival.session_id for arrival in arrivals})
        results = [_check_fence(arrival, facts.get(arrival.session_id)) for arrival in arrivals]
        accepted = [arrival for arrival, result in zip(arrivals, results, strict=True) if result is None]
        if accepted:
            await self._add(tx, scope, accepted)
        return results

    async def _add(self, tx: Transaction, scope: CompanyScope, arrivals: Sequence[_Arrival]) -> None:
        contacts = await self._book.learn(tx, scope, [_sighting(arrival.inbound) for arrival in arrivals])
        known = await self._known(tx, scope, arrivals)
        messages: list[Message] = []
        protos: list[bytes] = []
        for arrival, contact in zip(arrivals, contacts, strict=True):
            message = self._to_message(scope, arrival, contact)
            names = {message.chat_jid}
            if not arrival.inbound.is_group:
                names |= {arrival.inbound.chat_jid, contact.pn_jid, contact.lid_jid} - {""}
            keys = {(arrival.session_id, name, message.wa_message_id) for name in names}
            if keys & known.keys:
                continue
            known.keys |= keys
            messages.append(message)
            protos.append(arrival.inbound.message_proto)
        if not messages:
            return
        read = InboundReading(known.named)
        messages = await read.understand(tx, scope, messages)
        new_events = read.events(messages)
        messages = [read.now.get(message.id, message) for message in messages]
        now = self._context.clock()
        events = await event_store.append(tx, scope, new_events, now, self._context.rng)
        stored = [
            StoredMessage(message, event.sequence, proto=proto)
            for message, event, proto in zip(messages, events, protos, strict=True)
        ]
        await message_store.add(tx, scope, stored)
        await message_receipts.expect(tx, scope, [one for one in messages if _is_own_in_group(one)])
        await media_downloads.add(tx, scope, [one for one in messages if _brings_file(one)], now)
        await self._policy.note(tx, scope, messages)
        added = {message.id for message in messages}
        await message_marks.save_said(
            tx, scope, [message for message in read.now.values() if message.id not in added]
        )

        async def ring() -> None:
            await self._context.bells.events_recorded(scope)

        tx.after_commit(ring)

    async def _known(self, tx: Transaction, scope: CompanyScope, arrivals: Sequence[_Arrival]) -> _Known:
        """What is stored of what arrived, and of the messages that it is about."""
        by_session: dict[str, set[str]] = {}
        for arrival in arrivals:
            content = arrival.inbound.content
            wanted = by_session.setdefault(arrival.session_id, set())
            wanted.add(arrival.inbound.wa_message_id)
            if content is not None and content.reference is not None:
                wanted.add(content.reference.wa_message_id)
        known = _Known(set(), {})
        for session_id, wa_ids in by_session.items():
            for stored in await message_store.find_by_whatsapp_ids(tx, scope, session_id, sorted(wa_ids)):
                message = stored.message
                # A chat may have been known by its lid only.
                names = {message.chat_jid}
                if not is_group(message.chat_jid):
                    names |= {message.contact.pn_jid, message.contact.lid_jid} - {""}
                known.keys |= {(session_id, name, message.wa_message_id) for name in names}
                known.named.setdefault((session_id, message.wa_message_id), []).append(message)
        return known

    def _to_message(self, scope: CompanyScope, arrival: _Arrival, contact: ContactId) -> Message:
        inbound = arrival.inbound
        now = self._context.clock()
        times = MessageTimes(created_at=now, sent_at=self._context.tempo.at(inbound.sent_at))
        message = Message(
            id=make_id(now, self._context.rng),
            wa_message_id=inbound.wa_message_id,
            company_id=scope.company_id,
            session_id=arrival.session_id,
            chat_jid=inbound.chat_jid if inbound.is_group else contact.jid or inbound.chat_jid,
            contact=contact,
            direction=Direction.INBOUND,
            kind=inbound.content.kind if inbound.content else inbound.kind,
            text=(inbound.content.text if inbound.content else inbound.text).replace("\0", _NUL_SHOWN_AS),
            status=MessageStatus.RECEIVED,
            lane=Lane.TRANSACTIONAL,
            attempts=0,
            times=times,
            push_name=inbound.push_name.replace("\0", _NUL_SHOWN_AS),
            offline=inbound.offline,
            content=inbound.content,
        )
        if inbound.from_me:
            message = replace(message, direction=Direction.OUTBOUND, status=MessageStatus.SENT, push_name="")
        return message


def _check_fence(arrival: _Arrival, facts: dispatch_leases.SessionFacts | None) -> PonteError | None:
    if facts is None:
        return not_found()
    if facts.fence != arrival.fence:
        return PonteError(errors.STALE_FENCE)
    return None


def _sighting(inbound: InboundMessage) -> Sighting:
    """Who the message shows: its sender, or the other side of a chat that the company itself wrote in."""
    if inbound.from_me:
        return Sighting(ContactId() if inbound.is_group else inbound.chat)
    contact = inbound.sender if inbound.is_group else _first_named(inbound.chat, inbound.sender)
    return Sighting(contact, inbound.push_name.replace("\0", _NUL_SHOWN_AS))


def _is_own_in_group(message: Message) -> bool:
    return message.direction is Direction.OUTBOUND and is_group(message.chat_jid)


def _brings_file(message: Message) -> bool:
    """What is posted in channels is not encrypted, which Baileys does not download."""
    return carries_file(message.content) and not is_channel(message.chat_jid)


def _first_named(chat: ContactId, sender: ContactId) -> ContactId:
    return chat if chat.jid else sender
