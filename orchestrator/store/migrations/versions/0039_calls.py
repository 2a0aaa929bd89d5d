"""Calls to the companies' numbers.

Revision ID: 0039
Revises: 0045
"""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; on PostgreSQL a company sees its own rows only."""
    op.create_table(
        "call",
        sa.Column("company_id", sa.String(36), nullable=False),
        sa.Column("session_id", sa.String(36), nullable=False),
        sa.Column("wa_call_id", sa.String(100), nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("pn_jid", sa.String(100), nullable=False),
        sa.Column("lid_jid", sa.String(100), nullable=False),
        sa.Column("group_jid", sa.String(100), nullable=False),
        sa.Column("video", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("offline", sa.Boolean(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("company_id", "session_id", "wa_call_id"),
    )
    op.create_index("call_started", "call", ["started_at"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE call ENABLE ROW LEVEL SECURITY")
        op.execute("ALTER TABLE call FORCE ROW LEVEL SECURITY")
        company = "NULLIF(current_setting('ponte.company_id', true), '')"
        op.execute(f"CREATE POLICY company_isolation ON call USING ({company} IN (company_id, '*'))")


def downgrade() -> None:
    """Remove the table."""
    op.drop_table("call")
