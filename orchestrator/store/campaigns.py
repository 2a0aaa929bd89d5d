"""Campaigns: what was set up, where they stand, and the sums over their recipients."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    Table,
    and_,
    bindparam,
    delete,
    exists,
    insert,
    or_,
    select,
    update,
)

from orchestrator.domain.campaign.campaign import Campaign, CampaignSession, Confirmation
from orchestrator.domain.campaign.reasons import PassedOver, StopCause
from orchestrator.domain.campaign.results import TALLY_FIELDS, Tally
from orchestrator.domain.campaign.state import ENDED, CampaignState
from orchestrator.domain.campaign.variants import Variant
from orchestrator.domain.campaign.wording import Language
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.page import Page, PageRequest
from orchestrator.store.content_text import read_variant_file, write_content
from orchestrator.store.database import SystemScope, Transaction
from orchestrator.store.models import (
    CampaignRow,
    CampaignSessionRow,
    CampaignVariantRow,
    EventRow,
    MessageRow,
)
from orchestrator.store.outbox import OF_A_CAMPAIGN
from orchestrator.store.paging import after_token, page_of

_campaigns: Table = CampaignRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_variants: Table = CampaignVariantRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_sessions: Table = CampaignSessionRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_messages: Table = MessageRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_events: Table = EventRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it

_NEWS_OF_ITS_CHATS = (
    select(_events.c.sequence)
    .where(
        _events.c.company_id == _campaigns.c.company_id,
        _events.c.sequence > _campaigns.c.event_cursor,
        _messages.c.campaign_id == _campaigns.c.id,
        _messages.c.chat_jid == _events.c.chat_jid,
        OF_A_CAMPAIGN,
    )
    .correlate(_campaigns)
    .exists()
)
_DUE = (
    select(_campaigns.c.company_id, _campaigns.c.id)
    .where(
        _campaigns.c.next_round_at <= bindparam("until"),
        or_(
            _campaigns.c.next_round_at <= bindparam("now"),
            and_(
                _campaigns.c.next_round_at > bindparam("after"),
                _campaigns.c.state == CampaignState.RUNNING.value,
                _NEWS_OF_ITS_CHATS,
            ),
        ),
    )
    .order_by(_campaigns.c.next_round_at)
    .limit(bindparam("most"))
)


@dataclass(frozen=True, slots=True)
class Rounds:
    """What the rounds of a campaign remember. Events up to `event_cursor` are counted; `forgiven` is the tally (sent,
    opted out) when a person last resumed it; `told_done` and `told_at` are of the last progress event."""

    event_cursor: int = 0
    next_round_at: datetime | None = None
    forgiven: Tally = field(default_factory=Tally)
    told_done: int = 0
    told_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StoredCampaign:
    """A campaign with its sessions' cursors and its rounds."""

    campaign: Campaign
    sessions: tuple[CampaignSession, ...]
    rounds: Rounds


async def add(tx: Transaction, scope: CompanyScope, new: Campaign) -> None:
    """Store a new draft."""
    await tx.connection.execute(
        insert(_campaigns).values(
            id=new.id,
            company_id=scope.company_id,
            created_at=new.created_at,
            list_id=new.list_id,
            **_settings(new),
            **_standing(new, Rounds()),
        )
    )
    await _add_parts(tx, scope, new)


async def change(tx: Transaction, scope: CompanyScope, changed: Campaign) -> None:
    """Overwrite a draft's settings, variants and sessions."""
    for table in (_variants, _sessions):
        await tx.connection.execute(
            delete(table).where(table.c.company_id == scope.company_id, table.c.campaign_id == changed.id)
        )
    await tx.connection.execute(
        update(_campaigns).where(_is(scope, changed.id)).values(list_id=changed.list_id, **_settings(changed))
    )
    await _add_parts(tx, scope, changed)


async def get(tx: Transaction, scope: CompanyScope, campaign_id: str) -> StoredCampaign | None:
    """Look a campaign up."""
    return await _one(tx, scope, select(_campaigns).where(_is(scope, campaign_id)))


async def lock(tx: Transaction, scope: CompanyScope, campaign_id: str) -> StoredCampaign | None:
    """As `get`; nobody else changes it until the transaction ends. Lock the company before (`lock_company`)."""
    return await _one(tx, scope, select(_campaigns).where(_is(scope, campaign_id)).with_for_update())


