"""Recipient lists, imports and campaigns; which campaign a message belongs to.

Revision ID: 0022
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0011"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
ACTIVE = sa.text("next_round_at IS NOT NULL")
COUNTERS = ("queued", "sent", "delivered", "read", "replied", "failed", "cancelled", "opted_out", "confirmed")

TABLES = (
    "recipient_list",
    "recipient",
    "recipient_import",
    "recipient_import_line",
    "campaign",
    "campaign_variant",
    "campaign_session",
    "campaign_recipient",
)


def upgrade() -> None:
    """Add the tables, and the columns of a message; on PostgreSQL a company sees its own rows only."""
    _lists()
    _campaigns()
    op.add_column("message", sa.Column("campaign_id", sa.String(36), nullable=False, server_default=""))
    op.add_column("message", sa.Column("recipient_id", sa.String(36), nullable=False, server_default=""))
    if op.get_bind().dialect.name == "postgresql":
        for table in TABLES:
            _secure(table)


def downgrade() -> None:
    """Remove the tables and columns."""
    op.drop_column("message", "recipient_id")
    op.drop_column("message", "campaign_id")
    for table in reversed(TABLES):
        op.drop_table(table)


def _lists() -> None:
    op.create_table(
        "recipient_list",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("company_id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("region", sa.String(2), nullable=False),
        sa.Column("recipients", sa.BigInteger(), nullable=False),
        sa.Column("field_counts", sa.JSON(), nullable=False),
        sa.Column("zone_counts", sa.JSON(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("deleted_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("recipient_list_company", "recipient_list", ["company_id", "id"])
    op.create_table(
        "recipient",
        sa.Column("list_id", sa.String(36), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("company_id", sa.String(36), nullable=False),
        sa.Column("phone_number", sa.String(16), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("list_id", "position"),
        sa.UniqueConstraint("list_id", "phone_number", name="recipient_once"),
    )
    op.create_table(
        "recipient_import",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("company_id", sa.String(36), nullable=False),
        sa.Column("list_id", sa.String(36), nullable=False),
        sa.Column("file_name", sa.String(200), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("lines", sa.BigInteger(), nullable=False),
        sa.Column("accepted", sa.BigInteger(), nullable=False),
        sa.Column("reported", sa.JSON(), nullable=False),
        sa.Column("error", sa.String(500), nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("recipient_import_list", "recipient_import", ["list_id", "id"])
    op.create_table(
        "recipient_import_line",
        sa.Column("import_id", sa.String(36), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("company_id", sa.String(36), nullable=False),
        sa.Column("given", sa.String(60), nullable=False),
        sa.Column("reason", sa.String(20), nullable=False),
        sa.PrimaryKeyConstraint("import_id", "line"),
    )


def _campaigns() -> None:
    op.create_table(
        "campaign",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("company_id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("list_id", sa.String(36), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("time_zone", sa.String(60), nullable=False),
        sa.Column("language", sa.String(5), nullable=False),
        sa.Column("start_at", TIME, nullable=True),
        sa.Column("end_at", TIME, nullable=True),
        sa.Column("confirmation", sa.JSON(), nullable=True),
        sa.Column("recipients", sa.BigInteger(), nullable=False),
        sa.Column("started_at", TIME, nullable=True),
        sa.Column("ended_at", TIME, nullable=True),
        sa.Column("stop_cause", sa.String(20), nullable=False),
        sa.Column("stop_detail", sa.String(300), nullable=False),
        sa.Column("passed_over", sa.JSON(), nullable=False),
        sa.Column("forgiven_sent", sa.BigInteger(), nullable=False),
        sa.Column("forgiven_opt_outs", sa.BigInteger(), nullable=False),
        sa.Column("event_cursor", sa.BigInteger(), nullable=False),
        sa.Column("next_round_at", TIME, nullable=True),
        sa.Column("told_done", sa.BigInteger(), nullable=False),
        sa.Column("told_at", TIME, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("deleted_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("campaign_company", "campaign", ["company_id", "id"])
    op.create_index(
        "campaign_due", "campaign", ["next_round_at"], sqlite_where=ACTIVE, postgresql_where=ACTIVE
    )
    op.create_table(
        "campaign_variant",
        sa.Column("campaign_id", sa.String(36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in COUNTERS),
        sa.PrimaryKeyConstraint("campaign_id", "position"),
    )
    op.create_table(
        "campaign_session",
        sa.Column("campaign_id", sa.String(36), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.String(36), nullable=False),
        sa.Column("session_id", sa.String(36), nullable=False),
        sa.Column("cursor", sa.BigInteger(), nullable=False),
        sa.Column("last_variant", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("campaign_id", "slot"),
    )
    op.create_table(
        "campaign_recipient",
        sa.Column("campaign_id", sa.String(36), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("company_id", sa.String(36), nullable=False),
        sa.Column("session_id", sa.String(36), nullable=False),
        sa.Column("phone_number", sa.String(16), nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("variant", sa.Integer(), nullable=True),
        sa.Column("message_id", sa.String(36), nullable=False),
        sa.Column("follow_up_id", sa.String(36), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(20), nullable=False),
        sa.Column("replied", sa.Boolean(), nullable=False),
        sa.Column("opted_out", sa.Boolean(), nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", "position"),
    )
    op.create_index("campaign_recipient_message", "campaign_recipient", ["message_id"])
    op.create_index("campaign_recipient_contact", "campaign_recipient", ["company_id", "phone_number"])
    op.create_index("campaign_recipient_status", "campaign_recipient", ["campaign_id", "status", "position"])


def _secure(table: str) -> None:
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    company = "NULLIF(current_setting('ponte.company_id', true), '')"
    op.execute(f"CREATE POLICY company_isolation ON {table} USING ({company} IN (company_id, '*'))")
