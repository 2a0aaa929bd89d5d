"""The suppression list, opt-ins, and the audit log that nothing changes.

Revision ID: 0021
Revises: 0022
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0022"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
HAS_PN = sa.text("pn_jid <> ''")
HAS_LID = sa.text("lid_jid <> ''")
OWNED = ("suppression", "opt_in", "audit")


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "suppression",
        *_person(),
        sa.Column("cause", sa.String(20), nullable=False),
        sa.Column("detail", sa.String(300), nullable=False),
        sa.Column("campaign_id", sa.String(36), nullable=False),
        sa.Column("confirmation_message_id", sa.String(36), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    _index("suppression")
    op.create_table(
        "opt_in",
        *_person(),
        sa.Column("source", sa.String(100), nullable=False),
        sa.Column("purpose", sa.String(200), nullable=False),
        sa.Column("evidence", sa.String(1000), nullable=False),
        sa.Column("given_at", TIME, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("withdrawn_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    _index("opt_in")
    op.create_table(
        "audit",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("company_id", sa.String(36), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("actor", sa.String(80), nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("subject", sa.String(100), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("audit_company", "audit", ["company_id", "id"])
    if op.get_bind().dialect.name == "postgresql":
        _keep_audit_on_postgresql()
        for table in OWNED:
            _secure(table)
    else:
        _keep_audit_on_sqlite()


def downgrade() -> None:
    """Remove them."""
    for table in OWNED:
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_is_append_only")


def _person() -> tuple[sa.Column[str], ...]:
    return (
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("company_id", sa.String(36), nullable=False),
        sa.Column("pn_jid", sa.String(100), nullable=False),
        sa.Column("lid_jid", sa.String(100), nullable=False),
    )


def _index(table: str) -> None:
    op.create_index(f"{table}_company", table, ["company_id", "id"])
    op.create_index(
        f"{table}_pn", table, ["company_id", "pn_jid"], sqlite_where=HAS_PN, postgresql_where=HAS_PN
    )
    op.create_index(
        f"{table}_lid", table, ["company_id", "lid_jid"], sqlite_where=HAS_LID, postgresql_where=HAS_LID
    )


def _keep_audit_on_sqlite() -> None:
    for change in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audit_no_{change.lower()} BEFORE {change} ON audit"
            " BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
        )


def _keep_audit_on_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit"
        " FOR EACH ROW EXECUTE FUNCTION audit_is_append_only()"
    )


def _secure(table: str) -> None:
    """Hold every role to the company that its transaction names (0001)."""
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    company = "NULLIF(current_setting('ponte.company_id', true), '')"
    op.execute(f"CREATE POLICY company_isolation ON {table} USING ({company} IN (company_id, '*'))")
