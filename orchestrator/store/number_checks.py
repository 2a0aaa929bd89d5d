"""What WhatsApp answered about phone numbers, and when."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Table, bindparam, delete, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.jid import ContactId
from orchestrator.store.database import SystemScope, Transaction
from orchestrator.store.id_lists import padded
from orchestrator.store.models import NumberCheckRow

_checks: Table = NumberCheckRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it

_FIND = select(_checks).where(
    _checks.c.company_id == bindparam("b_company"),
    _checks.c.phone_number.in_(bindparam("b_numbers", expanding=True)),
)
_old = _checks.alias("old")
_FORGET = delete(_checks).where(
    tuple_(_checks.c.company_id, _checks.c.phone_number).in_(
        select(_old.c.company_id, _old.c.phone_number)
        .where(_old.c.checked_at < bindparam("b_before"))
        .limit(bindparam("b_most"))
    )
)


@dataclass(frozen=True, slots=True)
class StoredCheck:
    """The last answer about a number."""

    phone_number: str
    on_whatsapp: bool
    contact: ContactId
    checked_at: datetime


async def find(
    tx: Transaction, scope: CompanyScope, phone_numbers: Collection[str]
) -> dict[str, StoredCheck]:
    """Give the last answers about some numbers, by number; those never asked about are absent."""
    arguments = {"b_company": scope.company_id, "b_numbers": padded(phone_numbers)}
    return {
        row.phone_number: StoredCheck(
            row.phone_number, row.on_whatsapp, ContactId(row.pn_jid, row.lid_jid), row.checked_at
        )
        for row in await tx.connection.execute(_FIND, arguments)
    }


async def keep(tx: Transaction, scope: CompanyScope, checks: Sequence[StoredCheck]) -> None:
    """Store answers, in the place of older ones about the same numbers."""
    if not checks:
        return
    insert = sqlite.insert if tx.dialect == "sqlite" else postgresql.insert
    statement = insert(_checks)
    statement = statement.on_conflict_do_update(
        index_elements=["company_id", "phone_number"],
        set_={name: statement.excluded[name] for name in ("on_whatsapp", "pn_jid", "lid_jid", "checked_at")},
    )
    rows = [
        {
            "company_id": scope.company_id,
            "phone_number": check.phone_number,
            "on_whatsapp": check.on_whatsapp,
            "pn_jid": check.contact.pn_jid,
            "lid_jid": check.contact.lid_jid,
            "checked_at": check.checked_at,
        }
        for check in checks
    ]
    await tx.connection.execute(statement, rows)


async def forget_before(tx: Transaction, scope: SystemScope, before: datetime, most: int) -> int:
    """Remove at most `most` answers that are too old to count; gives how many."""
    del scope
    return (await tx.connection.execute(_FORGET, {"b_before": before, "b_most": most})).rowcount
