"""Counting what became of a campaign's messages, from the event log: each event counts once, whatever dies."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from orchestrator.domain.campaign.campaign import Campaign, CampaignRecipient, RecipientStatus
from orchestrator.domain.campaign.results import Progress, steps
from orchestrator.domain.campaign.wording import is_yes
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.events import Event, EventType
from orchestrator.domain.jid import jid_to_phone_number
from orchestrator.store import campaign_recipients as recipient_store
from orchestrator.store import campaigns as campaign_store
from orchestrator.store import events as event_store
from orchestrator.store.database import Transaction

MOST_EVENTS: Final = 500
"""Events in one transaction."""

_PROGRESS: Final = {
    EventType.MESSAGE_SENT.value: Progress.SENT,
    EventType.MESSAGE_DELIVERED.value: Progress.DELIVERED,
    EventType.MESSAGE_READ.value: Progress.READ,
    EventType.MESSAGE_PLAYED.value: Progress.READ,
}
_ENDS: Final = {
    EventType.MESSAGE_FAILED.value: RecipientStatus.FAILED,
    EventType.MESSAGE_CANCELLED.value: RecipientStatus.CANCELLED,
}
_TYPES: Final = (*_PROGRESS, *_ENDS, EventType.MESSAGE_RECEIVED.value, EventType.CONTACT_OPTED_OUT.value)
_REACHED: Final = frozenset({RecipientStatus.SENT, RecipientStatus.DELIVERED, RecipientStatus.READ})


@dataclass(frozen=True, slots=True)
class Counted:
    """What a piece of the log said. `confirmed` are the recipients who said yes; `more` that the log goes on."""

    cursor: int
    seen: bool
    more: bool
    confirmed: Sequence[CampaignRecipient] = ()


@dataclass(slots=True)
class _Tallying:
    """The recipients that a piece of the log is about, as they stand after each of its events."""

    campaign: Campaign
    by_message: dict[str, CampaignRecipient]
    by_number: dict[str, CampaignRecipient]
    changed: dict[int, CampaignRecipient] = field(default_factory=dict)
    moves: dict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    confirmed: dict[int, CampaignRecipient] = field(default_factory=dict)

    def note(self, event: Event) -> None:
        """Take one event in."""
        if event.type in _PROGRESS:
            self._advance(event, _PROGRESS[event.type])
        elif event.type in _ENDS:
            self._end(event, _ENDS[event.type])
        elif event.type == EventType.MESSAGE_RECEIVED.value:
            self._reply(event)
        else:
            self._opt_out(event)

    def _advance(self, event: Event, progress: Progress) -> None:
        recipient = self._of_message(event)
        if recipient is None:
            return
        before = Progress(recipient.status.value) if recipient.status in _REACHED else None
        moved = steps(before, progress)
        if not moved:
            return
        if recipient.status is RecipientStatus.FAILED:
            # Someone sent the dead letter again, or word came late.
            self._count(recipient, "failed", -1)
        elif recipient.status is RecipientStatus.CANCELLED:
            self._count(recipient, "cancelled", -1)
        for step in moved:
            self._count(recipient, step.value.lower())
        self._set(recipient, event, status=RecipientStatus(progress.value))

    def _end(self, event: Event, status: RecipientStatus) -> None:
        recipient = self._of_message(event)
        if recipient is not None and recipient.status is RecipientStatus.QUEUED:
            self._count(recipient, status.value.lower())
            self._set(recipient, event, status=status)

    def _reply(self, event: Event) -> None:
        recipient = self._of_number(event)
        if recipient is None or recipient.status not in _REACHED or recipient.session_id != event.session_id:
            return
        confirms = self._confirms(recipient, event)
        if not recipient.replied:
            self._count(recipient, "replied")
            recipient = self._set(recipient, event, replied=True)
        if confirms:
            self._count(recipient, "confirmed")
            self.confirmed[recipient.position] = recipient

    def _confirms(self, recipient: CampaignRecipient, event: Event) -> bool:
        question = self.campaign.confirmation
        if question is None or recipient.follow_up_id or recipient.position in self.confirmed:
            return False
        if recipient.opted_out or event.at > recipient.updated_at + timedelta(hours=question.wait_hours):
            return False
        text = event.data.get("text")
        body = text.get("body", "") if isinstance(text, dict) else ""
        return is_yes(str(body), frozenset(question.yes_words))

    def _opt_out(self, event: Event) -> None:
        recipient = self._of_number(event)
        if recipient is None or recipient.opted_out or recipient.variant is None:
            return
        self._count(recipient, "opted_out")
        self.confirmed.pop(recipient.position, None)
        self._set(recipient, event, opted_out=True)

    def _of_message(self, event: Event) -> CampaignRecipient | None:
        return self._latest(self.by_message.get(str(event.data.get("id", ""))))

    def _of_number(self, event: Event) -> CampaignRecipient | None:
        return self._latest(self.by_number.get(number_of(event)))

    def _latest(self, recipient: CampaignRecipient | None) -> CampaignRecipient | None:
        return self.changed.get(recipient.position, recipient) if recipient else None

    def _count(self, recipient: CampaignRecipient, counter: str, by: int = 1) -> None:
        if recipient.variant is not None:
            self.moves[recipient.variant][counter] += by

    def _set(self, recipient: CampaignRecipient, event: Event, **changes: object) -> CampaignRecipient:
        after = replace(recipient, updated_at=event.at, **changes)  # type: ignore[arg-type]  # fields of it
        self.changed[recipient.position] = after
        if recipient.position in self.confirmed:
            self.confirmed[recipient.position] = after
        return after


async def count_events(tx: Transaction, scope: CompanyScope, campaign: Campaign, cursor: int) -> Counted:
    """Count a campaign's events after `cursor`, at most 500. The campaign and its company are locked."""
    last = await event_store.last_sequence(tx, scope)
    events = await event_store.list_after(tx, scope, cursor, MOST_EVENTS, _TYPES)
    if not events:
        return Counted(last, seen=False, more=False)
    more = len(events) == MOST_EVENTS
    tallying = await _load(tx, scope, campaign, events)
    for event in events:
        tallying.note(event)
    await recipient_store.save(tx, scope, list(tallying.changed.values()))
    await campaign_store.count(tx, scope, campaign.id, tallying.moves)
    reached = events[-1].sequence if more else last
    return Counted(reached, bool(tallying.changed), more, tuple(tallying.confirmed.values()))


