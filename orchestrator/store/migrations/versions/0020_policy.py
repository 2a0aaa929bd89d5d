"""What the sending policy remembers of sessions and chats, when a session sent, and what a message waits for.

Revision ID: 0020
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0003"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
OWNED = ("session_policy", "session_send", "chat_policy")


def upgrade() -> None:
    """Add the tables and columns; chats are filled from the messages that are there."""
    op.create_table(
        "session_policy",
        sa.Column("session_id", sa.String(36), nullable=False),
        sa.Column("company_id", sa.String(36), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("overrides", sa.String(), nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("session_id"),
    )
    op.create_index("ix_session_policy_company_id", "session_policy", ["company_id"])
    op.create_table(
        "session_send",
        sa.Column("message_id", sa.String(36), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("company_id", sa.String(36), nullable=False),
        sa.Column("session_id", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(14), nullable=False),
        sa.Column("new_chat", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.PrimaryKeyConstraint("message_id", "at"),
    )
    op.create_index("session_send_window", "session_send", ["session_id", "at"])
    op.create_index("session_send_at", "session_send", ["at"])
    op.create_table(
        "chat_policy",
        sa.Column("session_id", sa.String(36), nullable=False),
        sa.Column("chat_jid", sa.String(100), nullable=False),
        sa.Column("company_id", sa.String(36), nullable=False),
        sa.Column("last_inbound_at", TIME, nullable=True),
        sa.Column("last_sent_at", TIME, nullable=True),
        sa.Column("last_campaign_at", TIME, nullable=True),
        sa.Column("unanswered_campaigns", sa.Integer(), nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("session_id", "chat_jid"),
    )
    op.add_column("message", sa.Column("waiting_code", sa.String(40), nullable=False, server_default=""))
    op.add_column("message", sa.Column("waiting_detail", sa.String(300), nullable=False, server_default=""))
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    if is_postgresql:
        op.execute("SELECT set_config('ponte.company_id', '*', true)")
    op.execute(
        "INSERT INTO chat_policy (session_id, chat_jid, company_id, last_inbound_at, last_sent_at)"
        " SELECT session_id, chat_jid, MIN(company_id),"
        " MAX(CASE WHEN direction = 'INBOUND' THEN created_at END),"
        " MAX(CASE WHEN direction = 'OUTBOUND' THEN sent_at END)"
        " FROM message WHERE direction = 'INBOUND' OR sent_at IS NOT NULL GROUP BY session_id, chat_jid"
    )
    if is_postgresql:
        for table in OWNED:
            _secure(table)


def downgrade() -> None:
    """Remove them."""
    op.drop_column("message", "waiting_detail")
    op.drop_column("message", "waiting_code")
    for table in OWNED:
        op.drop_table(table)


def _secure(table: str) -> None:
    """Hold every role to the company that its transaction names (0001)."""
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    company = "NULLIF(current_setting('ponte.company_id', true), '')"
    op.execute(f"CREATE POLICY company_isolation ON {table} USING ({company} IN (company_id, '*'))")
