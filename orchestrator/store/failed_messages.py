"""Messages that failed for good: dead letters, which people may queue again."""

from sqlalchemy import Table, select

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.message import Direction, MessageStatus
from orchestrator.domain.message_filter import FailedFilter
from orchestrator.store.database import Transaction
from orchestrator.store.models import MessageRow

_messages: Table = MessageRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it


async def find_ids(tx: Transaction, scope: CompanyScope, wanted: FailedFilter, most: int) -> list[str]:
    """Give the ids of at most `most` failed messages that match, the oldest first."""
    query = (
        select(_messages.c.id)
        .where(
            _messages.c.company_id == scope.company_id,
            _messages.c.status == MessageStatus.FAILED.value,
            _messages.c.direction == Direction.OUTBOUND.value,
        )
        .order_by(_messages.c.sequence)
        .limit(most)
    )
    if wanted.error_code:
        query = query.where(_messages.c.error_code == wanted.error_code)
    if wanted.session_id:
        query = query.where(_messages.c.session_id == wanted.session_id)
    if wanted.campaign_id:
        query = query.where(_messages.c.campaign_id == wanted.campaign_id)
    if wanted.failed_after is not None:
        query = query.where(_messages.c.failed_at > wanted.failed_after)
    if wanted.failed_before is not None:
        query = query.where(_messages.c.failed_at < wanted.failed_before)
    return list((await tx.connection.execute(query)).scalars())
