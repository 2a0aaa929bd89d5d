"""Sealed auth state of sessions. Every write carries the fence of the lease it is done under, in the same statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import Select, Table, TextClause, bindparam, delete, insert, select, text
from sqlalchemy.dialects import postgresql, sqlite

from orchestrator.domain.company import CompanyScope
from orchestrator.store.database import Transaction
from orchestrator.store.models import ArchivedCredentialsRow, AuthCredentialsRow, AuthKeyRow, SessionRow
from orchestrator.store.vault import Sealed

_sessions: Table = SessionRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_credentials: Table = AuthCredentialsRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_keys: Table = AuthKeyRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_archive: Table = ArchivedCredentialsRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it

T = TypeVar("T")

_ROWS_AT_A_TIME = 500
"""Keys in one statement: SQLite takes 32,766 parameters, and a first link stores some 800 keys."""


@dataclass(frozen=True, slots=True)
class SealedKey:
    """One encrypted key."""

    type: str
    name: str
    sealed: Sealed


@dataclass(frozen=True, slots=True)
class AuthChange:
    """What one write changes: the credentials where they changed, keys to store, keys (type, name) to delete."""

    credentials: Sealed | None
    stored: Sequence[SealedKey]
    deleted: Sequence[tuple[str, str]]


async def write(
    tx: Transaction, scope: CompanyScope, session_id: str, fence: int, change: AuthChange, now: datetime
) -> bool:
    """Store a change; False, and nothing stored, where the session has another fence by now.

    The fence is read under a lock that lasts until the transaction ends: nobody can raise it in between. What changes
    the session otherwise does not wait for it.
    """
    held = {"session_id": session_id, "company_id": scope.company_id, "fence": fence}
    stored = list(_in_chunks(change.stored))
    if not stored and change.credentials is None and not await _has_fence(tx, held):
        return False
    for keys in stored:
        if not await _store_keys(tx, held, keys):
            return False
    if change.credentials is not None and not await _store_credentials(tx, held, change.credentials, now):
        return False
    for names in _in_chunks(change.deleted):
        await _delete_keys(tx, held, names)
    return True


async def load_credentials(tx: Transaction, scope: CompanyScope, session_id: str) -> Sealed | None:
    """The whole credentials, or None for a number that is not linked."""
    query = select(_credentials.c.key_id, _credentials.c.ciphertext).where(
        _credentials.c.session_id == session_id, _credentials.c.company_id == scope.company_id
    )
    row = (await tx.connection.execute(query)).one_or_none()
    return Sealed(row.key_id, row.ciphertext) if row else None


async def load_keys(
    tx: Transaction, scope: CompanyScope, session_id: str, key_type: str, names: Sequence[str]
) -> list[SealedKey]:
    """Those of the named keys that are stored."""
    found: list[SealedKey] = []
    for chunk in _in_chunks(names):
        arguments = {"session": session_id, "company": scope.company_id, "type": key_type, "names": chunk}
        rows = await tx.connection.execute(_LOAD_KEYS, arguments)
        found.extend(SealedKey(key_type, row.name, Sealed(row.key_id, row.ciphertext)) for row in rows)
    return found


async def clear(tx: Transaction, scope: CompanyScope, session_id: str) -> None:
    """Forget a session's credentials and keys."""
    for table in (_keys, _credentials):
        await tx.connection.execute(
            delete(table).where(table.c.session_id == session_id, table.c.company_id == scope.company_id)
        )


async def archive_credentials(
    tx: Transaction,
    scope: CompanyScope,
    session_id: str,
    archive_id: str,
    why: dict[str, object],
    now: datetime,
) -> None:
    """Copy the credentials, sealed as they are, to the archive; nothing where there are none."""
    columns = ["id", "session_id", "company_id", "key_id", "ciphertext", "why", "archived_at"]
    copied = select(
        bindparam("archive_id", archive_id, _archive.c.id.type),
        _credentials.c.session_id,
        _credentials.c.company_id,
        _credentials.c.key_id,
        _credentials.c.ciphertext,
        bindparam("why", why, _archive.c.why.type),
        bindparam("now", now, _archive.c.archived_at.type),
    ).where(_credentials.c.session_id == session_id, _credentials.c.company_id == scope.company_id)
    await tx.connection.execute(insert(_archive).from_select(columns, copied))


_LOAD_KEYS = select(_keys.c.name, _keys.c.key_id, _keys.c.ciphertext).where(
    _keys.c.session_id == bindparam("session"),
    _keys.c.company_id == bindparam("company"),
    _keys.c.type == bindparam("type"),
    _keys.c.name.in_(bindparam("names", expanding=True)),
)

