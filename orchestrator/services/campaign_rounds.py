"""The rounds of a campaign: count what happened, decide whether it goes on, lay the next portion in.

A round is one transaction with the campaign locked, so that rounds of several processes cannot both lay something in,
and a kill leaves either all of it or nothing. Each campaign gets a small portion a round: none keeps others waiting.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from loguru import logger

from orchestrator.domain.campaign.campaign import Campaign, CampaignSession
from orchestrator.domain.campaign.feeding import MOST_WAITING, room
from orchestrator.domain.campaign.reasons import StopCause
from orchestrator.domain.campaign.round_times import next_round, takes_place, wakeable
from orchestrator.domain.campaign.state import ENDED, Action, CampaignState, transition
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.events import EventType, NewEvent
from orchestrator.domain.policy.opt_out_share import opt_out_share_objection
from orchestrator.domain.session import SessionState
from orchestrator.services.campaign_data import campaign_event
from orchestrator.services.campaign_events import count_events, settled_for
from orchestrator.services.campaign_messages import CampaignMessages, next_positions
from orchestrator.services.contacts import ContactBook
from orchestrator.services.context import Context
from orchestrator.services.policy_memory import load_policy
from orchestrator.services.suppressing import PONTE, audit_entry
from orchestrator.store import audit, dispatch_leases
from orchestrator.store import campaign_recipients as recipient_store
from orchestrator.store import campaigns as campaign_store
from orchestrator.store import events as event_store
from orchestrator.store import messages as message_store
from orchestrator.store.campaigns import Rounds, StoredCampaign
from orchestrator.store.database import SystemScope, Transaction

EVERY_S: Final = 1.0
"""Seconds between two looks for campaigns whose round is due."""

MOST_ROUNDS: Final = 200
"""Campaigns that one process works on at the same time; others wait their turn, the longest waiting first."""

_SOON: Final = timedelta(hours=1)
_PROGRESS_EVERY_S: Final = 2.0

_LOST: Final = frozenset({SessionState.LOGGED_OUT, SessionState.REPLACED, SessionState.BANNED})
_LAYS_IN: Final = frozenset({SessionState.CONNECTED, SessionState.CONNECTING, SessionState.RECONNECTING})


@dataclass(frozen=True, slots=True)
class _Standing:
    """A campaign in the middle of its round."""

    campaign: Campaign
    sessions: tuple[CampaignSession, ...]
    rounds: Rounds
    busy: bool = False


class CampaignRounds:
    """The rounds of one process."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._messages = CampaignMessages(context, ContactBook(context))
        self._second = context.tempo.span(1)
        self._running: set[str] = set()

    async def run_for_ever(self) -> None:
        """Begin the rounds that are due, every second, until cancelled; what fails is logged and tried again."""
        while True:
            try:
                await self.run_once()
            except Exception as error:
                logger.opt(exception=error).error("Campaigns could not be looked at.")
            await asyncio.sleep(EVERY_S)

    async def run_once(self) -> None:
        """Do the rounds that are due now, of all companies."""
        free = MOST_ROUNDS - len(self._running)
        async with self._context.database.reading(SystemScope()) as tx:
            now = self._context.clock()
            woken = wakeable(now, self._second)
            due = await campaign_store.due(tx, SystemScope(), now, woken, free)
        for scope, campaign_id in due:
            await self.start(scope, campaign_id)

    async def start(self, scope: CompanyScope, campaign_id: str) -> None:
        """Do a campaign's round if it is due and none runs here."""
        if campaign_id in self._running:
            return
        self._running.add(campaign_id)
        try:
            while await self.round(scope, campaign_id):
                pass
        except Exception as error:
            logger.opt(exception=error).error("A round of campaign {} failed.", campaign_id)
        finally:
            self._running.discard(campaign_id)

    async def round(self, scope: CompanyScope, campaign_id: str) -> bool:
        """Do one round; True where the log of events went on and the next is to follow at once."""
        async with self._context.database.transaction(scope) as tx:
            await message_store.lock_company(tx, scope)
            stored = await campaign_store.lock(tx, scope, campaign_id)
            now = self._context.clock()
            if stored is None or not takes_place(
                stored.campaign, stored.rounds.next_round_at, now, self._second
            ):
                return False
            standing, more = await self._counted(tx, scope, stored)
            rounds = standing.rounds
            if not more:
                standing = await self._moved_on(tx, scope, standing, now)
                rounds = await self._told(tx, scope, standing, now)
            await campaign_store.save_standing(tx, scope, standing.campaign, rounds)
            return more

    async def _counted(
        self, tx: Transaction, scope: CompanyScope, stored: StoredCampaign
    ) -> tuple[_Standing, bool]:
        counted = await count_events(tx, scope, stored.campaign, stored.rounds.event_cursor)
        await self._messages.follow_up(tx, scope, stored.campaign, counted.confirmed)
        rounds = replace(stored.rounds, event_cursor=counted.cursor)
        standing = _Standing(stored.campaign, stored.sessions, rounds, counted.seen)
        return (await self._read_again(tx, scope, standing) if counted.seen else standing), counted.more

    async def _read_again(self, tx: Transaction, scope: CompanyScope, standing: _Standing) -> _Standing:
        """Take over the tallies and cursors that this round has moved in the database."""
        stored = await campaign_store.get(tx, scope, standing.campaign.id)
        if stored is None:
            return standing
        campaign = replace(standing.campaign, tallies=stored.campaign.tallies)
        return replace(standing, campaign=campaign, sessions=stored.sessions)

    async def _moved_on(
        self, tx: Transaction, scope: CompanyScope, standing: _Standing, now: datetime
    ) -> _Standing:
        campaign = standing.campaign
        if campaign.state is CampaignState.SCHEDULED and (campaign.start_at or now) <= now:
            campaign = replace(
                campaign,
                state=transition(campaign.state, Action.COME_DUE),
                started_at=campaign.started_at or now,
            )
            standing = replace(standing, campaign=campaign)
            await self._record(tx, scope, EventType.CAMPAIGN_STARTED, campaign)
        if campaign.state is not CampaignState.RUNNING:
            return standing
        states = await self._session_states(tx, scope, campaign)
        stop = await self._reason_to_stop(tx, scope, standing, states, now)
        if stop is not None:
            return await self._stopped(tx, scope, standing, *stop)
        standing = await self._laid_in(tx, scope, standing, states)
        return await self._completed(tx, scope, standing, now)

    async def _session_states(
        self, tx: Transaction, scope: CompanyScope, campaign: Campaign
    ) -> dict[str, SessionState]:
        facts = await dispatch_leases.session_facts(tx, scope, campaign.session_ids)
        return {session_id: fact.state for session_id, fact in facts.items()}

    async def _reason_to_stop(
        self,
        tx: Transaction,
        scope: CompanyScope,
        standing: _Standing,
        states: dict[str, SessionState],
        now: datetime,
    ) -> tuple[StopCause, str] | None:
        campaign = standing.campaign
        for session_id in campaign.session_ids:
            state = states.get(session_id)
            if state is None or state in _LOST:
                return (
                    StopCause.SESSION_LOST,
                    f"Session {session_id} is {state.value if state else 'deleted'}.",
                )
        words = await self._left_by_too_many(tx, scope, standing, now)
        if words is not None:
            return StopCause.OPT_OUTS, words
        if campaign.end_at is not None and campaign.end_at <= now:
            return StopCause.ENDED_BY_SCHEDULE, "The time given for its end has come."
        return None

    async def _left_by_too_many(
        self, tx: Transaction, scope: CompanyScope, standing: _Standing, now: datetime
    ) -> str | None:
        """Ask the figures of each session: the strictest decides. Most rounds have nothing to ask about."""
        campaign, forgiven = standing.campaign, standing.rounds.forgiven
        sent = campaign.tally.sent - forgiven.sent
        opted_out = campaign.tally.opted_out - forgiven.opted_out
        for session_id in campaign.session_ids if opted_out > 0 else ():
            policy = await load_policy(tx, self._context, scope, session_id, now)
            objection = opt_out_share_objection(sent, opted_out, policy.settings.reactions)
            if objection is not None:
                return objection.words
        return None

    async def _stopped(
        self, tx: Transaction, scope: CompanyScope, standing: _Standing, cause: StopCause, words: str
    ) -> _Standing:
        state = transition(standing.campaign.state, Action.STOP)
        campaign = replace(standing.campaign, state=state, stop_cause=cause, stop_detail=words)
        await self._messages.take_back(tx, scope, campaign)
        detail: dict[str, object] = {"name": campaign.name, "cause": cause.value, "words": words}
        await audit.append(
            tx, scope, [audit_entry(self._context, PONTE, "campaign.stopped", campaign.id, detail)]
        )
        await self._record(tx, scope, EventType.CAMPAIGN_STOPPED, campaign)
        return replace(standing, campaign=campaign)

    async def _laid_in(
        self, tx: Transaction, scope: CompanyScope, standing: _Standing, states: dict[str, SessionState]
    ) -> _Standing:
        campaign, laid_in = standing.campaign, 0
        passed_over = Counter(await self._messages.pass_over_held(tx, scope, campaign))
        soon = self._context.clock() + _SOON
        for part in standing.sessions:
            if states[part.session_id] not in _LAYS_IN:
                continue
            free = room(*await recipient_store.count_waiting(tx, scope, part.session_id, soon, MOST_WAITING))
            if free:
                count, skipped = await self._messages.lay_in(tx, scope, campaign, part, free)
                laid_in += count
                passed_over.update(skipped)
        if not laid_in and not passed_over:
            return standing
        campaign = replace(campaign, passed_over=Counter(campaign.passed_over) + passed_over)
        standing = replace(standing, campaign=campaign, busy=True)
        return await self._read_again(tx, scope, standing)

    async def _completed(
        self, tx: Transaction, scope: CompanyScope, standing: _Standing, now: datetime
    ) -> _Standing:
        campaign, numbers = standing.campaign, len(standing.sessions)
        if campaign.tally.outstanding or any(
            next_positions(part, numbers, campaign.recipients, 1) for part in standing.sessions
        ):
            return standing
        if await recipient_store.count_pending(tx, scope, campaign.id):
            return standing
        question = campaign.confirmation
        if question is not None and campaign.tally.replied < campaign.tally.sent:
            last = await recipient_store.last_update(tx, scope, campaign.id)
            if not settled_for(last, now, question.wait_hours):
                return standing
        campaign = replace(campaign, state=transition(campaign.state, Action.COMPLETE), ended_at=now)
        await self._record(tx, scope, EventType.CAMPAIGN_COMPLETED, campaign)
        return replace(standing, campaign=campaign)

    async def _told(self, tx: Transaction, scope: CompanyScope, standing: _Standing, now: datetime) -> Rounds:
        """Tell of progress where there was some, at most every two seconds, and say when the next round is."""
        campaign, rounds = standing.campaign, standing.rounds
        quiet_until = rounds.told_at + _PROGRESS_EVERY_S * self._second if rounds.told_at else now
        if campaign.done != rounds.told_done and (now >= quiet_until or campaign.state in ENDED):
            await self._record(tx, scope, EventType.CAMPAIGN_PROGRESS, campaign)
            rounds = replace(rounds, told_done=campaign.done, told_at=now)
        return replace(rounds, next_round_at=next_round(campaign, now, self._second, busy=standing.busy))

    async def _record(
        self, tx: Transaction, scope: CompanyScope, kind: EventType, campaign: Campaign
    ) -> None:
        event: NewEvent = campaign_event(kind, campaign)
        await event_store.append(tx, scope, [event], self._context.clock(), self._context.rng)

        async def ring() -> None:
            await self._context.bells.events_recorded(scope)

        tx.after_commit(ring)
