"""Keys for naming persons in the audit log, and other names for those that stand in it.

They were plain hashes of numbers, which trying all numbers undoes. Each old name is replaced by its HMAC under a key
that is thrown away: whom entries had in common stays visible among them, who it was does not.

Revision ID: 0047
Revises: 0030
"""

import hashlib
import hmac
import os

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0030"
branch_labels = None
depends_on = None

ROWS_AT_A_TIME = 1000
AUDIT = sa.table("audit", *(sa.column(name, sa.String) for name in ("id", "company_id", "action", "subject")))
OF_PERSONS = ("campaign.sent", "suppression.added", "suppression.removed")


def upgrade() -> None:
    """Add the table; on PostgreSQL a company sees its own row only. Rename persons in the audit log."""
    op.create_table(
        "person_key",
        sa.Column("company_id", sa.String(36), nullable=False),
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("company_id"),
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER audit_no_update")
        _rename_persons()
        op.execute(
            "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit"
            " BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
        )
        return
    op.execute("ALTER TABLE person_key ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE person_key FORCE ROW LEVEL SECURITY")
    company = "NULLIF(current_setting('ponte.company_id', true), '')"
    op.execute(f"CREATE POLICY company_isolation ON person_key USING ({company} IN (company_id, '*'))")
    op.execute("SELECT set_config('ponte.company_id', '*', true)")
    op.execute("ALTER TABLE audit DISABLE TRIGGER audit_append_only")
    _rename_persons()
    op.execute("ALTER TABLE audit ENABLE TRIGGER audit_append_only")
    op.execute("SELECT set_config('ponte.company_id', '', true)")


def downgrade() -> None:
    """Remove the table; names in the audit log stay as they are."""
    op.drop_table("person_key")


def _rename_persons() -> None:
    key, last_id, bind = os.urandom(32), "", op.get_bind()
    page = (
        sa.select(AUDIT.c.id, AUDIT.c.company_id, AUDIT.c.subject)
        .where(AUDIT.c.id > sa.bindparam("b_last"), AUDIT.c.action.in_(OF_PERSONS))
        .order_by(AUDIT.c.id)
        .limit(ROWS_AT_A_TIME)
    )
    rename = sa.update(AUDIT).where(AUDIT.c.id == sa.bindparam("b_id")).values(subject=sa.bindparam("b_name"))
    while rows := bind.execute(page, {"b_last": last_id}).all():
        renamed = [{"b_id": row.id, "b_name": _name(key, row.company_id, row.subject)} for row in rows]
        bind.execute(rename, renamed)
        last_id = rows[-1].id


def _name(key: bytes, company_id: str, subject: str) -> str:
    return hmac.new(key, f"{company_id}:{subject}".encode(), hashlib.sha256).hexdigest()[:32]
