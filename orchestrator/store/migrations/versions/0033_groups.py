"""The groups that a company's numbers are in.

Revision ID: 0033
Revises: 0046
"""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0046"
branch_labels = None
depends_on = None

_TABLES = ("chat_group", "chat_group_participant", "group_reading")


def upgrade() -> None:
    """Add the tables; on PostgreSQL a company sees its own rows only."""
    op.create_table(
        "chat_group",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("company_id", sa.String(36), nullable=False),
        sa.Column("session_id", sa.String(36), nullable=False),
        sa.Column("group_jid", sa.String(100), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("owner_pn_jid", sa.String(100), nullable=False),
        sa.Column("owner_lid_jid", sa.String(100), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("community_jid", sa.String(100), nullable=False),
        sa.Column("is_community", sa.Boolean(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("is_member", sa.Boolean(), nullable=False),
        sa.Column("stale", sa.Boolean(), nullable=False),
        sa.Column("seen", sa.Text(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("session_id", "group_jid", name="chat_group_once"),
    )
    op.create_index("chat_group_company", "chat_group", ["company_id", "id"])
    op.create_index("chat_group_jid", "chat_group", ["company_id", "group_jid"])
    op.create_table(
        "chat_group_participant",
        sa.Column("group_id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("company_id", sa.String(36), nullable=False),
        sa.Column("pn_jid", sa.String(100), nullable=False),
        sa.Column("lid_jid", sa.String(100), nullable=False),
        sa.Column("role", sa.String(10), nullable=False),
        sa.PrimaryKeyConstraint("group_id", "name"),
    )
    op.create_table(
        "group_reading",
        sa.Column("session_id", sa.String(36), nullable=False),
        sa.Column("company_id", sa.String(36), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("session_id"),
    )
    if op.get_bind().dialect.name == "postgresql":
        company = "NULLIF(current_setting('ponte.company_id', true), '')"
        for table in _TABLES:
            op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
            op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
            op.execute(f"CREATE POLICY company_isolation ON {table} USING ({company} IN (company_id, '*'))")


def downgrade() -> None:
    """Remove the tables."""
    for table in reversed(_TABLES):
        op.drop_table(table)
