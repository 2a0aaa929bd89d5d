"""Imports of conversations, what waits to be imported, and which messages came so.

Revision ID: 0037
Revises: 0047
"""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0047"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
OPEN = sa.text("state IN ('WAITING', 'RUNNING')")
COUNTS = ("total", "read", "added", "known", "skipped")
TABLES = ("conversation_import", "history_message")


def upgrade() -> None:
    """Add them; on PostgreSQL a company sees its own rows only."""
    op.add_column("session", sa.Column("history_days", sa.Integer(), nullable=False, server_default="0"))
    for name in ("history_groups", "history_media"):
        op.add_column("session", sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))
    for table in ("message", "media_download"):
        op.add_column(table, sa.Column("imported", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.drop_index("media_download_due", "media_download")
    op.create_index("media_download_due", "media_download", ["session_id", "imported", "next_attempt_at"])
    op.create_table(
        "conversation_import",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("company_id", sa.String(36), nullable=False),
        sa.Column("session_id", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("groups", sa.Boolean(), nullable=False),
        sa.Column("media", sa.Boolean(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in COUNTS),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("faults", sa.Integer(), nullable=False),
        sa.Column("error_code", sa.String(60), nullable=False),
        sa.Column("error_detail", sa.String(500), nullable=False),
        sa.Column("next_step_at", TIME, nullable=False),
        sa.Column("told_at", TIME, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("started_at", TIME, nullable=True),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("conversation_import_company", "conversation_import", ["company_id", "id"])
    for name, columns in {
        "conversation_import_due": ["kind", "next_step_at"],
        "conversation_import_session": ["session_id"],
    }.items():
        op.create_index(name, "conversation_import", columns, sqlite_where=OPEN, postgresql_where=OPEN)
    op.create_table(
        "history_message",
        sa.Column("import_id", sa.String(36), nullable=False),
        sa.Column("chat_jid", sa.String(100), nullable=False),
        sa.Column("wa_message_id", sa.String(200), nullable=False),
        sa.Column("company_id", sa.String(36), nullable=False),
        sa.Column("sent_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("import_id", "chat_jid", "wa_message_id"),
    )
    op.create_index("history_message_order", "history_message", ["import_id", "sent_at_ms", "place"])
    if op.get_bind().dialect.name == "postgresql":
        for table in TABLES:
            op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
            op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
            company = "NULLIF(current_setting('ponte.company_id', true), '')"
            op.execute(f"CREATE POLICY company_isolation ON {table} USING ({company} IN (company_id, '*'))")


def downgrade() -> None:
    """Remove them."""
    for table in reversed(TABLES):
        op.drop_table(table)
    op.drop_index("media_download_due", "media_download")
    op.create_index("media_download_due", "media_download", ["session_id", "next_attempt_at"])
    for table in ("media_download", "message"):
        op.drop_column(table, "imported")
    for name in ("history_media", "history_groups", "history_days"):
        op.drop_column("session", name)
