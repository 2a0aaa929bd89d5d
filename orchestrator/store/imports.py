"""Conversation imports: what was asked for, where each stands, whose turn it is."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Table, func, insert, select, update

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.exported_chat.lines import DateOrder
from orchestrator.domain.imports import (
    Counts,
    ExportWish,
    HistoryWish,
    Import,
    ImportKind,
    ImportState,
)
from orchestrator.domain.page import Page, PageRequest
from orchestrator.store.database import SystemScope, Transaction
from orchestrator.store.models import ConversationImportRow
from orchestrator.store.paging import after_token, page_of

_imports: Table = ConversationImportRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it

_IS_OPEN = _imports.c.state.in_((ImportState.WAITING.value, ImportState.RUNNING.value))
_MOST_DETAIL = 500


@dataclass(frozen=True, slots=True)
class StoredImport:
    """An import, which is looked at again at `next_step_at`.

    `faults` are attempts in a row that brought nothing, the one under way among them; `told_at` is the time of the last
    progress event, or of the answer of a phone that was asked for older messages.
    """

    value: Import
    next_step_at: datetime
    faults: int = 0
    told_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DueImport:
    """An import whose turn has come."""

    scope: CompanyScope
    import_id: str
    kind: ImportKind


async def add(tx: Transaction, scope: CompanyScope, stored: StoredImport) -> None:
    """Store a new import."""
    value = stored.value
    await tx.connection.execute(
        insert(_imports).values(
            id=value.id,
            company_id=scope.company_id,
            session_id=value.session_id,
            kind=value.kind.value,
            days=value.wish.days,
            groups=value.wish.groups,
            media=value.wish.media,
            created_at=value.created_at,
            **_file(value.export),
            **({"chat_jid": value.chat_jid} if value.chat_jid else {}),
            **_standing(stored),
        )
    )


async def get(tx: Transaction, scope: CompanyScope, import_id: str) -> StoredImport | None:
    """Look an import up."""
    row = (await tx.connection.execute(select(_imports).where(_is(scope, import_id)))).one_or_none()
    return _to_import(row) if row else None


async def lock(tx: Transaction, scope: CompanyScope, import_id: str) -> StoredImport | None:
    """As `get`; nobody else changes it until the transaction ends. Lock the company before (`lock_company`)."""
    query = select(_imports).where(_is(scope, import_id)).with_for_update()
    row = (await tx.connection.execute(query)).one_or_none()
    return _to_import(row) if row else None


async def find_open(
    tx: Transaction, scope: CompanyScope, session_id: str, kind: ImportKind
) -> StoredImport | None:
    """Give the import of a session that has not ended, locked as by `lock`."""
    query = (
        select(_imports)
        .where(
            _imports.c.company_id == scope.company_id,
            _imports.c.session_id == session_id,
            _imports.c.kind == kind.value,
            _IS_OPEN,
        )
        .with_for_update()
    )
    row = (await tx.connection.execute(query)).one_or_none()
    return _to_import(row) if row else None


async def list_open(tx: Transaction, scope: CompanyScope, session_id: str = "") -> list[StoredImport]:
    """Give a company's imports that have not ended, or those of one session, locked as by `lock`."""
    query = select(_imports).where(_imports.c.company_id == scope.company_id, _IS_OPEN)
    if session_id:
        query = query.where(_imports.c.session_id == session_id)
    rows = await tx.connection.execute(query.order_by(_imports.c.id).with_for_update())
    return [_to_import(row) for row in rows]


async def count_open(tx: Transaction, scope: CompanyScope, kind: ImportKind) -> int:
    """Count a company's imports of one kind that have not ended."""
    query = select(func.count()).where(
        _imports.c.company_id == scope.company_id, _imports.c.kind == kind.value, _IS_OPEN
    )
    number: int = (await tx.connection.execute(query)).scalar_one()
    return number


