"""Which gateways are alive, so that they share the sessions.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; on PostgreSQL only transactions that are for all companies see it."""
    op.create_table(
        "gateway",
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("room", sa.Integer(), nullable=False),
        sa.Column("alive_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE gateway ENABLE ROW LEVEL SECURITY")
        op.execute("ALTER TABLE gateway FORCE ROW LEVEL SECURITY")
        op.execute(
            "CREATE POLICY system_only ON gateway USING (current_setting('ponte.company_id', true) = '*')"
        )


def downgrade() -> None:
    """Remove the table."""
    op.drop_table("gateway")
