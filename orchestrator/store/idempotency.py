"""Creates that were done, remembered for 24 hours: the same key and request give the same answer."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Table, delete, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import (
    IDEMPOTENCY_KEY_REUSED,
    INVALID_ARGUMENT,
    PonteError,
    invalid_field,
)
from orchestrator.store.database import SystemScope, Transaction
from orchestrator.store.models import IdempotencyRow

_done: Table = IdempotencyRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it

LONGEST_KEY = 255


@dataclass(frozen=True, slots=True)
class Remembered:
    """An earlier create with the same key and request. `answer` is what was kept of it, encrypted by its maker."""

    resource_id: str
    answer: bytes | None


def hash_request(*parts: object) -> str:
    """Hash what makes two requests the same: JSON-like values or anything with a stable `str`."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


async def remember(
    tx: Transaction,
    scope: CompanyScope | SystemScope,
    key: str,
    method: str,
    request_hash: str,
    resource_id: str,
    answer: bytes | None = None,
    *,
    now: datetime,
) -> Remembered | None:
    """Note that `key` makes `resource_id`, in the transaction that makes it. An empty key notes nothing.

    Gives None when the caller is the first and goes on to make it, else what the first one made. The administrator's
    keys (SystemScope) are apart from all companies'. Raises IDEMPOTENCY_KEY_REUSED when the key stands for another
    request, INVALID_ARGUMENT when it is too long.
    """
    if not key:
        return None
    if len(key) > LONGEST_KEY or "\0" in key:
        raise invalid_field(INVALID_ARGUMENT, "idempotency_key", f"Give at most {LONGEST_KEY} characters.")
    company_id = owner_of(scope)
    row = {
        "company_id": company_id,
        "key": key,
        "method": method,
        "request_hash": request_hash,
        "resource_id": resource_id,
        "answer": answer,
        "created_at": now,
    }
    make = sqlite.insert if tx.dialect == "sqlite" else postgresql.insert
    made = await tx.connection.execute(
        make(_done).values(row).on_conflict_do_nothing().returning(_done.c.resource_id)
    )
    if made.first() is not None:
        return None
    query = select(_done).where(_done.c.company_id == company_id, _done.c.key == key)
    earlier = (await tx.connection.execute(query)).one()
    if (earlier.method, earlier.request_hash) != (method, request_hash):
        raise PonteError(IDEMPOTENCY_KEY_REUSED)
    return Remembered(earlier.resource_id, earlier.answer)


async def forget(tx: Transaction, scope: CompanyScope, key: str) -> None:
    """Take back what `remember` noted for the first time in this transaction: nothing was made."""
    await tx.connection.execute(
        delete(_done).where(_done.c.company_id == owner_of(scope), _done.c.key == key)
    )


async def forget_before(tx: Transaction, scope: SystemScope, moment: datetime, limit: int) -> int:
    """Delete at most `limit` of what was noted before `moment`, of all companies; gives how many were."""
    key = (_done.c.company_id, _done.c.key)
    oldest = select(*key).where(_done.c.created_at < moment).order_by(_done.c.created_at).limit(limit)
    result = await tx.connection.execute(delete(_done).where(tuple_(*key).in_(oldest)))
    return result.rowcount


def owner_of(scope: CompanyScope | SystemScope) -> str:
    """Whose keys: a company's id, or empty for the administrator."""
    return scope.company_id if isinstance(scope, CompanyScope) else ""
