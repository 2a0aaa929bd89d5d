"""The audit log of a company: entries are added and read, nothing else (the database refuses more)."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Table, insert, select

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.consent import AuditEntry
from orchestrator.domain.page import Page, PageRequest
from orchestrator.store.database import Transaction
from orchestrator.store.json_text import dump_json
from orchestrator.store.models import AuditRow
from orchestrator.store.paging import after_token, page_of

_audit: Table = AuditRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it


async def append(tx: Transaction, scope: CompanyScope, entries: Sequence[AuditEntry]) -> None:
    """Add entries, in the transaction of what they tell of."""
    if entries:
        rows = [
            {
                "id": entry.id,
                "company_id": scope.company_id,
                "at": entry.at,
                "actor": entry.actor,
                "action": entry.action,
                "subject": entry.subject,
                "detail": dump_json(dict(entry.detail or {})),
            }
            for entry in entries
        ]
        await tx.connection.execute(insert(_audit), rows)


async def list_page(
    tx: Transaction, scope: CompanyScope, action: str, subject: str, page: PageRequest
) -> Page[AuditEntry]:
    """List entries, newest first; of one action or subject only where it is given."""
    query = select(_audit).where(_audit.c.company_id == scope.company_id)
    if action:
        query = query.where(_audit.c.action == action)
    if subject:
        query = query.where(_audit.c.subject == subject)
    rows = await tx.connection.execute(after_token(query, _audit.c.id, page))
    return page_of([_to_entry(row) for row in rows], page, lambda entry: entry.id)


def _to_entry(row: Row[Any]) -> AuditEntry:
    return AuditEntry(row.id, row.at, row.actor, row.action, row.subject, json.loads(row.detail))
