"""What an inbound message means for sending: its contact answered, or asked not to be written to any more."""

from collections.abc import Sequence
from datetime import datetime

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.consent import Suppression, SuppressionCause
from orchestrator.domain.events import EventType, NewEvent
from orchestrator.domain.ids import make_id, make_whatsapp_message_id
from orchestrator.domain.jid import is_shared
from orchestrator.domain.message import Direction, Lane, Message, MessageStatus, MessageTimes
from orchestrator.domain.policy.opt_out import AFTER_CAMPAIGN, ALWAYS, folded, opt_out_word
from orchestrator.services.context import Context, SendingLimits
from orchestrator.services.message_data import message_event
from orchestrator.services.suppressing import PONTE, suppress
from orchestrator.store import chat_policy, consent, policy_delays, waiting_for_contact
from orchestrator.store import events as event_store
from orchestrator.store import messages as message_store
from orchestrator.store.chat_policy import NO_FACTS, Exchanged
from orchestrator.store.database import Transaction
from orchestrator.store.messages import StoredMessage

_WORDS = ALWAYS | AFTER_CAMPAIGN
_LONGEST_WORD = 40
_PORTUGUESE = frozenset({"SAIR", "PARAR", "DESCADASTRAR", "CANCELAR"})
_SPANISH = frozenset({"BAJA", "ALTO"})
_FRENCH = frozenset({"ARRET"})


class InboundPolicy:
    """Acts on what was recorded, in the transaction that records it."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def note(self, tx: Transaction, scope: CompanyScope, messages: Sequence[Message]) -> None:
        """Note who was in touch, let go on what waited for an answer, and act on opt-outs.

        `messages` are new and recorded; the company is locked.
        """
        now = self._context.clock()
        direct = [message for message in messages if not is_shared(message.chat_jid)]
        opt_outs = [message for message in direct if _may_opt_out(message)]
        facts = {}
        for message in opt_outs:
            chats = await chat_policy.find(tx, scope, message.session_id, [message.chat_jid])
            facts[message.id] = chats.get(message.chat_jid, NO_FACTS)
        if self._context.sending_limits is SendingLimits.ENFORCED and messages:
            await chat_policy.note(tx, scope, [_exchanged(message, now) for message in messages])
            await self._ask_again(tx, scope, messages, now)
        for message in opt_outs:
            last = facts[message.id]
            campaign_was_last = (
                last.last_campaign_at is not None and last.last_campaign_at == last.last_sent_at
            )
            word = opt_out_word(message.text, last_message_was_campaign=campaign_was_last)
            if word is not None:
                await self._opt_out(tx, scope, message, word, now)

    async def _ask_again(
        self, tx: Transaction, scope: CompanyScope, messages: Sequence[Message], now: datetime
    ) -> None:
        """What waits in a chat that its contact wrote in may be inside a conversation now."""
        inbound = [message for message in messages if message.direction is Direction.INBOUND]
        for session_id in {message.session_id for message in inbound}:
            chats = {message.chat_jid for message in inbound if message.session_id == session_id}
            if await policy_delays.ask_again(tx, scope, session_id, now, chats):
                self._ring_after(tx, scope, session_id)

    async def _opt_out(
        self, tx: Transaction, scope: CompanyScope, message: Message, word: str, now: datetime
    ) -> None:
        known = await consent.find_suppressed(tx, scope, [message.contact], now)
        if any(entry.cause is SuppressionCause.OPTED_OUT for entry in known.values()):
            return
        campaign_id = await waiting_for_contact.last_campaign(tx, scope, message.session_id, message.chat_jid)
        confirmation = self._confirmation(scope, message, word, now)
        entry = Suppression(
            id=make_id(now, self._context.rng),
            contact=message.contact,
            cause=SuppressionCause.OPTED_OUT,
            created_at=now,
            detail=f"wrote {word}",
            campaign_id=campaign_id,
            confirmation_message_id=confirmation.id,
        )
        await consent.withdraw_opt_ins(tx, scope, [message.contact], now)
        cancelled = await suppress(tx, self._context, scope, [entry], PONTE)
        contact = message.contact
        data: dict[str, object] = {
            "chat": message.chat_jid,
            "contact": {"phone_number": contact.phone_number, "jid": contact.pn_jid, "lid": contact.lid_jid},
            "word": word,
            "message_id": message.id,
            "campaign_id": campaign_id,
            "cancelled": cancelled,
        }
        new_events = [
            NewEvent(EventType.CONTACT_OPTED_OUT, message.session_id, data, message.chat_jid),
            message_event(EventType.MESSAGE_QUEUED, confirmation),
        ]
        events = await event_store.append(tx, scope, new_events, now, self._context.rng)
        await message_store.add(tx, scope, [StoredMessage(confirmation, events[-1].sequence, due_at=now)])
        self._ring_after(tx, scope, message.session_id)

    def _confirmation(self, scope: CompanyScope, message: Message, word: str, now: datetime) -> Message:
        return Message(
            id=make_id(now, self._context.rng),
            wa_message_id=make_whatsapp_message_id(self._context.rng),
            company_id=scope.company_id,
            session_id=message.session_id,
            chat_jid=message.chat_jid,
            contact=message.contact,
            direction=Direction.OUTBOUND,
            kind="text",
            text=confirmation_text(word),
            status=MessageStatus.QUEUED,
            lane=Lane.REPLY,
            attempts=0,
            times=MessageTimes(created_at=now),
        )

    def _ring_after(self, tx: Transaction, scope: CompanyScope, session_id: str) -> None:
        bells = self._context.bells

        async def ring() -> None:
            await bells.messages_due(scope, session_id)

        tx.after_commit(ring)


def confirmation_text(word: str) -> str:
    """What the contact is told, in the language of its word."""
    if word in _PORTUGUESE:
        return "Pronto: você não receberá mais mensagens nossas."
    if word in _SPANISH:
        return "Listo: no recibirá más mensajes nuestros."
    if word in _FRENCH:
        return "C'est noté : vous ne recevrez plus de messages de notre part."
    return "Done: you will receive no more messages from us."


def _may_opt_out(message: Message) -> bool:
    if (
        message.direction is not Direction.INBOUND
        or message.kind != "text"
        or len(message.text) > _LONGEST_WORD
    ):
        return False
    return folded(message.text) in _WORDS


def _exchanged(message: Message, now: datetime) -> Exchanged:
    """What waited at WhatsApp while the session was away was written when WhatsApp says, everything else just now."""
    written_at = message.times.sent_at if message.offline else None
    at = min(now, written_at) if written_at else now
    inbound = message.direction is Direction.INBOUND
    return Exchanged(message.session_id, message.chat_jid, at, inbound=inbound)
