"""The forecast of a campaign: the sending policy run over simulated time, from what is known of its numbers now."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

from orchestrator.domain.breaker import Breaker
from orchestrator.domain.campaign.campaign import Campaign
from orchestrator.domain.campaign.feeding import share_of
from orchestrator.domain.campaign.forecast import Forecast, Group, Share, forecast
from orchestrator.domain.campaign.reasons import PassedOver
from orchestrator.domain.campaign.recipient_list import RecipientList
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.jid import ContactId, phone_number_to_jid
from orchestrator.domain.number_spelling import all_names, other_jid
from orchestrator.domain.policy.health import HealthLevel, figure_at, level_of
from orchestrator.domain.policy.snapshot import Snapshot
from orchestrator.domain.policy.warm_up import MATURE_DAY, day_at
from orchestrator.services.campaigns import CampaignService
from orchestrator.services.context import Context
from orchestrator.services.policy_snapshot import make_snapshot, read_windows
from orchestrator.services.policy_turn import load_policy
from orchestrator.services.recipient_standing import objections
from orchestrator.store import campaigns as campaign_store
from orchestrator.store import chat_policy, dispatch_leases
from orchestrator.store import recipient_lists as list_store
from orchestrator.store.chat_policy import ChatFacts
from orchestrator.store.database import Transaction

SAMPLE: Final = 1_000
"""Recipients of a list that are looked at, spread over all of it; of a shorter list all are."""

_SEED: Final = 20261122
"""The same forecast for the same facts."""

_MANY_DAYS: Final = 7
_LARGE_SHARE: Final = 0.2


@dataclass(frozen=True, slots=True)
class Plan:
    """A forecast with its risks in words, the gravest first. `passed_over` is estimated from a sample of the list."""

    recipients: int
    forecast: Forecast
    risks: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Sample:
    """What a look at some recipients shows, as shares of all: who never exchanged a message with us, who wrote once,
    and who would be passed over."""

    new: float
    known: float
    passed_over: Mapping[PassedOver, float]


class CampaignPlanner:
    """Plans campaigns; sends nothing."""

    def __init__(self, context: Context, campaigns: CampaignService) -> None:
        self._context = context
        self._campaigns = campaigns

    async def plan(self, scope: CompanyScope, campaign_id: str) -> Plan:
        """Foretell a campaign as if it were started now; one that was started, what is left of it.

        Raises NOT_FOUND, RECIPIENTS_MISSING, TEMPLATE_VARIABLE_MISSING, SESSION_NOT_LINKED.
        """
        campaign = await self._campaigns.get(scope, campaign_id)
        now = self._context.clock()
        async with self._context.database.reading(scope) as tx:
            found = await self._campaigns.demand_sendable(tx, scope, campaign)
            breakers = await dispatch_leases.breakers(tx, scope, campaign.session_ids)
            snapshots = [
                await self._snapshot(tx, scope, session_id, breakers[session_id], now)
                for session_id in campaign.session_ids
            ]
            beside = await campaign_store.beside(tx, scope, campaign.id, campaign.session_ids)
            sample = await self._sample(tx, scope, campaign, found)
        size = campaign.recipients or found.recipients
        wanted = round((size - campaign.done) * (1 - sum(sample.passed_over.values())))
        shares = _shares(campaign, found, snapshots, sample, wanted)
        start = max(now, campaign.start_at or now)
        # In a thread: a year of simulated time takes a second or two.
        told = await asyncio.to_thread(
            forecast,
            shares,
            size,
            start,
            campaign.end_at,
            Random(_SEED),  # noqa: S311 - the same forecast each time
        )
        risks = _risks(campaign, size, told, snapshots, sample, start)
        return Plan(size, told, [*risks, *(_rivalry(campaign, other) for other in beside)])

    async def _snapshot(
        self, tx: Transaction, scope: CompanyScope, session_id: str, breaker: Breaker, now: datetime
    ) -> Snapshot:
        loaded = await load_policy(tx, self._context, scope, session_id, now)
        windows = await read_windows(tx, scope, session_id, now)
        return make_snapshot(loaded.state, loaded.settings, windows, breaker)

    async def _sample(
        self, tx: Transaction, scope: CompanyScope, campaign: Campaign, found: RecipientList
    ) -> _Sample:
        step = max(1, found.recipients // SAMPLE)
        positions = range(1, found.recipients + 1, step)[:SAMPLE]
        people = await list_store.at_positions(tx, scope, found.id, positions)
        objected = await objections(
            tx, scope, [person.phone_number for person in people], self._context.clock()
        )
        new = known = 0
        for slot, session_id in enumerate(campaign.session_ids):
            chats = [
                phone_number_to_jid(person.phone_number)
                for person in people
                if (person.position - 1) % len(campaign.session_ids) == slot
            ]
            facts = await _facts(tx, scope, session_id, chats) if chats else {}
            new += sum(chat not in facts or facts[chat].is_new for chat in chats)
            known += sum(chat in facts and facts[chat].last_inbound_at is not None for chat in chats)
        total = len(people)
        counts = Counter(objected.values())
        return _Sample(new / total, known / total, {reason: n / total for reason, n in counts.items()})


async def _facts(
    tx: Transaction, scope: CompanyScope, session_id: str, chats: Sequence[str]
) -> dict[str, ChatFacts]:
    """What was exchanged in chats, by the names given; a number's chat may have its other spelling."""
    found = await chat_policy.find(tx, scope, session_id, all_names(ContactId(chat) for chat in chats))
    return {name: found[jid] for name in chats for jid in (other_jid(name), name) if jid in found}