async def list_page(
    tx: Transaction, scope: CompanyScope, state: CampaignState | None, page: PageRequest
) -> Page[Campaign]:
    """List campaigns, newest first. Raises INVALID_ARGUMENT or INVALID_PAGE_TOKEN for a bad page."""
    query = select(_campaigns).where(
        _campaigns.c.company_id == scope.company_id, _campaigns.c.deleted_at.is_(None)
    )
    if state:
        query = query.where(_campaigns.c.state == state.value)
    rows = (await tx.connection.execute(after_token(query, _campaigns.c.id, page))).mappings().all()
    stored = await _with_parts(tx, scope, rows)
    return page_of([found.campaign for found in stored], page, lambda campaign: campaign.id)


async def remove(tx: Transaction, scope: CompanyScope, campaign_id: str, now: datetime) -> None:
    """Hide a campaign."""
    await tx.connection.execute(
        update(_campaigns).where(_is(scope, campaign_id)).values(deleted_at=now, next_round_at=None)
    )


async def save_standing(tx: Transaction, scope: CompanyScope, campaign: Campaign, rounds: Rounds) -> None:
    """Write where a locked campaign stands; not its settings nor its tallies."""
    await tx.connection.execute(
        update(_campaigns).where(_is(scope, campaign.id)).values(**_standing(campaign, rounds))
    )


async def save_session(
    tx: Transaction, scope: CompanyScope, campaign_id: str, session: CampaignSession
) -> None:
    """Write how far a number's part was laid in."""
    await tx.connection.execute(
        update(_sessions)
        .where(
            _sessions.c.company_id == scope.company_id,
            _sessions.c.campaign_id == campaign_id,
            _sessions.c.slot == session.slot,
        )
        .values(cursor=session.cursor, last_variant=session.last_variant)
    )


async def count(
    tx: Transaction, scope: CompanyScope, campaign_id: str, moves: Mapping[int, Mapping[str, int]]
) -> None:
    """Add to the tallies: variant -> counter -> by how much."""
    for position, changes in sorted(moves.items()):
        await tx.connection.execute(
            update(_variants)
            .where(
                _variants.c.company_id == scope.company_id,
                _variants.c.campaign_id == campaign_id,
                _variants.c.position == position,
            )
            .values({name: _variants.c[name] + amount for name, amount in changes.items()})
        )


async def uses_list(tx: Transaction, scope: CompanyScope, list_id: str) -> bool:
    """Tell whether a campaign that has not ended uses a list."""
    query = select(
        exists().where(
            _campaigns.c.company_id == scope.company_id,
            _campaigns.c.list_id == list_id,
            _campaigns.c.deleted_at.is_(None),
            _campaigns.c.state.not_in([state.value for state in ENDED]),
        )
    )
    return bool((await tx.connection.execute(query)).scalar_one())


async def beside(
    tx: Transaction, scope: CompanyScope, campaign_id: str, session_ids: Sequence[str]
) -> list[Campaign]:
    """Other campaigns that are running or wait for their time, and use any of these sessions; the oldest first."""
    query = (
        select(_campaigns)
        .where(
            _campaigns.c.company_id == scope.company_id,
            _campaigns.c.id != campaign_id,
            _campaigns.c.deleted_at.is_(None),
            _campaigns.c.state.in_([CampaignState.SCHEDULED.value, CampaignState.RUNNING.value]),
            exists().where(
                _sessions.c.campaign_id == _campaigns.c.id, _sessions.c.session_id.in_(session_ids)
            ),
        )
        .order_by(_campaigns.c.id)
    )
    rows = (await tx.connection.execute(query)).mappings().all()
    return [stored.campaign for stored in await _with_parts(tx, scope, rows)]


async def due(
    tx: Transaction, scope: SystemScope, now: datetime, woken: tuple[datetime, datetime], most: int
) -> list[tuple[CompanyScope, str]]:
    """Campaigns whose round is due, the longest waiting first; across companies.

    Due are also running ones whose next round is within `woken` (later than the first, up to the second) and of whose
    chats the event log has something new.
    """
    del scope  # The transaction was opened for all companies.
    after, until = woken
    arguments = {"now": now, "after": after, "until": until, "most": most}
    return [(CompanyScope(row.company_id), row.id) for row in await tx.connection.execute(_DUE, arguments)]


def _is(scope: CompanyScope, campaign_id: str) -> ColumnElement[bool]:
    return and_(
        _campaigns.c.company_id == scope.company_id,
        _campaigns.c.id == campaign_id,
        _campaigns.c.deleted_at.is_(None),
    )


