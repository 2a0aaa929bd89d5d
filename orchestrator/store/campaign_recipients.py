"""What became of each recipient of a campaign whose turn has come."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    RowMapping,
    String,
    Table,
    and_,
    bindparam,
    func,
    insert,
    literal_column,
    select,
    text,
    update,
)

from orchestrator.domain.campaign.campaign import CampaignRecipient, RecipientStatus
from orchestrator.domain.campaign.reasons import PassedOver
from orchestrator.domain.campaign.variants import wording_key
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.message import Lane, MessageStatus
from orchestrator.domain.page import Page, PageRequest
from orchestrator.store.content_text import read_variant_file
from orchestrator.store.database import Transaction
from orchestrator.store.id_lists import padded
from orchestrator.store.models import CampaignRecipientRow, CampaignVariantRow, MessageRow
from orchestrator.store.models.base import UtcDateTime
from orchestrator.store.outbox import IS_WAITING
from orchestrator.store.paging import after_token, page_of

_recipients: Table = CampaignRecipientRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_variants: Table = CampaignVariantRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_messages: Table = MessageRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it

_INSERT = insert(_recipients)
_CHANGING = (
    "status",
    "variant",
    "message_id",
    "follow_up_id",
    "generation",
    "reason",
    "replied",
    "opted_out",
    "updated_at",
)
_WITHDRAW = update(_messages).values(status=MessageStatus.CANCELLED.value, due_at=None)
_SAVE = (
    update(_recipients)
    .where(
        _recipients.c.company_id == bindparam("b_company"),
        _recipients.c.campaign_id == bindparam("b_campaign"),
        _recipients.c.position == bindparam("b_position"),
    )
    .values({name: bindparam(f"b_{name}") for name in _CHANGING})
)
_COUNT_WAITING = text(
    "SELECT COUNT(*) AS waiting, COALESCE(SUM(CASE WHEN due_at > :soon THEN 0 ELSE 1 END), 0) AS soon"
    " FROM (SELECT due_at FROM message WHERE company_id = :company AND session_id = :session"
    " AND lane = 'CAMPAIGN' AND message.status IN ('QUEUED', 'SENDING') LIMIT :most) AS waiting"
).bindparams(
    bindparam("company", type_=String),
    bindparam("session", type_=String),
    bindparam("soon", type_=UtcDateTime),
    bindparam("most", type_=Integer),
)


async def add(tx: Transaction, scope: CompanyScope, recipients: Sequence[CampaignRecipient]) -> None:
    """Store recipients whose turn has come, in one statement."""
    if recipients:
        await tx.connection.execute(_INSERT, [_to_row(scope, recipient) for recipient in recipients])


async def save(tx: Transaction, scope: CompanyScope, recipients: Sequence[CampaignRecipient]) -> None:
    """Write what can change."""
    if recipients:
        arguments = [
            {f"b_{name}": value for name, value in _changes(recipient).items()}
            | {
                "b_company": scope.company_id,
                "b_campaign": recipient.campaign_id,
                "b_position": recipient.position,
            }
            for recipient in recipients
        ]
        await tx.connection.execute(_SAVE, arguments)


async def by_messages(
    tx: Transaction, scope: CompanyScope, campaign_id: str, message_ids: Collection[str]
) -> dict[str, CampaignRecipient]:
    """Find a campaign's recipients by their message's id."""
    query = select(_recipients).where(
        _recipients.c.company_id == scope.company_id,
        _recipients.c.campaign_id == campaign_id,
        _recipients.c.message_id.in_(padded(message_ids)),
    )
    return {row["message_id"]: _to_recipient(row) for row in (await tx.connection.execute(query)).mappings()}


async def by_numbers(
    tx: Transaction, scope: CompanyScope, campaign_id: str, numbers: Collection[str]
) -> dict[str, CampaignRecipient]:
    """Find a campaign's recipients by phone number (E.164)."""
    query = select(_recipients).where(
        _recipients.c.company_id == scope.company_id,
        _recipients.c.campaign_id == campaign_id,
        _recipients.c.phone_number.in_(padded(numbers)),
    )
    rows = (await tx.connection.execute(query)).mappings()
    return {row["phone_number"]: _to_recipient(row) for row in rows}


async def pending(
    tx: Transaction, scope: CompanyScope, campaign_id: str, session_id: str, most: int
) -> list[CampaignRecipient]:
    """Give those that a pause took back, in the order of the list."""
    query = (
        select(_recipients)
        .where(
            _recipients.c.company_id == scope.company_id,
            _recipients.c.campaign_id == campaign_id,
            _recipients.c.status == literal_column(f"'{RecipientStatus.PENDING.value}'"),
            _recipients.c.session_id == session_id,
        )
        .order_by(_recipients.c.position)
        .limit(most)
    )
    return [_to_recipient(row) for row in (await tx.connection.execute(query)).mappings()]


async def count_pending(tx: Transaction, scope: CompanyScope, campaign_id: str) -> int:
    """Count those that a pause took back."""
    query = (
        select(func.count())
        .select_from(_recipients)
        .where(
            _recipients.c.company_id == scope.company_id,
            _recipients.c.campaign_id == campaign_id,
            _recipients.c.status == RecipientStatus.PENDING.value,
        )
    )
    number: int = (await tx.connection.execute(query)).scalar_one()
    return number


