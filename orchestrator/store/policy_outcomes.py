"""What became of a session's messages: the shares that the sending policy reacts to."""

from datetime import datetime, timedelta

from sqlalchemy import String, bindparam, text

from orchestrator.domain.company import CompanyScope
from orchestrator.store.database import Transaction
from orchestrator.store.models.base import UtcDateTime

_LONG_AGO = timedelta(days=3)
"""Older deliveries say nothing about now."""

_MOST_DELIVERIES = 500

_FINISHED = text(
    """
SELECT COUNT(*) AS finished, COALESCE(SUM(failed), 0) AS failed FROM (
    SELECT CASE WHEN message.status = 'FAILED' THEN 1 ELSE 0 END AS failed
    FROM session_send JOIN message ON message.id = session_send.message_id
    WHERE session_send.company_id = :company AND session_send.session_id = :session AND session_send.at > :since
      AND message.status IN ('SENT', 'DELIVERED', 'READ', 'PLAYED', 'FAILED')
      AND session_send.at = (SELECT MAX(latest.at) FROM session_send AS latest WHERE latest.message_id = message.id)
    ORDER BY session_send.at DESC LIMIT :most
) AS outcome"""
).bindparams(
    bindparam("company", type_=String),
    bindparam("session", type_=String),
    bindparam("since", type_=UtcDateTime),
)
_DELIVERED = text(
    """
SELECT COUNT(*) AS sent, COALESCE(SUM(delivered), 0) AS delivered FROM (
    SELECT CASE WHEN message.delivered_at IS NOT NULL THEN 1 ELSE 0 END AS delivered
    FROM session_send JOIN message ON message.id = session_send.message_id
    WHERE session_send.company_id = :company AND session_send.session_id = :session
      AND session_send.at > :since AND session_send.at <= :old
      AND message.status IN ('SENT', 'DELIVERED', 'READ', 'PLAYED')
    ORDER BY session_send.at DESC LIMIT :most
) AS outcome"""
).bindparams(
    bindparam("company", type_=String),
    bindparam("session", type_=String),
    bindparam("since", type_=UtcDateTime),
    bindparam("old", type_=UtcDateTime),
)
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


async def count_finished(
    tx: Transaction, scope: CompanyScope, session_id: str, since: datetime | None, most: int
) -> tuple[int, int]:
    """Of the newest messages (at most `most`) that were sent or failed for good after `since`: how many, and how many
    of them failed."""
    arguments = {
        "company": scope.company_id,
        "session": session_id,
        "since": since or _EPOCH,
        "most": most,
    }
    row = (await tx.connection.execute(_FINISHED, arguments)).one()
    return int(row.finished), int(row.failed)


async def count_delivered(
    tx: Transaction, scope: CompanyScope, session_id: str, since: datetime | None, old: datetime
) -> tuple[int, int]:
    """Of the messages that were sent after `since` and no later than `old`: how many, and how many were delivered."""
    arguments = {
        "company": scope.company_id,
        "session": session_id,
        "since": max(since or _EPOCH, old - _LONG_AGO),
        "old": old,
        "most": _MOST_DELIVERIES,
    }
    row = (await tx.connection.execute(_DELIVERED, arguments)).one()
    return int(row.sent), int(row.delivered)
