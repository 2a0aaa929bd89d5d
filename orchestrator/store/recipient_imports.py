"""Imports into recipient lists, and the lines that they report."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Table, and_, insert, select, update

from orchestrator.domain.campaign.reasons import PassedOver
from orchestrator.domain.campaign.recipient_list import ImportState, RecipientImport, ReportedLine
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.page import Page, PageRequest
from orchestrator.store.database import Transaction
from orchestrator.store.models import RecipientImportRow, ReportedLineRow
from orchestrator.store.paging import after_token, page_of

_imports: Table = RecipientImportRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_lines: Table = ReportedLineRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it

_INSERT_LINE = insert(_lines)


async def add(tx: Transaction, scope: CompanyScope, new: RecipientImport) -> None:
    """Store a new import."""
    await tx.connection.execute(
        insert(_imports).values(
            id=new.id,
            company_id=scope.company_id,
            list_id=new.list_id,
            file_name=new.file_name,
            started_at=new.started_at,
            **_changing(new),
        )
    )


async def save(tx: Transaction, scope: CompanyScope, changed: RecipientImport) -> None:
    """Write how far an import has come."""
    await tx.connection.execute(
        update(_imports).where(_is(scope, changed.list_id, changed.id)).values(**_changing(changed))
    )


async def get(tx: Transaction, scope: CompanyScope, list_id: str, import_id: str) -> RecipientImport | None:
    """Look an import up."""
    query = select(_imports).where(_is(scope, list_id, import_id))
    row = (await tx.connection.execute(query)).mappings().one_or_none()
    return _to_import(row) if row else None


async def list_page(
    tx: Transaction, scope: CompanyScope, list_id: str, page: PageRequest
) -> Page[RecipientImport]:
    """List a list's imports, newest first. Raises INVALID_ARGUMENT or INVALID_PAGE_TOKEN for a bad page."""
    query = select(_imports).where(_imports.c.company_id == scope.company_id, _imports.c.list_id == list_id)
    rows = (await tx.connection.execute(after_token(query, _imports.c.id, page))).mappings()
    return page_of([_to_import(row) for row in rows], page, lambda found: found.id)


async def report(tx: Transaction, scope: CompanyScope, import_id: str, lines: Sequence[ReportedLine]) -> None:
    """Keep lines for the report, in one statement."""
    if not lines:
        return
    rows = [
        {
            "import_id": import_id,
            "line": line.line,
            "company_id": scope.company_id,
            "given": line.given,
            "reason": line.reason.value,
        }
        for line in lines
    ]
    await tx.connection.execute(_INSERT_LINE, rows)


async def reported_after(
    tx: Transaction, scope: CompanyScope, import_id: str, line: int, limit: int
) -> list[ReportedLine]:
    """Give at most `limit` reported lines after this one, in the order of the file."""
    query = (
        select(_lines.c.line, _lines.c.given, _lines.c.reason)
        .where(_lines.c.company_id == scope.company_id, _lines.c.import_id == import_id, _lines.c.line > line)
        .order_by(_lines.c.line)
        .limit(limit)
    )
    rows = await tx.connection.execute(query)
    return [ReportedLine(row.line, row.given, PassedOver(row.reason)) for row in rows]


def _is(scope: CompanyScope, list_id: str, import_id: str) -> ColumnElement[bool]:
    return and_(
        _imports.c.company_id == scope.company_id,
        _imports.c.list_id == list_id,
        _imports.c.id == import_id,
    )


def _changing(value: RecipientImport) -> dict[str, Any]:
    return {
        "state": value.state.value,
        "lines": value.lines,
        "accepted": value.accepted,
        "reported": {reason.value: count for reason, count in value.reported.items()},
        "error": value.error,
        "updated_at": value.updated_at,
    }


def _to_import(row: RowMapping) -> RecipientImport:
    return RecipientImport(
        id=row["id"],
        list_id=row["list_id"],
        file_name=row["file_name"],
        state=ImportState(row["state"]),
        started_at=row["started_at"],
        updated_at=row["updated_at"],
        lines=row["lines"],
        accepted=row["accepted"],
        reported={PassedOver(reason): count for reason, count in row["reported"].items()},
        error=row["error"],
    )
