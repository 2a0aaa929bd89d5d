"""What WhatsApp answered about phone numbers.

Revision ID: 0023
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; on PostgreSQL a company sees its own rows only."""
    op.create_table(
        "number_check",
        sa.Column("company_id", sa.String(36), nullable=False),
        sa.Column("phone_number", sa.String(20), nullable=False),
        sa.Column("on_whatsapp", sa.Boolean(), nullable=False),
        sa.Column("pn_jid", sa.String(100), nullable=False),
        sa.Column("lid_jid", sa.String(100), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "phone_number"),
    )
    op.create_index("number_check_at", "number_check", ["checked_at"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE number_check ENABLE ROW LEVEL SECURITY")
        op.execute("ALTER TABLE number_check FORCE ROW LEVEL SECURITY")
        company = "NULLIF(current_setting('ponte.company_id', true), '')"
        op.execute(f"CREATE POLICY company_isolation ON number_check USING ({company} IN (company_id, '*'))")


def downgrade() -> None:
    """Remove the table."""
    op.drop_table("number_check")
