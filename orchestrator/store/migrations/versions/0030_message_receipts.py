"""What members of groups have done with messages.

Revision ID: 0030
Revises: 0033
"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; on PostgreSQL a company sees its own rows only."""
    op.create_table(
        "message_receipt",
        sa.Column("message_id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("company_id", sa.String(36), nullable=False),
        sa.Column("pn_jid", sa.String(100), nullable=False),
        sa.Column("lid_jid", sa.String(100), nullable=False),
        sa.Column("awaited", sa.Boolean(), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("played_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("message_id", "name"),
    )
    if op.get_bind().dialect.name == "postgresql":
        company = "NULLIF(current_setting('ponte.company_id', true), '')"
        op.execute("ALTER TABLE message_receipt ENABLE ROW LEVEL SECURITY")
        op.execute("ALTER TABLE message_receipt FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY company_isolation ON message_receipt USING ({company} IN (company_id, '*'))"
        )


def downgrade() -> None:
    """Remove the table."""
    op.drop_table("message_receipt")
