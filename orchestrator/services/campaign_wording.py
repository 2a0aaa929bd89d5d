"""What a campaign's message says when it leaves: by the time of that day, and never what its number said last.

Both are settled when the message is laid in, and again here: it may have waited for hours, and others may have
overtaken it meanwhile.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from orchestrator.domain.campaign.campaign import Campaign, CampaignRecipient
from orchestrator.domain.campaign.last_words import Said, let_go, others
from orchestrator.domain.campaign.recipient_list import Recipient
from orchestrator.domain.campaign.template import values_of
from orchestrator.domain.campaign.variants import Variant
from orchestrator.domain.campaign.wording import moment_values
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError
from orchestrator.domain.message import Lane
from orchestrator.domain.policy.rotation import Rotation, choose
from orchestrator.services.context import Context
from orchestrator.services.recipient_numbers import zones_of
from orchestrator.store import campaign_recipients as recipient_store
from orchestrator.store import campaigns as campaign_store
from orchestrator.store import messages as message_store
from orchestrator.store import recipient_lists as list_store
from orchestrator.store.database import Transaction
from orchestrator.store.messages import StoredMessage

_FRESH: Final = timedelta(minutes=1)
"""A greeting that is so old needs no second look: it may be a minute late at noon, as a person's is."""

_MOST_CAMPAIGNS: Final = 8
"""Campaigns of a session whose last words are kept in mind."""

LastWords = Mapping[str, tuple[Said, ...]]
"""By campaign."""


def values_for(campaign: Campaign, person: Recipient, moment: datetime) -> dict[str, str]:
    """Give all values of a recipient by variable, `greeting` and `date` as they are where it lives."""
    zone = ZoneInfo(next(iter(zones_of(person.phone_number)), campaign.time_zone))
    return moment_values(campaign.language, zone, moment) | values_of(person.name, person.values)


class CampaignWording:
    """The last word on what campaigns' messages say, in the transaction that lets them go."""

    def __init__(self, context: Context, scope: CompanyScope) -> None:
        self._context = context
        self._scope = scope

    async def at_sending(
        self,
        tx: Transaction,
        claimed: Sequence[StoredMessage],
        last_words: LastWords,
        now: datetime,
    ) -> tuple[Sequence[StoredMessage], LastWords]:
        """Give claimed messages as they leave at `now`, and the session's last words after them.

        What was tried before keeps its words: the recipient may have it.
        """
        messages: list[StoredMessage] = []
        for stored in claimed:
            if stored.message.lane is Lane.CAMPAIGN and stored.message.campaign_id:
                stored, last_words = await self._one(tx, stored, last_words, now)
            messages.append(stored)
        return messages, last_words

    async def _one(
        self, tx: Transaction, stored: StoredMessage, last_words: LastWords, now: datetime
    ) -> tuple[StoredMessage, LastWords]:
        message, campaign_id = stored.message, stored.message.campaign_id
        found = await recipient_store.by_messages(tx, self._scope, campaign_id, [message.id])
        recipient = found.get(message.id)
        if recipient is None or recipient.variant is None:
            return stored, last_words
        words, variant = last_words.get(campaign_id, ()), recipient.variant
        said = {word.variant for word in others(words, message.id)}
        waited = now - message.times.created_at > _FRESH
        if not message.attempts and (variant in said or waited):
            stored, variant = await self._reworded(tx, stored, recipient, said, now)
        kept = {id_: said_then for id_, said_then in last_words.items() if id_ != campaign_id}
        newest = dict(list(kept.items())[-(_MOST_CAMPAIGNS - 1) :])
        return stored, {**newest, campaign_id: let_go(words, variant, message.id)}

    async def _reworded(
        self,
        tx: Transaction,
        stored: StoredMessage,
        recipient: CampaignRecipient,
        said: Collection[int],
        now: datetime,
    ) -> tuple[StoredMessage, int]:
        """The message in a variant that was not `said`, and as it reads at `now`."""
        position = recipient.variant or 0
        found = await campaign_store.get(tx, self._scope, recipient.campaign_id)
        if found is None:
            return stored, position
        campaign = found.campaign
        if position not in said and not campaign.variants[position].template.tells_time:
            return stored, position
        people = await list_store.at_positions(tx, self._scope, campaign.list_id, [recipient.position])
        if not people:
            return stored, position
        if position in said:
            position = await self._another(tx, campaign, recipient, said)
        try:
            text = campaign.variants[position].template.render(values_for(campaign, people[0], now))
        except PonteError:
            # The list has changed since the message was laid in, and lacks a value now.
            return stored, recipient.variant or 0
        if position != recipient.variant:
            await self._move(tx, campaign, recipient, position)
        changed = _with_words(stored, campaign.variants[position], text)
        await message_store.save_words(tx, self._scope, [changed])
        return changed, position

    async def _another(
        self, tx: Transaction, campaign: Campaign, recipient: CampaignRecipient, said: Collection[int]
    ) -> int:
        names = [variant.name for place, variant in enumerate(campaign.variants) if place not in said]
        numbers = [recipient.phone_number]
        wordings = await recipient_store.last_wordings(tx, self._scope, numbers, campaign.id)
        by_key = {variant.key: variant.name for variant in campaign.variants}
        to_contact = by_key.get(wordings.get(recipient.phone_number, ""))
        chosen, _ = choose(Rotation(), names, to_contact, self._context.rng)
        return next(place for place, variant in enumerate(campaign.variants) if variant.name == chosen)

    async def _move(
        self, tx: Transaction, campaign: Campaign, recipient: CampaignRecipient, position: int
    ) -> None:
        """Count the recipient under the variant that it gets."""
        await recipient_store.save(tx, self._scope, [replace(recipient, variant=position)])
        moves = {recipient.variant or 0: Counter(queued=-1), position: Counter(queued=1)}
        await campaign_store.count(tx, self._scope, campaign.id, moves)


def _with_words(stored: StoredMessage, variant: Variant, text: str) -> StoredMessage:
    content = variant.content(text)
    kind = content.kind if content else "text"
    return replace(stored, message=replace(stored.message, kind=kind, text=text, content=content))