async def _load(
    tx: Transaction, scope: CompanyScope, campaign: Campaign, events: Sequence[Event]
) -> _Tallying:
    about_messages = {
        str(event.data.get("id", "")) for event in events if event.type in _PROGRESS or event.type in _ENDS
    } - {""}
    about_people = {
        number_of(event) for event in events if event.type not in _PROGRESS and event.type not in _ENDS
    } - {""}
    by_message = (
        await recipient_store.by_messages(tx, scope, campaign.id, about_messages) if about_messages else {}
    )
    by_number = await recipient_store.by_numbers(tx, scope, campaign.id, about_people) if about_people else {}
    return _Tallying(campaign, by_message, by_number)


def number_of(event: Event) -> str:
    """Give the phone number (E.164) of the contact that an event is about, empty where it does not tell."""
    contact = event.data.get("contact")
    told = contact.get("phone_number", "") if isinstance(contact, dict) else ""
    return str(told or event.data.get("phone_number", "") or jid_to_phone_number(event.chat_jid))


def settled_for(recipient_at: datetime | None, now: datetime, wait_hours: int) -> bool:
    """Tell whether nobody's answer counts any more: the last thing that happened was longer ago than answers count."""
    return recipient_at is None or recipient_at + timedelta(hours=wait_hours) <= now
