"""API keys; only the SHA-256 of a secret is kept."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, Table, bindparam, insert, or_, select, update

from orchestrator.domain.company import ApiKey, CompanyScope, Scope
from orchestrator.domain.page import Page, PageRequest
from orchestrator.store.database import SystemScope, Transaction
from orchestrator.store.models import ApiKeyRow, CompanyRow
from orchestrator.store.paging import after_token, page_of

_keys: Table = ApiKeyRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_companies: Table = CompanyRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it

_BY_SECRET = (
    select(_keys)
    .join(_companies, _companies.c.id == _keys.c.company_id)
    .where(
        _keys.c.secret_hash == bindparam("secret_hash"),
        _keys.c.revoked_at.is_(None),
        _companies.c.deleted_at.is_(None),
    )
)


async def add(tx: Transaction, scope: CompanyScope, key: ApiKey, secret_hash: str) -> None:
    """Insert a key."""
    row = {
        "id": key.id,
        "company_id": scope.company_id,
        "name": key.name,
        "prefix": key.prefix,
        "secret_hash": secret_hash,
        "scopes": sorted(key.scopes),
        "created_at": key.created_at,
    }
    await tx.connection.execute(insert(_keys), row)


async def get(tx: Transaction, scope: CompanyScope, key_id: str) -> ApiKey | None:
    """Give one key of the company, revoked or not."""
    query = select(_keys).where(_keys.c.company_id == scope.company_id, _keys.c.id == key_id)
    row = (await tx.connection.execute(query)).one_or_none()
    return _to_key(row) if row is not None else None


async def find_usable(tx: Transaction, scope: SystemScope, secret_hash: str) -> ApiKey | None:
    """Find the key of a secret among all companies'; None where it is unknown, revoked, or its company deleted."""
    row = (await tx.connection.execute(_BY_SECRET, {"secret_hash": secret_hash})).one_or_none()
    return _to_key(row) if row is not None else None


async def list_page(tx: Transaction, scope: CompanyScope, page: PageRequest) -> Page[ApiKey]:
    """The company's keys, newest first, revoked ones too."""
    query = after_token(select(_keys).where(_keys.c.company_id == scope.company_id), _keys.c.id, page)
    rows = (await tx.connection.execute(query)).all()
    return page_of([_to_key(row) for row in rows], page, lambda key: key.id)


async def revoke(tx: Transaction, scope: CompanyScope, key_id: str, now: datetime) -> ApiKey | None:
    """Revoke a key, once; gives it as it is now, None where the company has no such key."""
    mine = (_keys.c.company_id == scope.company_id, _keys.c.id == key_id)
    await tx.connection.execute(
        update(_keys).where(*mine, _keys.c.revoked_at.is_(None)).values(revoked_at=now)
    )
    return await get(tx, scope, key_id)


async def note_use(
    tx: Transaction, scope: CompanyScope, key_id: str, now: datetime, not_after: datetime
) -> None:
    """Set when a key was used last, unless that is set to later than `not_after`."""
    stale = or_(_keys.c.last_used_at.is_(None), _keys.c.last_used_at <= not_after)
    mine = (_keys.c.company_id == scope.company_id, _keys.c.id == key_id)
    await tx.connection.execute(update(_keys).where(*mine, stale).values(last_used_at=now))


def _to_key(row: Row[Any]) -> ApiKey:
    return ApiKey(
        id=row.id,
        company_id=row.company_id,
        name=row.name,
        prefix=row.prefix,
        scopes=frozenset(Scope(scope) for scope in row.scopes),
        created_at=row.created_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
    )