_HELD = (
    _sessions.c.id == bindparam("session_id"),
    _sessions.c.company_id == bindparam("company_id"),
    _sessions.c.fence == bindparam("fence"),
)
_FIND_HELD = select(_sessions.c.id).where(*_HELD).with_for_update(read=True, key_share=True)


def _credentials_to_store() -> Select[Any]:
    return (
        select(
            _sessions.c.id,
            _sessions.c.company_id,
            bindparam("key_id", type_=_credentials.c.key_id.type),
            bindparam("ciphertext", type_=_credentials.c.ciphertext.type),
            bindparam("now", type_=_credentials.c.updated_at.type),
        )
        .where(*_HELD)
        .with_for_update(read=True, key_share=True, of=_sessions)
    )


_CREDENTIALS_COLUMNS = ["session_id", "company_id", "key_id", "ciphertext", "updated_at"]
_STORE_CREDENTIALS = {
    dialect: (
        statement := make(_credentials).from_select(_CREDENTIALS_COLUMNS, _credentials_to_store())
    ).on_conflict_do_update(
        index_elements=["session_id"],
        set_={name: statement.excluded[name] for name in ("key_id", "ciphertext", "updated_at")},
    )
    for dialect, make in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
}


@lru_cache(maxsize=1024)
def _store_keys_statement(dialect: str, count: int) -> TextClause:
    """One upsert of `count` keys. As text: SQLAlchemy would compile a VALUES of each length anew each time."""
    binary, lock = ("BYTEA", "FOR KEY SHARE OF s") if dialect == "postgresql" else ("BLOB", "")
    rows = ", ".join(
        f"(CAST(:type_{i} AS TEXT), CAST(:name_{i} AS TEXT), CAST(:key_id_{i} AS TEXT), CAST(:value_{i} AS {binary}))"
        for i in range(count)
    )
    # WITH after INSERT: Python's sqlite3 counts rows only of statements that begin with INSERT.
    return text(
        "INSERT INTO auth_key (session_id, type, name, company_id, key_id, ciphertext) "  # noqa: S608 - parameters only
        f"WITH given (type, name, key_id, ciphertext) AS (VALUES {rows}) "
        "SELECT s.id, given.type, given.name, s.company_id, given.key_id, given.ciphertext "
        "FROM session s CROSS JOIN given "
        f"WHERE s.id = :session_id AND s.company_id = :company_id AND s.fence = :fence {lock} "
        "ON CONFLICT (session_id, type, name) "
        "DO UPDATE SET key_id = excluded.key_id, ciphertext = excluded.ciphertext"
    )


@lru_cache(maxsize=1024)
def _delete_keys_statement(count: int) -> TextClause:
    names = ", ".join(f"(:type_{i}, :name_{i})" for i in range(count))
    return text(
        "DELETE FROM auth_key WHERE session_id = :session_id AND company_id = :company_id "  # noqa: S608 - parameters only
        f"AND (type, name) IN (VALUES {names})"
    )


async def _has_fence(tx: Transaction, held: dict[str, object]) -> bool:
    return (await tx.connection.execute(_FIND_HELD, held)).first() is not None


async def _store_keys(tx: Transaction, held: dict[str, object], keys: Sequence[SealedKey]) -> bool:
    arguments = dict(held)
    for i, key in enumerate(keys):
        arguments[f"type_{i}"] = key.type
        arguments[f"name_{i}"] = key.name
        arguments[f"key_id_{i}"] = key.sealed.key_id
        arguments[f"value_{i}"] = key.sealed.ciphertext
    statement = _store_keys_statement(tx.dialect, len(keys))
    return (await tx.connection.execute(statement, arguments)).rowcount > 0


async def _store_credentials(tx: Transaction, held: dict[str, object], sealed: Sealed, now: datetime) -> bool:
    arguments = {**held, "key_id": sealed.key_id, "ciphertext": sealed.ciphertext, "now": now}
    return (await tx.connection.execute(_STORE_CREDENTIALS[tx.dialect], arguments)).rowcount > 0


async def _delete_keys(tx: Transaction, held: dict[str, object], names: Sequence[tuple[str, str]]) -> None:
    arguments = {"session_id": held["session_id"], "company_id": held["company_id"]}
    for i, (key_type, name) in enumerate(names):
        arguments[f"type_{i}"] = key_type
        arguments[f"name_{i}"] = name
    await tx.connection.execute(_delete_keys_statement(len(names)), arguments)


def _in_chunks(items: Sequence[T]) -> list[Sequence[T]]:
    return [items[start : start + _ROWS_AT_A_TIME] for start in range(0, len(items), _ROWS_AT_A_TIME)]
