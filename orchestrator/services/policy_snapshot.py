"""The facts that the sending policy decides on, read from SQL in the transaction that will let messages go."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from orchestrator.domain.breaker import Breaker
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.jid import ContactId, is_shared
from orchestrator.domain.message import Lane
from orchestrator.domain.number_spelling import all_names
from orchestrator.domain.policy.send_windows import SendWindows, SentTimes
from orchestrator.domain.policy.settings import PolicySettings
from orchestrator.domain.policy.snapshot import Candidate, Snapshot
from orchestrator.services.policy_state import PolicyState
from orchestrator.services.recipient_numbers import zones_of
from orchestrator.store import campaign_facts, chat_policy, consent
from orchestrator.store import policy as policy_store
from orchestrator.store.campaign_facts import CampaignFacts
from orchestrator.store.chat_policy import NO_FACTS, ChatFacts
from orchestrator.store.consent import Consents
from orchestrator.store.database import Transaction
from orchestrator.store.messages import StoredMessage
from orchestrator.store.policy import SendKind

_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)


async def read_windows(tx: Transaction, scope: CompanyScope, session_id: str, now: datetime) -> SendWindows:
    """When the session sent in the last day, by what counts together."""
    sends = await policy_store.sent_since(tx, scope, session_id, now - _MINUTE, now - _DAY)
    return SendWindows(
        conversations=SentTimes(sent.at for sent in sends if sent.kind is SendKind.CONVERSATION),
        others=SentTimes(sent.at for sent in sends if sent.kind is SendKind.OTHER),
        new_chats=SentTimes(sent.at for sent in sends if sent.new_chat),
        number_checks=SentTimes(sent.at for sent in sends if sent.kind is SendKind.NUMBER_CHECK),
    )


def make_snapshot(
    state: PolicyState, settings: PolicySettings, windows: SendWindows, breaker: Breaker
) -> Snapshot:
    """Put a session's facts together."""
    return Snapshot(
        warm_up=state.warm_up,
        windows=windows,
        settings=settings,
        pacing=state.pacing,
        reactions=state.reactions,
        health=state.health,
        breaker=breaker,
        new_chat_quota=state.new_chat_quota,
        reconnected_at=state.reconnected_at,
    )


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known of the contacts and campaigns of some messages."""

    chats: dict[str, ChatFacts]
    consents: Consents
    campaigns: dict[str, CampaignFacts]

    def candidate(self, stored: StoredMessage, chat: ChatFacts) -> Candidate:
        """A message as the policy sees it; `chat` is what was exchanged last, in this turn too."""
        message = stored.message
        entry = self.consents.suppression_of(message.contact)
        campaign = self.campaigns.get(message.campaign_id)
        return Candidate(
            lane=message.lane,
            contact_key=message.contact.jid or message.chat_jid,
            suppressed=entry is not None,
            opted_in=self.consents.has_opted_in(message.contact),
            # Who is in a group has agreed to hear from its members: nobody is written to out of the blue.
            is_new_chat=chat.is_new and not is_shared(message.chat_jid),
            known_chat=chat.last_inbound_at is not None,
            last_inbound_at=chat.last_inbound_at,
            last_sent_at=chat.last_sent_at,
            last_campaign_at=chat.last_campaign_at,
            unanswered_campaigns=chat.unanswered_campaigns,
            time_zones=_zones(message.contact, campaign) if message.lane is Lane.CAMPAIGN else (),
            text_length=len(message.text),
            campaign_size=campaign.recipients if campaign else 0,
            confirms_opt_out=entry is not None and entry.confirmation_message_id == message.id,
        )

    def chat_of(self, stored: StoredMessage) -> ChatFacts:
        """What was exchanged last with a message's contact, under any of its names."""
        message = stored.message
        names = all_names([message.contact]) | {message.chat_jid}
        found = [self.chats[name] for name in names if name in self.chats]
        return _merged(found) if found else NO_FACTS


async def read_surroundings(
    tx: Transaction, scope: CompanyScope, session_id: str, waiting: Sequence[StoredMessage], now: datetime
) -> Surroundings:
    """Read what is known of the contacts and campaigns of these messages, in one statement for each kind of fact."""
    contacts = {stored.message.contact for stored in waiting}
    names = all_names(contacts) | {stored.message.chat_jid for stored in waiting}
    campaigns = [stored.message for stored in waiting if stored.message.lane is Lane.CAMPAIGN]
    return Surroundings(
        chats=await chat_policy.find(tx, scope, session_id, names),
        consents=await _read_consents(tx, scope, contacts, {one.contact for one in campaigns}, now),
        campaigns=await campaign_facts.find(tx, scope, {one.campaign_id for one in campaigns})
        if campaigns
        else {},
    )


async def _read_consents(
    tx: Transaction,
    scope: CompanyScope,
    contacts: Collection[ContactId],
    recipients: Collection[ContactId],
    now: datetime,
) -> Consents:
    suppressed = await consent.find_suppressed(tx, scope, contacts, now)
    opted_in = await consent.find_opted_in(tx, scope, recipients) if recipients else frozenset()
    return Consents(suppressed, opted_in)


def _merged(found: Sequence[ChatFacts]) -> ChatFacts:
    if len(found) == 1:
        return found[0]
    return ChatFacts(
        _latest([one.last_inbound_at for one in found]),
        _latest([one.last_sent_at for one in found]),
        _latest([one.last_campaign_at for one in found]),
        max(one.unanswered_campaigns for one in found),
    )


def _latest(moments: Sequence[datetime | None]) -> datetime | None:
    return max((moment for moment in moments if moment is not None), default=None)


def _zones(contact: ContactId, campaign: CampaignFacts | None) -> tuple[ZoneInfo, ...]:
    """The zones that a number may lie in; the campaign's where the number does not tell."""
    names = zones_of(contact.phone_number) if contact.phone_number else ()
    if not names and campaign is not None and campaign.time_zone:
        names = (campaign.time_zone,)
    return tuple(ZoneInfo(name) for name in names)
