"""Laying a campaign's messages into the outbox, in small portions: each recipient once, whatever dies."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

from orchestrator.domain.campaign.campaign import (
    Campaign,
    CampaignRecipient,
    CampaignSession,
    RecipientStatus,
)
from orchestrator.domain.campaign.ids import derived_id, derived_whatsapp_id
from orchestrator.domain.campaign.reasons import PassedOver
from orchestrator.domain.campaign.recipient_list import Recipient
from orchestrator.domain.campaign.template import Template, parse
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError
from orchestrator.domain.events import EventType
from orchestrator.domain.jid import ContactId, phone_number_to_jid
from orchestrator.domain.message import Direction, Lane, Message, MessageStatus, MessageTimes
from orchestrator.domain.policy.decisions import ReasonCode
from orchestrator.domain.policy.rotation import Rotation, choose
from orchestrator.services.campaign_wording import values_for
from orchestrator.services.contacts import ContactBook
from orchestrator.services.context import Context
from orchestrator.services.message_data import message_event
from orchestrator.services.recipient_standing import contact_objections
from orchestrator.store import campaign_recipients as recipient_store
from orchestrator.store import campaigns as campaign_store
from orchestrator.store import events as event_store
from orchestrator.store import media as media_store
from orchestrator.store import messages as message_store
from orchestrator.store import recipient_lists as list_store
from orchestrator.store.database import Transaction
from orchestrator.store.messages import StoredMessage

_FOR_GOOD: Final = tuple(
    code.value
    for code in (
        ReasonCode.SUPPRESSED,
        ReasonCode.NOT_OPTED_IN,
        ReasonCode.UNANSWERED,
        ReasonCode.CONTACT_HELD,
        ReasonCode.TIME_ZONE_UNKNOWN,
    )
)
"""What the policy holds a message for that no waiting ends; `PassedOver` has the same names."""


_FILE_KEPT_FOR: Final = timedelta(days=30)
"""Longer than a message that was laid in waits for its turn."""


@dataclass(slots=True)
class _Portion:
    """What a portion comes to, in memory."""

    rotation: Rotation
    messages: list[Message] = field(default_factory=list)
    changed: list[CampaignRecipient] = field(default_factory=list)
    queued: dict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    passed_over: Counter[PassedOver] = field(default_factory=Counter)


class CampaignMessages:
    """Makes the messages of campaigns. Everything happens in the caller's transaction, with the campaign locked."""

    def __init__(self, context: Context, book: ContactBook) -> None:
        self._context = context
        self._book = book

    async def lay_in(
        self, tx: Transaction, scope: CompanyScope, campaign: Campaign, part: CampaignSession, room: int
    ) -> tuple[int, Mapping[PassedOver, int]]:
        """Lay at most `room` messages of one session in: first those that a pause took back.

        Gives how many were laid in, and who was passed over.
        """
        again = await recipient_store.pending(tx, scope, campaign.id, part.session_id, room)
        positions = next_positions(part, len(campaign.session_ids), campaign.recipients, room - len(again))
        earlier = {recipient.position: recipient for recipient in again}
        people = await list_store.at_positions(tx, scope, campaign.list_id, [*earlier, *positions])
        portion = await self._portion(tx, scope, campaign, part, people, earlier)
        cursor = positions[-1] if positions else part.cursor
        names = [variant.name for variant in campaign.variants]
        last = names.index(portion.rotation.last) if portion.rotation.last in names else None
        await recipient_store.save(tx, scope, [one for one in portion.changed if one.position in earlier])
        await recipient_store.add(tx, scope, [one for one in portion.changed if one.position not in earlier])
        await self._store(tx, scope, portion.messages)
        await campaign_store.count(tx, scope, campaign.id, portion.queued)
        await campaign_store.save_session(
            tx, scope, campaign.id, replace(part, cursor=cursor, last_variant=last)
        )
        return len(portion.messages), portion.passed_over

    async def follow_up(
        self, tx: Transaction, scope: CompanyScope, campaign: Campaign, confirmed: Sequence[CampaignRecipient]
    ) -> None:
        """Send the message that follows a yes: an answer to the contact, which no campaign's pace holds up."""
        if campaign.confirmation is None or not confirmed:
            return
        template = parse(campaign.confirmation.text)
        people = await list_store.at_positions(
            tx, scope, campaign.list_id, [recipient.position for recipient in confirmed]
        )
        by_position = {person.position: person for person in people}
        contacts = await self._contacts(tx, scope, people)
        messages: list[Message] = []
        changed: list[CampaignRecipient] = []
        for recipient in confirmed:
            person = by_position[recipient.position]
            text = template.render(values_for(campaign, person, self._context.clock()))
            message = self._message(campaign, recipient, contacts[person.position], text, "after yes")
            message = replace(message, lane=Lane.REPLY)
            messages.append(message)
            changed.append(replace(recipient, follow_up_id=message.id))
        await self._store(tx, scope, messages)
        await recipient_store.save(tx, scope, changed)

    async def take_back(self, tx: Transaction, scope: CompanyScope, campaign: Campaign) -> None:
        """Cancel what waits and was never tried; those recipients are the first when the campaign goes on."""
        await message_store.lock_company(tx, scope)
        ids = await recipient_store.withdraw(tx, scope, campaign.id, campaign.session_ids)
        if not ids:
            return
        found = await recipient_store.by_messages(tx, scope, campaign.id, ids)
        await recipient_store.save(tx, scope, [self._pending(recipient) for recipient in found.values()])
        await self._uncount(tx, scope, campaign, list(found.values()))
        await self._tell_cancelled(tx, scope, ids)

    async def _uncount(
        self,
        tx: Transaction,
        scope: CompanyScope,
        campaign: Campaign,
        recipients: Sequence[CampaignRecipient],
    ) -> None:
        moves: dict[int, Counter[str]] = defaultdict(Counter)
        for recipient in recipients:
            if recipient.variant is not None:
                moves[recipient.variant]["queued"] -= 1
        await campaign_store.count(tx, scope, campaign.id, moves)

    async def _tell_cancelled(self, tx: Transaction, scope: CompanyScope, ids: Sequence[str]) -> None:
        cancelled = await message_store.get_many(tx, scope, ids)
        await event_store.append(
            tx,
            scope,
            [message_event(EventType.MESSAGE_CANCELLED, stored.message) for stored in cancelled.values()],
            self._context.clock(),
            self._context.rng,
        )

    async def pass_over_held(
        self, tx: Transaction, scope: CompanyScope, campaign: Campaign
    ) -> Mapping[PassedOver, int]:
        """Cancel what the policy holds for a reason that time does not end, and give who is passed over for it."""
        held = await recipient_store.withdraw_held(tx, scope, campaign.id, campaign.session_ids, _FOR_GOOD)
        if not held:
            return {}
        found = await recipient_store.by_messages(tx, scope, campaign.id, held)
        changed = [
            replace(
                self._pending(one), status=RecipientStatus.PASSED_OVER, reason=PassedOver(held[message_id])
            )
            for message_id, one in found.items()
        ]
        await recipient_store.save(tx, scope, changed)
        await self._uncount(tx, scope, campaign, list(found.values()))
        await self._tell_cancelled(tx, scope, list(held))
        return Counter(one.reason for one in changed if one.reason)

    def _pending(self, recipient: CampaignRecipient) -> CampaignRecipient:
        return replace(
            recipient,
            status=RecipientStatus.PENDING,
            variant=None,
            message_id="",
            generation=recipient.generation + 1,
            updated_at=self._context.clock(),
        )

    async def _portion(
        self,
        tx: Transaction,
        scope: CompanyScope,
        campaign: Campaign,
        part: CampaignSession,
        people: Sequence[Recipient],
        earlier: Mapping[int, CampaignRecipient],
    ) -> _Portion:
        names = [variant.name for variant in campaign.variants]
        templates = [variant.template for variant in campaign.variants]
        portion = _Portion(Rotation(names[part.last_variant] if part.last_variant is not None else None))
        await self._keep_files(tx, scope, campaign)
        contacts = await self._contacts(tx, scope, people)
        objected = await contact_objections(tx, scope, list(contacts.values()), self._context.clock())
        wordings = await recipient_store.last_wordings(
            tx, scope, [person.phone_number for person in people], campaign.id
        )
        by_key = {variant.key: variant.name for variant in campaign.variants}
        for person in people:
            recipient = earlier.get(person.position) or self._new(campaign, part, person)
            contact = contacts[person.position]
            chosen, rotation = choose(
                portion.rotation, names, by_key.get(wordings.get(person.phone_number, "")), self._context.rng
            )
            text = self._rendered(campaign, templates[names.index(chosen)], person)
            reason = objected.get(contact) or (PassedOver.VARIABLE_MISSING if text is None else None)
            if reason is not None or text is None:
                portion.passed_over[reason or PassedOver.VARIABLE_MISSING] += 1
                portion.changed.append(replace(recipient, status=RecipientStatus.PASSED_OVER, reason=reason))
                continue
            portion.rotation = rotation
            message = self._message(campaign, recipient, contact, text, recipient.generation)
            content = campaign.variants[names.index(chosen)].content(text)
            if content is not None:
                message = replace(message, kind=content.kind, content=content)
            portion.messages.append(message)
            variant = names.index(chosen)
            portion.queued[variant]["queued"] += 1
            portion.changed.append(
                replace(recipient, status=RecipientStatus.QUEUED, variant=variant, message_id=message.id)
            )
        return portion

    async def _keep_files(self, tx: Transaction, scope: CompanyScope, campaign: Campaign) -> None:
        until = self._context.clock() + _FILE_KEPT_FOR
        for media_id in sorted(
            {variant.file.media.media_id for variant in campaign.variants if variant.file}
        ):
            await media_store.keep_until(tx, scope, media_id, until)

    def _new(self, campaign: Campaign, part: CampaignSession, person: Recipient) -> CampaignRecipient:
        return CampaignRecipient(
            campaign.id,
            person.position,
            part.session_id,
            person.phone_number,
            RecipientStatus.PENDING,
            self._context.clock(),
        )

    def _rendered(self, campaign: Campaign, template: Template, person: Recipient) -> str | None:
        try:
            return template.render(values_for(campaign, person, self._context.clock()))
        except PonteError:
            return None

    async def _contacts(
        self, tx: Transaction, scope: CompanyScope, people: Sequence[Recipient]
    ) -> dict[int, ContactId]:
        named = [ContactId(pn_jid=phone_number_to_jid(person.phone_number)) for person in people]
        complete = await self._book.complete(tx, scope, named)
        return {person.position: contact for person, contact in zip(people, complete, strict=True)}

    def _message(
        self,
        campaign: Campaign,
        recipient: CampaignRecipient,
        contact: ContactId,
        text: str,
        step: str | int,
    ) -> Message:
        return Message(
            id=derived_id(campaign.id, recipient.position, step),
            wa_message_id=derived_whatsapp_id(campaign.id, recipient.position, step),
            company_id=campaign.company_id,
            session_id=recipient.session_id,
            chat_jid=contact.pn_jid,
            contact=contact,
            direction=Direction.OUTBOUND,
            kind="text",
            text=text,
            status=MessageStatus.QUEUED,
            lane=Lane.CAMPAIGN,
            attempts=0,
            times=MessageTimes(created_at=self._context.clock()),
            campaign_id=campaign.id,
            recipient_id=str(recipient.position),
        )

    async def _store(self, tx: Transaction, scope: CompanyScope, messages: Sequence[Message]) -> None:
        if not messages:
            return
        now = self._context.clock()
        queued = [message_event(EventType.MESSAGE_QUEUED, message) for message in messages]
        events = await event_store.append(tx, scope, queued, now, self._context.rng)
        stored = [
            StoredMessage(message, event.sequence, due_at=now)
            for message, event in zip(messages, events, strict=True)
        ]
        await message_store.add(tx, scope, stored)
        session_ids = {message.session_id for message in messages}

        async def ring() -> None:
            for session_id in session_ids:
                await self._context.bells.messages_due(scope, session_id)
            await self._context.bells.events_recorded(scope)

        tx.after_commit(ring)


def next_positions(part: CampaignSession, sessions: int, recipients: int, most: int) -> list[int]:
    """Give the next positions of a session's share, at most `most`."""
    following = part.cursor + sessions if part.cursor else part.slot + 1
    return list(range(following, recipients + 1, sessions)[: max(most, 0)])
