"""Companies, and what goes with one that is deleted."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, Table, delete, insert, select, update

from orchestrator.domain.company import Company, CompanyScope
from orchestrator.domain.message import MessageStatus
from orchestrator.domain.page import Page, PageRequest
from orchestrator.domain.session import DesiredState
from orchestrator.store.database import SystemScope, Transaction
from orchestrator.store.models import (
    ApiKeyRow,
    ArchivedCredentialsRow,
    AuthCredentialsRow,
    AuthKeyRow,
    CompanyRow,
    EventCounterRow,
    MessageRow,
    SessionRow,
    WebhookRow,
)
from orchestrator.store.paging import after_token, page_of


def _table(model: Any) -> Table:
    table: Table = model.__table__
    return table


_companies = _table(CompanyRow)
_keys = _table(ApiKeyRow)
_sessions = _table(SessionRow)
_webhooks = _table(WebhookRow)
_messages = _table(MessageRow)
_auth_state = [_table(model) for model in (AuthCredentialsRow, AuthKeyRow, ArchivedCredentialsRow)]

_WAITING = (MessageStatus.QUEUED.value, MessageStatus.SENDING.value)


async def add(tx: Transaction, scope: SystemScope, company: Company) -> None:
    """Insert a company, and the counter of its events."""
    row = {
        "id": company.id,
        "name": company.name,
        "max_sessions": company.max_sessions,
        "created_at": company.created_at,
    }
    await tx.connection.execute(insert(_companies), row)
    counter = {"company_id": company.id, "last_sequence": 0}
    await tx.connection.execute(insert(_table(EventCounterRow)), counter)


async def get(tx: Transaction, scope: CompanyScope) -> Company | None:
    """Give the company, None where it is unknown or deleted."""
    query = select(_companies).where(_companies.c.id == scope.company_id, _companies.c.deleted_at.is_(None))
    row = (await tx.connection.execute(query)).one_or_none()
    return _to_company(row) if row is not None else None


async def list_page(tx: Transaction, scope: SystemScope, page: PageRequest) -> Page[Company]:
    """All companies, newest first."""
    query = after_token(select(_companies).where(_companies.c.deleted_at.is_(None)), _companies.c.id, page)
    rows = (await tx.connection.execute(query)).all()
    return page_of([_to_company(row) for row in rows], page, lambda company: company.id)


async def change(
    tx: Transaction, scope: CompanyScope, *, name: str | None, max_sessions: int | None
) -> Company | None:
    """Change what is not None; gives the company after it, None where there is none."""
    changes = {
        column: value
        for column, value in (("name", name), ("max_sessions", max_sessions))
        if value is not None
    }
    if changes:
        here = (_companies.c.id == scope.company_id, _companies.c.deleted_at.is_(None))
        await tx.connection.execute(update(_companies).where(*here).values(changes))
    return await get(tx, scope)


async def remove(tx: Transaction, scope: CompanyScope, now: datetime) -> list[str] | None:
    """Hide a company, end all that runs for it and remove its auth state; its messages and events stay.

    The fence of every session is raised, so that whoever still holds one cannot write auth state any more.
    Gives the ids of the sessions that were ended, None where there is no such company.
    """
    company = scope.company_id
    hidden = await tx.connection.execute(
        update(_companies)
        .where(_companies.c.id == company, _companies.c.deleted_at.is_(None))
        .values(deleted_at=now)
    )
    if hidden.rowcount == 0:
        return None
    await tx.connection.execute(
        update(_keys)
        .where(_keys.c.company_id == company, _keys.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    ended = await tx.connection.execute(
        update(_sessions)
        .where(_sessions.c.company_id == company, _sessions.c.deleted_at.is_(None))
        .values(
            desired_state=DesiredState.STOP.value, deleted_at=now, fence=_sessions.c.fence + 1, qr_data=""
        )
        .returning(_sessions.c.id)
    )
    session_ids = list(ended.scalars())
    await tx.connection.execute(
        update(_webhooks)
        .where(_webhooks.c.company_id == company, _webhooks.c.deleted_at.is_(None))
        .values(deleted_at=now, enabled=False)
    )
    await tx.connection.execute(
        update(_messages)
        .where(_messages.c.company_id == company, _messages.c.status.in_(_WAITING))
        .values(status=MessageStatus.CANCELLED.value, due_at=None, claimed_until=None)
    )
    for table in _auth_state:
        await tx.connection.execute(delete(table).where(table.c.company_id == company))
    return session_ids


def _to_company(row: Row[Any]) -> Company:
    return Company(row.id, row.name, row.max_sessions, row.created_at)
