"""The audit log of a company: entries are added and read, nothing else (the database refuses more)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, Table, insert, select

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.consent import AuditEntry
from orchestrator.domain.page import Page, PageRequest
from orchestrator.store.database import Transaction
from orchestrator.store.json_text import dump_json
from orchestrator.store.models import AuditRow
from orchestrator.store.paging import after_token, page_of

_audit: Table = AuditRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries are wanted; what is not given lets all through. `since` is inclusive, `until` is not."""

    action: str = ""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None


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
    tx: Transaction, scope: CompanyScope, wanted: AuditFilter, page: PageRequest
) -> Page[AuditEntry]:
    """List entries, newest first."""
    query = _matching(scope, wanted)
    rows = await tx.connection.execute(after_token(query, _audit.c.id, page))
    return page_of([_to_entry(row) for row in rows], page, lambda entry: entry.id)


async def list_after(
    tx: Transaction, scope: CompanyScope, wanted: AuditFilter, last_id: str, most: int
) -> list[AuditEntry]:
    """Give at most `most` entries after the one with this id (from the start where it is empty), oldest first."""
    query = _matching(scope, wanted).where(_audit.c.id > last_id).order_by(_audit.c.id).limit(most)
    return [_to_entry(row) for row in await tx.connection.execute(query)]


def _matching(scope: CompanyScope, wanted: AuditFilter) -> Select[Any]:
    query = select(_audit).where(_audit.c.company_id == scope.company_id)
    if wanted.action:
        query = query.where(_audit.c.action == wanted.action)
    if wanted.subject:
        query = query.where(_audit.c.subject == wanted.subject)
    if wanted.since is not None:
        query = query.where(_audit.c.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(_audit.c.at < wanted.until)
    return query


def _to_entry(row: Row[Any]) -> AuditEntry:
    return AuditEntry(row.id, row.at, row.actor, row.action, row.subject, json.loads(row.detail))
