"""Campaigns as a company works with them: set up, start, pause, resume, cancel, look at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, cast
from zoneinfo import ZoneInfo

from orchestrator.domain.campaign.campaign import (
    Campaign,
    CampaignRecipient,
    Confirmation,
    RecipientStatus,
)
from orchestrator.domain.campaign.recipient_list import RecipientList
from orchestrator.domain.campaign.results import VariantResult, results
from orchestrator.domain.campaign.state import ENDED, Action, CampaignState, transition
from orchestrator.domain.campaign.template import missing, parse
from orchestrator.domain.campaign.variants import File, GivenVariant, checked_text, checked_variants
from orchestrator.domain.campaign.wording import Language
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.content import Content
from orchestrator.domain.errors import (
    CAMPAIGN_STATE,
    INVALID_ARGUMENT,
    RECIPIENTS_MISSING,
    SESSION_NOT_LINKED,
    TEMPLATE_VARIABLE_MISSING,
    PonteError,
    invalid_field,
    not_found,
)
from orchestrator.domain.events import EventType
from orchestrator.domain.ids import is_id, make_id
from orchestrator.domain.page import Page, PageRequest
from orchestrator.domain.session import LINKED_STATES
from orchestrator.services.campaign_data import campaign_event
from orchestrator.services.campaign_messages import CampaignMessages
from orchestrator.services.contacts import ContactBook
from orchestrator.services.context import Context
from orchestrator.services.names import checked_name
from orchestrator.services.outgoing_files import OutgoingFiles
from orchestrator.services.recipient_lists import found_list
from orchestrator.services.suppressing import PONTE, audit_entry
from orchestrator.store import audit, dispatch_leases, idempotency
from orchestrator.store import campaign_recipients as recipient_store
from orchestrator.store import campaigns as campaign_store
from orchestrator.store import events as event_store
from orchestrator.store import messages as message_store
from orchestrator.store.campaigns import StoredCampaign
from orchestrator.store.database import Transaction

MOST_SESSIONS: Final = 20
LONGEST_WAIT_HOURS: Final = 168


@dataclass(frozen=True, slots=True)
class CampaignDraft:
    """What a company sets up. `time_zone` is an IANA name, `language` one that greetings
    are known in."""

    name: str
    list_id: str
    session_ids: Sequence[str]
    variants: Sequence[GivenVariant]
    time_zone: str = "UTC"
    language: str = Language.ENGLISH.value
    start_at: datetime | None = None
    end_at: datetime | None = None
    confirmation: Confirmation | None = None


class CampaignService:
    """The campaigns of a company. What it changes, the rounds find within a second (campaign_rounds.py)."""

    def __init__(self, context: Context, files: OutgoingFiles) -> None:
        self._context = context
        self._files = files
        self._messages = CampaignMessages(context, ContactBook(context))

    async def create(
        self, scope: CompanyScope, draft: CampaignDraft, idempotency_key: str = "", actor: str = PONTE
    ) -> Campaign:
        """Set a campaign up; nothing is sent before `start`.

        Raises VARIANTS_TOO_FEW, TEMPLATE_INVALID, TEXT_EMPTY, TEXT_TOO_LONG, INVALID_ARGUMENT, NOT_FOUND,
        IDEMPOTENCY_KEY_REUSED, and what is wrong with a variant's file: MEDIA_TYPE_NOT_ALLOWED, MEDIA_TOO_LARGE.
        """
        now = self._context.clock()
        draft = await self._with_files(scope, draft)
        campaign = _checked(draft, make_id(now, self._context.rng), scope, now)
        wordings = [(variant.name, variant.key) for variant in campaign.variants]
        request = idempotency.hash_request(draft.name, draft.list_id, draft.session_ids, wordings)
        async with self._context.database.transaction(scope) as tx:
            earlier = await idempotency.remember(
                tx, scope, idempotency_key, "CreateCampaign", request, campaign.id, now=now
            )
            if earlier is not None:
                return (await _found(tx, scope, earlier.resource_id)).campaign
            await self._demand_parts(tx, scope, campaign)
            await campaign_store.add(tx, scope, campaign)
            await self._note(tx, scope, "created", campaign, actor)
            return (await _found(tx, scope, campaign.id)).campaign

    async def get(self, scope: CompanyScope, campaign_id: str) -> Campaign:
        """Give one campaign. Raises NOT_FOUND."""
        async with self._context.database.reading(scope) as tx:
            return (await _found(tx, scope, campaign_id)).campaign

    async def update(
        self, scope: CompanyScope, campaign_id: str, draft: CampaignDraft, actor: str = PONTE
    ) -> Campaign:
        """Replace a draft's settings. Raises CAMPAIGN_STATE once it was started, and as `create`."""
        draft = await self._with_files(scope, draft)
        async with self._context.database.transaction(scope) as tx:
            before = (await self._locked(tx, scope, campaign_id)).campaign
            if before.state is not CampaignState.DRAFT:
                raise PonteError(
                    CAMPAIGN_STATE, f"The campaign is {before.state.value}; only a DRAFT changes."
                )
            changed = _checked(draft, campaign_id, scope, before.created_at)
            await self._demand_parts(tx, scope, changed)
            await campaign_store.change(tx, scope, changed)
            await self._note(tx, scope, "updated", changed, actor)
            return (await _found(tx, scope, campaign_id)).campaign

    async def delete(self, scope: CompanyScope, campaign_id: str, actor: str = PONTE) -> None:
        """Remove a campaign that is a draft or has ended. Raises NOT_FOUND, CAMPAIGN_STATE."""
        async with self._context.database.transaction(scope) as tx:
            campaign = (await self._locked(tx, scope, campaign_id)).campaign
            if campaign.state not in {CampaignState.DRAFT, *ENDED}:
                raise PonteError(CAMPAIGN_STATE, f"The campaign is {campaign.state.value}; cancel it first.")
            await campaign_store.remove(tx, scope, campaign_id, self._context.clock())
            await self._note(tx, scope, "deleted", campaign, actor)

    async def start(self, scope: CompanyScope, campaign_id: str, actor: str = PONTE) -> Campaign:
        """Begin, at once or at its time. From here on its recipients are those that the list has now.

        Raises NOT_FOUND, CAMPAIGN_STATE, RECIPIENTS_MISSING, TEMPLATE_VARIABLE_MISSING, SESSION_NOT_LINKED.
        """
        async with self._context.database.transaction(scope) as tx:
            stored = await self._locked(tx, scope, campaign_id)
            state = transition(stored.campaign.state, Action.START)
            recipients = await self.demand_sendable(tx, scope, stored.campaign)
            campaign = replace(stored.campaign, state=state, recipients=recipients.recipients)
            cursor = await event_store.last_sequence(tx, scope)
            stored = replace(stored, rounds=replace(stored.rounds, event_cursor=cursor))
            await self._note(tx, scope, "started", campaign, actor)
            return await self._moved(tx, scope, stored, campaign, EventType.CAMPAIGN_SCHEDULED)

    async def pause(self, scope: CompanyScope, campaign_id: str, actor: str = PONTE) -> Campaign:
        """Take back what waits. Raises NOT_FOUND, CAMPAIGN_STATE."""
        return await self._halt(scope, campaign_id, Action.PAUSE, EventType.CAMPAIGN_PAUSED, actor)

    async def resume(self, scope: CompanyScope, campaign_id: str, actor: str = PONTE) -> Campaign:
        """Go on after a pause or a stop; opt-outs until now do not stop it again.

        Raises NOT_FOUND, CAMPAIGN_STATE, SESSION_NOT_LINKED.
        """
        async with self._context.database.transaction(scope) as tx:
            stored = await self._locked(tx, scope, campaign_id)
            state = transition(stored.campaign.state, Action.RESUME)
            await self._demand_linked(tx, scope, stored.campaign)
            campaign = replace(stored.campaign, state=state, stop_cause=None, stop_detail="")
            rounds = replace(stored.rounds, forgiven=campaign.tally)
            await self._note(tx, scope, "resumed", campaign, actor)
            return await self._moved(
                tx, scope, replace(stored, rounds=rounds), campaign, EventType.CAMPAIGN_RESUMED
            )

    async def cancel(self, scope: CompanyScope, campaign_id: str, actor: str = PONTE) -> Campaign:
        """End it: what waits is taken back, nothing more is sent. Raises NOT_FOUND, CAMPAIGN_STATE."""
        return await self._halt(scope, campaign_id, Action.CANCEL, EventType.CAMPAIGN_CANCELLED, actor)

    async def results(self, scope: CompanyScope, campaign_id: str) -> list[VariantResult]:
        """Tell how each variant did. Raises NOT_FOUND."""
        campaign = await self.get(scope, campaign_id)
        names = [variant.name for variant in campaign.variants]
        return results(list(zip(names, campaign.tallies, strict=True)))

    async def list_recipients(
        self, scope: CompanyScope, campaign_id: str, status: RecipientStatus | None, page: PageRequest
    ) -> Page[CampaignRecipient]:
        """List recipients whose turn has come. Raises NOT_FOUND, INVALID_ARGUMENT, INVALID_PAGE_TOKEN."""
        async with self._context.database.reading(scope) as tx:
            await _found(tx, scope, campaign_id)
            return await recipient_store.list_page(tx, scope, campaign_id, status, page)

    async def list(
        self, scope: CompanyScope, state: CampaignState | None, page: PageRequest
    ) -> Page[Campaign]:
        """List campaigns, newest first. Raises INVALID_ARGUMENT or INVALID_PAGE_TOKEN."""
        async with self._context.database.reading(scope) as tx:
            return await campaign_store.list_page(tx, scope, state, page)

    async def demand_sendable(
        self, tx: Transaction, scope: CompanyScope, campaign: Campaign
    ) -> RecipientList:
        """Give a campaign's list, where all can be sent to all of it.

        Raises RECIPIENTS_MISSING, TEMPLATE_VARIABLE_MISSING, SESSION_NOT_LINKED, NOT_FOUND.
        """
        found = await found_list(tx, scope, campaign.list_id)
        if not found.recipients:
            raise PonteError(RECIPIENTS_MISSING)
        demand_variables(campaign, found.field_counts, found.recipients)
        await self._demand_linked(tx, scope, campaign)
        return found

    async def _with_files(self, scope: CompanyScope, draft: CampaignDraft) -> CampaignDraft:
        """Look the variants' files up, in the form in which they are sent."""
        variants: list[GivenVariant] = []
        for position, variant in enumerate(draft.variants):
            if variant.file is not None:
                try:
                    ready = await self._files.resolve(scope, Content(variant.file), draft.start_at)
                except PonteError as error:
                    raise invalid_field(error.code, f"variants[{position}].file", error.sentence) from None
                # A file is made ready as what it is.
                variant = variant._replace(file=cast("File", ready.body))
            variants.append(variant)
        return replace(draft, variants=variants)

    async def _halt(
        self, scope: CompanyScope, campaign_id: str, action: Action, kind: EventType, actor: str
    ) -> Campaign:
        async with self._context.database.transaction(scope) as tx:
            stored = await self._locked(tx, scope, campaign_id)
            state = transition(stored.campaign.state, action)
            await self._messages.take_back(tx, scope, stored.campaign)
            stored = await _found(tx, scope, campaign_id)
            ended_at = self._context.clock() if state in ENDED else None
            campaign = replace(stored.campaign, state=state, ended_at=ended_at)
            await self._note(tx, scope, kind.value.removeprefix("campaign."), campaign, actor)
            return await self._moved(tx, scope, stored, campaign, kind)

    async def _note(
        self, tx: Transaction, scope: CompanyScope, done: str, campaign: Campaign, actor: str
    ) -> None:
        detail: dict[str, object] = {"name": campaign.name, "state": campaign.state.value}
        await audit.append(
            tx, scope, [audit_entry(self._context, actor, f"campaign.{done}", campaign.id, detail)]
        )

    async def _moved(
        self,
        tx: Transaction,
        scope: CompanyScope,
        stored: StoredCampaign,
        campaign: Campaign,
        kind: EventType,
    ) -> Campaign:
        now = self._context.clock()
        rounds = replace(stored.rounds, next_round_at=now)
        await campaign_store.save_standing(tx, scope, campaign, rounds)
        await event_store.append(tx, scope, [campaign_event(kind, campaign)], now, self._context.rng)

        async def ring() -> None:
            await self._context.bells.events_recorded(scope)

        tx.after_commit(ring)
        return campaign

    async def _locked(self, tx: Transaction, scope: CompanyScope, campaign_id: str) -> StoredCampaign:
        await message_store.lock_company(tx, scope)
        stored = await campaign_store.lock(tx, scope, campaign_id) if is_id(campaign_id) else None
        if stored is None:
            raise not_found()
        return stored

    async def _demand_parts(self, tx: Transaction, scope: CompanyScope, campaign: Campaign) -> None:
        await found_list(tx, scope, campaign.list_id)
        known = await dispatch_leases.session_facts(tx, scope, campaign.session_ids)
        if set(campaign.session_ids) - known.keys():
            raise not_found()

    async def _demand_linked(self, tx: Transaction, scope: CompanyScope, campaign: Campaign) -> None:
        facts = await dispatch_leases.session_facts(tx, scope, campaign.session_ids)
        if any(
            session_id not in facts or facts[session_id].state not in LINKED_STATES
            for session_id in campaign.session_ids
        ):
            raise PonteError(SESSION_NOT_LINKED)