def _shares(
    campaign: Campaign,
    found: RecipientList,
    snapshots: Sequence[Snapshot],
    sample: _Sample,
    wanted: int,
) -> list[Share]:
    numbers = len(campaign.session_ids)
    return [
        Share(
            session_id,
            snapshot,
            _groups(campaign, found.zone_counts, sample, share_of(slot, numbers, wanted)),
        )
        for slot, (session_id, snapshot) in enumerate(zip(campaign.session_ids, snapshots, strict=True))
    ]


def _groups(
    campaign: Campaign, zone_counts: Mapping[str, int], sample: _Sample, recipients: int
) -> dict[Group, int]:
    """Part a share into groups, so that their sizes add up to it: what rounding leaves goes to the largest."""
    total = sum(zone_counts.values())
    kinds = (
        (True, False, sample.new),
        (False, True, sample.known),
        (False, False, 1 - sample.new - sample.known),
    )
    groups: Counter[Group] = Counter()
    for names, count in zone_counts.items():
        zones = tuple(ZoneInfo(name) for name in names.split()) or (ZoneInfo(campaign.time_zone),)
        for is_new, is_known, share in kinds:
            groups[Group(zones, is_new, is_known)] += int(recipients * count / total * share)
    largest = max(groups, key=lambda group: groups[group])
    groups[largest] += recipients - groups.total()
    return dict(+groups)


def _risks(
    campaign: Campaign,
    size: int,
    told: Forecast,
    snapshots: Sequence[Snapshot],
    sample: _Sample,
    start: datetime,
) -> list[str]:
    risks: list[str] = []
    for session_id, snapshot in zip(campaign.session_ids, snapshots, strict=True):
        risks += _risks_of(session_id, snapshot, start)
    for reason, share in sample.passed_over.items():
        risks.append(f"About {share:.0%} of the recipients are passed over: {reason.value}.")
    if sample.new > _LARGE_SHARE:
        risks.append(
            f"About {sample.new:.0%} of the recipients have never exchanged a message with these numbers: new chats are"
            " what WhatsApp restricts first, and few are begun a day."
        )
    if told.unreachable:
        risks.append(f"{told.unreachable} recipients cannot be reached as things stand.")
    if told.late:
        risks.append(f"{told.late} of {size} recipients are not reached before the end.")
    if told.ends_at is not None and (days := (told.ends_at - start).days) > _MANY_DAYS:
        risks.append(
            f"It takes {days} days. More numbers shorten it only within what each may send; for such volumes WhatsApp's"
            " Cloud API is the right tool."
        )
    return risks


def _rivalry(campaign: Campaign, other: Campaign) -> str:
    shared = sum(session_id in campaign.session_ids for session_id in other.session_ids)
    return (
        f"Campaign “{other.name}” has {other.recipients - other.done} recipients to go over {shared} of the same"
        " numbers: the two share what those may send, so this one ends later than foretold."
    )


def _risks_of(session_id: str, snapshot: Snapshot, start: datetime) -> list[str]:
    settings, risks = snapshot.settings, []
    if snapshot.breaker.waits_for_person:
        risks.append(
            f"Session {session_id} sends nothing until a person starts it: its connection was closed for good."
        )
    if not settings.enforced:
        return [*risks, f"The limits are lifted for session {session_id}: this is a simulator's forecast."]
    level = level_of(figure_at(snapshot.health, start, settings.health), settings.health)
    if level is not HealthLevel.HEALTHY:
        risks.append(
            f"The health of session {session_id} is {level.value}: it sends slower, or only replies."
        )
    day = day_at(snapshot.warm_up, start, settings.warm_up)
    if day != MATURE_DAY and day < settings.limits.per_day.first_mature_day:
        risks.append(
            f"Session {session_id} is on day {day} of its warm-up: {settings.limits.per_day.on_day(day)} messages a day"
            f" and {settings.new_chats.per_day.on_day(day)} new chats, growing day by day."
        )
    return risks
