"""Files of received messages that are still to be fetched."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Table, delete, insert, select, update

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.message import Message
from orchestrator.store.database import SystemScope, Transaction
from orchestrator.store.id_lists import padded
from orchestrator.store.models import MediaDownloadRow

_downloads: Table = MediaDownloadRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it


@dataclass(frozen=True, slots=True)
class DueDownload:
    """A message whose file is to be fetched now; `attempts` were made before."""

    scope: CompanyScope
    session_id: str
    message_id: str
    attempts: int


async def add(tx: Transaction, scope: CompanyScope, messages: Sequence[Message], now: datetime) -> None:
    """Note that the files of these messages are to be fetched."""
    if messages:
        rows = [
            {
                "message_id": message.id,
                "company_id": scope.company_id,
                "session_id": message.session_id,
                "attempts": 0,
                "imported": message.imported,
                "next_attempt_at": now,
                "created_at": now,
            }
            for message in messages
        ]
        await tx.connection.execute(insert(_downloads), rows)


async def list_due(
    tx: Transaction, scope: SystemScope, session_ids: Sequence[str], now: datetime, limit: int
) -> list[DueDownload]:
    """List what is due of these sessions: files of live messages first, then the longest due."""
    del scope  # The transaction was opened for all companies.
    query = (
        select(_downloads)
        .where(_downloads.c.session_id.in_(padded(session_ids)), _downloads.c.next_attempt_at <= now)
        .order_by(_downloads.c.imported, _downloads.c.next_attempt_at)
        .limit(limit)
    )
    return [
        DueDownload(CompanyScope(row.company_id), row.session_id, row.message_id, row.attempts)
        for row in await tx.connection.execute(query)
    ]


async def postpone(
    tx: Transaction, scope: CompanyScope, message_id: str, attempts: int, until: datetime
) -> None:
    """Try again at that time, after `attempts` in all."""
    await tx.connection.execute(
        update(_downloads)
        .where(_downloads.c.company_id == scope.company_id, _downloads.c.message_id == message_id)
        .values(attempts=attempts, next_attempt_at=until)
    )


async def remove(tx: Transaction, scope: CompanyScope, message_id: str) -> bool:
    """Fetch no more; False where somebody else has removed it."""
    statement = delete(_downloads).where(
        _downloads.c.company_id == scope.company_id, _downloads.c.message_id == message_id
    )
    return (await tx.connection.execute(statement)).rowcount > 0