async def list_page(tx: Transaction, scope: CompanyScope, session_id: str, page: PageRequest) -> Page[Import]:
    """List imports, newest first; of one session where one is given. Raises as `after_token`."""
    query = select(_imports).where(_imports.c.company_id == scope.company_id)
    if session_id:
        query = query.where(_imports.c.session_id == session_id)
    rows = (await tx.connection.execute(after_token(query, _imports.c.id, page))).all()
    return page_of([_to_import(row).value for row in rows], page, lambda value: value.id)


async def due(
    tx: Transaction,
    scope: SystemScope,
    kinds: Sequence[ImportKind],
    now: datetime,
    limit: int,
    but_of: Collection[str] = (),
) -> list[DueImport]:
    """List unfinished imports that nobody works on now, the longest due first: one of each company but those given."""
    del scope  # The transaction was opened for all companies.
    turn = func.row_number().over(
        partition_by=_imports.c.company_id, order_by=(_imports.c.next_step_at, _imports.c.id)
    )
    waiting = (
        select(
            _imports.c.company_id, _imports.c.id, _imports.c.kind, _imports.c.next_step_at, turn.label("turn")
        )
        .where(
            _IS_OPEN,
            _imports.c.kind.in_([kind.value for kind in kinds]),
            _imports.c.next_step_at <= now,
            _imports.c.company_id.not_in(but_of),
        )
        .subquery()
    )
    query = select(waiting).where(waiting.c.turn == 1).order_by(waiting.c.next_step_at).limit(limit)
    return [
        DueImport(CompanyScope(row.company_id), row.id, ImportKind(row.kind))
        for row in await tx.connection.execute(query)
    ]


async def save(tx: Transaction, scope: CompanyScope, stored: StoredImport) -> None:
    """Write where a locked import stands; not what was asked for."""
    await tx.connection.execute(
        update(_imports).where(_is(scope, stored.value.id)).values(**_standing(stored))
    )


def _is(scope: CompanyScope, import_id: str) -> ColumnElement[bool]:
    return (_imports.c.company_id == scope.company_id) & (_imports.c.id == import_id)


def _file(wish: ExportWish | None) -> dict[str, str]:
    if wish is None:
        return {}
    return {
        "media_id": wish.media_id,
        "chat_jid": wish.chat_jid,
        "own_name": wish.own_name,
        "time_zone": wish.time_zone,
        "date_order": wish.date_order.value if wish.date_order else "",
    }


def _standing(stored: StoredImport) -> dict[str, Any]:
    value, counts = stored.value, stored.value.counts
    return {
        "state": value.state.value,
        "total": counts.total,
        "read": counts.read,
        "added": counts.added,
        "known": counts.known,
        "skipped": counts.skipped,
        "percent": value.percent,
        "faults": stored.faults,
        "error_code": value.error_code,
        "error_detail": value.error_detail[:_MOST_DETAIL],
        "next_step_at": stored.next_step_at,
        "told_at": stored.told_at,
        "started_at": value.started_at,
        "updated_at": value.updated_at,
        "ended_at": value.ended_at,
    }


def _to_wish(row: Row[Any]) -> ExportWish | None:
    if not row.media_id:
        return None
    order = DateOrder(row.date_order) if row.date_order else None
    return ExportWish(row.media_id, row.chat_jid, row.own_name, row.time_zone, order)


def _to_import(row: Row[Any]) -> StoredImport:
    value = Import(
        id=row.id,
        company_id=row.company_id,
        session_id=row.session_id,
        kind=ImportKind(row.kind),
        state=ImportState(row.state),
        wish=HistoryWish(row.days, row.groups, row.media),
        created_at=row.created_at,
        updated_at=row.updated_at,
        counts=Counts(row.total, row.read, row.added, row.known, row.skipped),
        percent=row.percent,
        error_code=row.error_code,
        error_detail=row.error_detail,
        started_at=row.started_at,
        ended_at=row.ended_at,
        export=_to_wish(row),
        chat_jid="" if row.media_id else row.chat_jid,
    )
    return StoredImport(value, row.next_step_at, row.faults, row.told_at)