async def _add_parts(tx: Transaction, scope: CompanyScope, campaign: Campaign) -> None:
    owned = {"campaign_id": campaign.id, "company_id": scope.company_id}
    zeros = dict.fromkeys(TALLY_FIELDS, 0)
    await tx.connection.execute(
        insert(_variants),
        [
            {
                **owned,
                **zeros,
                "position": position,
                "name": variant.name,
                "text": variant.text,
                "file": write_content(variant.content("")),
            }
            for position, variant in enumerate(campaign.variants)
        ],
    )
    await tx.connection.execute(
        insert(_sessions),
        [
            {**owned, "slot": slot, "session_id": session_id, "cursor": 0, "last_variant": None}
            for slot, session_id in enumerate(campaign.session_ids)
        ],
    )


async def _one(tx: Transaction, scope: CompanyScope, query: Any) -> StoredCampaign | None:
    rows = (await tx.connection.execute(query)).mappings().all()
    return next(iter(await _with_parts(tx, scope, rows)), None)


async def _with_parts(
    tx: Transaction, scope: CompanyScope, rows: Sequence[RowMapping]
) -> list[StoredCampaign]:
    ids = [row["id"] for row in rows]
    if not ids:
        return []
    variants = await _parts(tx, scope, _variants, _variants.c.position, ids)
    sessions = await _parts(tx, scope, _sessions, _sessions.c.slot, ids)
    return [_to_stored(row, variants[row["id"]], sessions[row["id"]]) for row in rows]


async def _parts(
    tx: Transaction, scope: CompanyScope, table: Table, order: ColumnElement[Any], ids: Sequence[str]
) -> dict[str, list[RowMapping]]:
    query = (
        select(table)
        .where(table.c.company_id == scope.company_id, table.c.campaign_id.in_(ids))
        .order_by(order)
    )
    found: dict[str, list[RowMapping]] = {campaign_id: [] for campaign_id in ids}
    for row in (await tx.connection.execute(query)).mappings():
        found[row["campaign_id"]].append(row)
    return found


def _settings(campaign: Campaign) -> dict[str, Any]:
    return {
        "name": campaign.name,
        "time_zone": campaign.time_zone,
        "language": campaign.language.value,
        "start_at": campaign.start_at,
        "end_at": campaign.end_at,
        "confirmation": asdict(campaign.confirmation) if campaign.confirmation else None,
    }


def _standing(campaign: Campaign, rounds: Rounds) -> dict[str, Any]:
    return {
        "state": campaign.state.value,
        "recipients": campaign.recipients,
        "started_at": campaign.started_at,
        "ended_at": campaign.ended_at,
        "stop_cause": campaign.stop_cause.value if campaign.stop_cause else "",
        "stop_detail": campaign.stop_detail[:300],
        "passed_over": {reason.value: count for reason, count in campaign.passed_over.items()},
        "event_cursor": rounds.event_cursor,
        "next_round_at": rounds.next_round_at,
        "forgiven_sent": rounds.forgiven.sent,
        "forgiven_opt_outs": rounds.forgiven.opted_out,
        "told_done": rounds.told_done,
        "told_at": rounds.told_at,
    }


def _to_stored(
    row: RowMapping, variants: Sequence[RowMapping], sessions: Sequence[RowMapping]
) -> StoredCampaign:
    kept = row["confirmation"]
    campaign = Campaign(
        id=row["id"],
        company_id=row["company_id"],
        name=row["name"],
        list_id=row["list_id"],
        session_ids=tuple(session["session_id"] for session in sessions),
        variants=tuple(
            Variant(variant["name"], variant["text"], read_variant_file(variant["file"]))
            for variant in variants
        ),
        created_at=row["created_at"],
        state=CampaignState(row["state"]),
        time_zone=row["time_zone"],
        language=Language(row["language"]),
        start_at=row["start_at"],
        end_at=row["end_at"],
        confirmation=Confirmation(kept["text"], tuple(kept["yes_words"]), kept["wait_hours"])
        if kept
        else None,
        recipients=row["recipients"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        stop_cause=StopCause(row["stop_cause"]) if row["stop_cause"] else None,
        stop_detail=row["stop_detail"],
        tallies=tuple(Tally(**{name: variant[name] for name in TALLY_FIELDS}) for variant in variants),
        passed_over={PassedOver(reason): count for reason, count in row["passed_over"].items()},
    )
    rounds = Rounds(
        row["event_cursor"],
        row["next_round_at"],
        Tally(sent=row["forgiven_sent"], opted_out=row["forgiven_opt_outs"]),
        row["told_done"],
        row["told_at"],
    )
    parts = tuple(
        CampaignSession(session["session_id"], session["slot"], session["cursor"], session["last_variant"])
        for session in sessions
    )
    return StoredCampaign(campaign, parts, rounds)
