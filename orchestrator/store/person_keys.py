"""The key with which a company's audit log names persons: one a company, sealed, made when it is first needed."""

from sqlalchemy import Table, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from orchestrator.domain.company import CompanyScope
from orchestrator.store.database import Transaction
from orchestrator.store.models import PersonKeyRow
from orchestrator.store.vault import Sealed

_keys: Table = PersonKeyRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it

_FIND = select(_keys.c.key_id, _keys.c.ciphertext).where(_keys.c.company_id == bindparam("b_company"))


async def find(tx: Transaction, scope: CompanyScope) -> Sealed | None:
    """Give the company's key; None where none was made yet."""
    row = (await tx.connection.execute(_FIND, {"b_company": scope.company_id})).one_or_none()
    return Sealed(row.key_id, row.ciphertext) if row is not None else None


async def add(tx: Transaction, scope: CompanyScope, sealed: Sealed) -> None:
    """Store the company's key, unless another transaction has stored one meanwhile."""
    make = sqlite.insert if tx.dialect == "sqlite" else postgresql.insert
    row = {"company_id": scope.company_id, "key_id": sealed.key_id, "ciphertext": sealed.ciphertext}
    await tx.connection.execute(make(_keys).values(row).on_conflict_do_nothing())