async def list_page(
    tx: Transaction,
    scope: CompanyScope,
    campaign_id: str,
    status: RecipientStatus | None,
    page: PageRequest,
) -> Page[CampaignRecipient]:
    """List those whose turn has come, the last of the list first. Raises INVALID_ARGUMENT or INVALID_PAGE_TOKEN."""
    query = select(_recipients).where(
        _recipients.c.company_id == scope.company_id, _recipients.c.campaign_id == campaign_id
    )
    if status:
        query = query.where(_recipients.c.status == status.value)
    rows = (await tx.connection.execute(after_token(query, _recipients.c.position, page))).mappings()
    return page_of([_to_recipient(row) for row in rows], page, lambda found: found.position)


async def count_waiting(
    tx: Transaction, scope: CompanyScope, session_id: str, soon: datetime, most: int
) -> tuple[int, int]:
    """Count the campaign messages in a session's outbox, up to `most`: those due before `soon`, and all."""
    arguments = {"company": scope.company_id, "session": session_id, "soon": soon, "most": most}
    row = (await tx.connection.execute(_COUNT_WAITING, arguments)).one()
    return int(row.soon), int(row.waiting)


async def withdraw(
    tx: Transaction, scope: CompanyScope, campaign_id: str, session_ids: Sequence[str]
) -> list[str]:
    """Cancel the campaign's messages that wait and were never tried; gives their ids. Others go their way."""
    statement = _WITHDRAW.where(_never_tried(scope, campaign_id, session_ids)).returning(_messages.c.id)
    return list((await tx.connection.execute(statement)).scalars())


async def withdraw_held(
    tx: Transaction,
    scope: CompanyScope,
    campaign_id: str,
    session_ids: Sequence[str],
    codes: Collection[str],
) -> dict[str, str]:
    """As `withdraw`, of those that the policy holds for one of these reasons: message id -> reason."""
    statement = _WITHDRAW.where(
        _never_tried(scope, campaign_id, session_ids), _messages.c.waiting_code.in_(codes)
    ).returning(_messages.c.id, _messages.c.waiting_code)
    return {row.id: row.waiting_code for row in await tx.connection.execute(statement)}


def _never_tried(scope: CompanyScope, campaign_id: str, session_ids: Sequence[str]) -> ColumnElement[bool]:
    return and_(
        _messages.c.company_id == scope.company_id,
        _messages.c.session_id.in_(padded(session_ids)),
        _messages.c.lane == Lane.CAMPAIGN.value,
        IS_WAITING,
        _messages.c.status == MessageStatus.QUEUED.value,
        _messages.c.campaign_id == campaign_id,
        _messages.c.attempts == 0,
    )


async def last_wordings(
    tx: Transaction, scope: CompanyScope, numbers: Collection[str], but_not_of: str
) -> dict[str, str]:
    """Give the key of the wording that each of the numbers got last from another campaign, if any."""
    query = (
        select(_recipients.c.phone_number, _variants.c.text, _variants.c.file)
        .join(
            _variants,
            and_(
                _variants.c.campaign_id == _recipients.c.campaign_id,
                _variants.c.position == _recipients.c.variant,
            ),
        )
        .where(
            _recipients.c.company_id == scope.company_id,
            _recipients.c.phone_number.in_(padded(numbers)),
            _recipients.c.campaign_id != but_not_of,
        )
        .order_by(_recipients.c.updated_at)
    )
    return {
        row.phone_number: wording_key(row.text, read_variant_file(row.file))
        for row in await tx.connection.execute(query)
    }


async def last_update(tx: Transaction, scope: CompanyScope, campaign_id: str) -> datetime | None:
    """When anything last happened to one of the campaign's recipients."""
    query = select(func.max(_recipients.c.updated_at)).where(
        _recipients.c.company_id == scope.company_id, _recipients.c.campaign_id == campaign_id
    )
    found: datetime | None = (await tx.connection.execute(query)).scalar_one()
    return found


def _to_row(scope: CompanyScope, recipient: CampaignRecipient) -> dict[str, Any]:
    return {
        "campaign_id": recipient.campaign_id,
        "position": recipient.position,
        "company_id": scope.company_id,
        "session_id": recipient.session_id,
        "phone_number": recipient.phone_number,
        **_changes(recipient),
    }


def _changes(recipient: CampaignRecipient) -> dict[str, Any]:
    return {
        "status": recipient.status.value,
        "variant": recipient.variant,
        "message_id": recipient.message_id,
        "follow_up_id": recipient.follow_up_id,
        "generation": recipient.generation,
        "reason": recipient.reason.value if recipient.reason else "",
        "replied": recipient.replied,
        "opted_out": recipient.opted_out,
        "updated_at": recipient.updated_at,
    }


def _to_recipient(row: RowMapping) -> CampaignRecipient:
    return CampaignRecipient(
        campaign_id=row["campaign_id"],
        position=row["position"],
        session_id=row["session_id"],
        phone_number=row["phone_number"],
        status=RecipientStatus(row["status"]),
        updated_at=row["updated_at"],
        variant=row["variant"],
        message_id=row["message_id"],
        follow_up_id=row["follow_up_id"],
        generation=row["generation"],
        reason=PassedOver(row["reason"]) if row["reason"] else None,
        replied=row["replied"],
        opted_out=row["opted_out"],
    )
