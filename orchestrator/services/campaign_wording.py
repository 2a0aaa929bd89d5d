"""What a campaign's message says: a recipient's values, and the greeting and date of the moment it leaves."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from orchestrator.domain.campaign.campaign import Campaign
from orchestrator.domain.campaign.recipient_list import Recipient
from orchestrator.domain.campaign.template import values_of
from orchestrator.domain.campaign.variants import Variant
from orchestrator.domain.campaign.wording import moment_values
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.message import Lane
from orchestrator.services.recipient_numbers import zones_of
from orchestrator.store import campaign_recipients as recipient_store
from orchestrator.store import campaigns as campaign_store
from orchestrator.store import messages as message_store
from orchestrator.store import recipient_lists as list_store
from orchestrator.store.database import Transaction
from orchestrator.store.messages import StoredMessage

_FRESH: Final = timedelta(minutes=1)
"""A greeting that is so old needs no second look: it may be a minute late at noon, as a person's is."""


def values_for(campaign: Campaign, person: Recipient, moment: datetime) -> dict[str, str]:
    """Give all values of a recipient by variable, `greeting` and `date` as they are where it lives."""
    zone = ZoneInfo(next(iter(zones_of(person.phone_number)), campaign.time_zone))
    return moment_values(campaign.language, zone, moment) | values_of(person.name, person.values)


async def reworded(
    tx: Transaction, scope: CompanyScope, claimed: Sequence[StoredMessage], now: datetime
) -> Sequence[StoredMessage]:
    """Give claimed messages as they leave at `now`: campaigns' greet by that time, not by that of being laid in.

    What was tried before keeps its words: the recipient may have it.
    """
    waited = [
        stored
        for stored in claimed
        if stored.message.lane is Lane.CAMPAIGN
        and not stored.message.attempts
        and now - stored.message.times.created_at > _FRESH
    ]
    by_campaign: dict[str, list[StoredMessage]] = defaultdict(list)
    for stored in waited:
        by_campaign[stored.message.campaign_id].append(stored)
    said: dict[str, tuple[Variant, str]] = {}
    for campaign_id, messages in by_campaign.items():
        said |= await _said(tx, scope, campaign_id, [stored.message.id for stored in messages], now)
    changed = {
        stored.message.id: _with_words(stored, *said[stored.message.id])
        for stored in waited
        if stored.message.id in said and said[stored.message.id][1] != stored.message.text
    }
    await message_store.save_words(tx, scope, list(changed.values()))
    return [changed.get(stored.message.id, stored) for stored in claimed]


def _with_words(stored: StoredMessage, variant: Variant, text: str) -> StoredMessage:
    return replace(stored, message=replace(stored.message, text=text, content=variant.content(text)))


async def _said(
    tx: Transaction, scope: CompanyScope, campaign_id: str, message_ids: Sequence[str], now: datetime
) -> dict[str, tuple[Variant, str]]:
    """What a campaign's messages say at `now`, of those that tell the time; nothing for a campaign that is gone."""
    stored = await campaign_store.get(tx, scope, campaign_id)
    if stored is None or not any(variant.template.tells_time for variant in stored.campaign.variants):
        return {}
    campaign = stored.campaign
    recipients = await recipient_store.by_messages(tx, scope, campaign_id, message_ids)
    positions = {recipient.position: id_ for id_, recipient in recipients.items()}
    people = await list_store.at_positions(tx, scope, campaign.list_id, sorted(positions))
    said: dict[str, tuple[Variant, str]] = {}
    for person in people:
        message_id = positions[person.position]
        position = recipients[message_id].variant
        if position is None or not campaign.variants[position].template.tells_time:
            continue
        variant = campaign.variants[position]
        said[message_id] = variant, variant.template.render(values_for(campaign, person, now))
    return said