def demand_variables(campaign: Campaign, counts: Mapping[str, int], recipients: int) -> None:
    """Raise TEMPLATE_VARIABLE_MISSING where recipients lack a value for a variable without a default."""
    texts = [variant.text for variant in campaign.variants]
    if campaign.confirmation is not None:
        texts.append(campaign.confirmation.text)
    lacking = missing([parse(text) for text in texts], counts, recipients)
    if lacking:
        words = ", ".join(f"{{{name}}} for {count}" for name, count in lacking.items())
        raise PonteError(
            TEMPLATE_VARIABLE_MISSING,
            f"Of {recipients} recipients a value is missing: {words}. "
            "Give the variable a default, as in {name|friend}, or fill in the list.",
        )


def _checked(draft: CampaignDraft, campaign_id: str, scope: CompanyScope, created_at: datetime) -> Campaign:
    session_ids = tuple(dict.fromkeys(draft.session_ids))
    if not 1 <= len(session_ids) <= MOST_SESSIONS:
        raise invalid_field(INVALID_ARGUMENT, "session_ids", f"Give 1 to {MOST_SESSIONS} sessions.")
    if draft.start_at and draft.end_at and draft.end_at <= draft.start_at:
        raise invalid_field(INVALID_ARGUMENT, "end_at", "The end comes before the start.")
    if draft.language not in set(Language):
        raise invalid_field(INVALID_ARGUMENT, "language", f"Give one of {', '.join(Language)}.")
    return Campaign(
        id=campaign_id,
        company_id=scope.company_id,
        name=checked_name(draft.name),
        list_id=draft.list_id,
        session_ids=session_ids,
        variants=checked_variants(draft.variants),
        created_at=created_at,
        time_zone=_checked_zone(draft.time_zone),
        language=Language(draft.language),
        start_at=draft.start_at,
        end_at=draft.end_at,
        confirmation=_checked_confirmation(draft.confirmation),
    )


def _checked_zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (OSError, ValueError, KeyError):
        raise invalid_field(
            INVALID_ARGUMENT, "time_zone", "Give an IANA time zone, such as America/Sao_Paulo."
        ) from None


def _checked_confirmation(confirmation: Confirmation | None) -> Confirmation | None:
    if confirmation is None:
        return None
    checked_text(confirmation.text, "confirmation.text")
    if not 1 <= confirmation.wait_hours <= LONGEST_WAIT_HOURS:
        raise invalid_field(
            INVALID_ARGUMENT, "confirmation.wait_hours", f"Give 1 to {LONGEST_WAIT_HOURS} hours."
        )
    return confirmation


async def _found(tx: Transaction, scope: CompanyScope, campaign_id: str) -> StoredCampaign:
    found = await campaign_store.get(tx, scope, campaign_id) if is_id(campaign_id) else None
    if found is None:
        raise not_found()
    return found
