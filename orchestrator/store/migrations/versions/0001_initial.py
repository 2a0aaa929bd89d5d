"""All tables of the first version, and PostgreSQL's row-level security.

Revision ID: 0001
Revises: none
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
JSON_DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
HAS_PN = sa.text("pn_jid <> ''")
HAS_LID = sa.text("lid_jid <> ''")
WAITING = sa.text("status IN ('QUEUED', 'SENDING')")
CLAIMED = sa.text("status = 'SENDING'")
PENDING = sa.text("status = 'PENDING'")

# Table -> the column that says whose a row is.
OWNED = {
    "company": "id",
    "api_key": "company_id",
    "event_counter": "company_id",
    "idempotency": "company_id",
    "session": "company_id",
    "auth_credentials": "company_id",
    "auth_key": "company_id",
    "archived_credentials": "company_id",
    "message": "company_id",
    "contact": "company_id",
    "event": "company_id",
    "webhook": "company_id",
    "webhook_delivery": "company_id",
}


def upgrade() -> None:
    """Make everything."""
    op.create_table(
        "api_key",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("company_id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("prefix", sa.String(16), nullable=False),
        sa.Column("secret_hash", sa.String(64), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("revoked_at", TIME, nullable=True),
        sa.Column("last_used_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("secret_hash"),
    )
    op.create_index("ix_api_key_company_id", "api_key", ["company_id"])
    op.create_table(
        "archived_credentials",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("session_id", sa.String(36), nullable=False),
        sa.Column("company_id", sa.String(36), nullable=False),
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("why", sa.JSON(), nullable=False),
        sa.Column("archived_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_archived_credentials_session_id", "archived_credentials", ["session_id"])
    op.create_table(
        "auth_credentials",
        sa.Column("session_id", sa.String(36), nullable=False),
        sa.Column("company_id", sa.String(36), nullable=False),
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("session_id"),
    )
    op.create_table(
        "auth_key",
        sa.Column("session_id", sa.String(36), nullable=False),
        sa.Column("type", sa.String(40), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("company_id", sa.String(36), nullable=False),
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("session_id", "type", "name"),
    )
    op.create_table(
        "company",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("max_sessions", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("deleted_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "contact",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("company_id", sa.String(36), nullable=False),
        sa.Column("pn_jid", sa.String(100), nullable=False),
        sa.Column("lid_jid", sa.String(100), nullable=False),
        sa.Column("push_name", sa.String(200), nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "contact_lid",
        "contact",
        ["company_id", "lid_jid"],
        unique=True,
        sqlite_where=HAS_LID,
        postgresql_where=HAS_LID,
    )
    op.create_index(
        "contact_pn",
        "contact",
        ["company_id", "pn_jid"],
        unique=True,
        sqlite_where=HAS_PN,
        postgresql_where=HAS_PN,
    )
    op.create_table(
        "event",
        sa.Column("company_id", sa.String(36), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("session_id", sa.String(36), nullable=False),
        sa.Column("chat_jid", sa.String(100), nullable=False),
        sa.Column("type", sa.String(40), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("data", JSON_DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("company_id", "sequence"),
        sa.UniqueConstraint("id"),
    )
    op.create_table(
        "event_counter",
        sa.Column("company_id", sa.String(36), nullable=False),
        sa.Column("last_sequence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("company_id"),
    )
    op.create_table(
        "idempotency",
        sa.Column("company_id", sa.String(36), nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("method", sa.String(100), nullable=False),
        sa.Column("request_hash", sa.String(64), nullable=False),
        sa.Column("resource_id", sa.String(36), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("company_id", "key"),
    )
    op.create_index("idempotency_created", "idempotency", ["created_at"])
    op.create_table(
        "message",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("company_id", sa.String(36), nullable=False),
        sa.Column("session_id", sa.String(36), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("chat_jid", sa.String(100), nullable=False),
        sa.Column("wa_message_id", sa.String(80), nullable=False),
        sa.Column("pn_jid", sa.String(100), nullable=False),
        sa.Column("lid_jid", sa.String(100), nullable=False),
        sa.Column("direction", sa.String(10), nullable=False),
        sa.Column("kind", sa.String(60), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("lane", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error_code", sa.String(60), nullable=False),
        sa.Column("error_detail", sa.String(500), nullable=False),
        sa.Column("push_name", sa.String(200), nullable=False),
        sa.Column("offline", sa.Boolean(), nullable=False),
        sa.Column("proto", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("send_at", TIME, nullable=True),
        sa.Column("due_at", TIME, nullable=True),
        sa.Column("claimed_until", TIME, nullable=True),
        sa.Column("sent_at", TIME, nullable=True),
        sa.Column("delivered_at", TIME, nullable=True),
        sa.Column("read_at", TIME, nullable=True),
        sa.Column("failed_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("session_id", "chat_jid", "wa_message_id", name="message_once"),
    )
    op.create_index("message_chat", "message", ["session_id", "chat_jid", "sequence"])
    op.create_index("message_company", "message", ["company_id", "sequence"])
    op.create_index(
        "message_outbox",
        "message",
        ["session_id", "lane", "due_at", "sequence"],
        sqlite_where=WAITING,
        postgresql_where=WAITING,
    )
    op.create_index(
        "message_waiting",
        "message",
        ["session_id", "chat_jid", "sequence"],
        sqlite_where=WAITING,
        postgresql_where=WAITING,
    )
    op.create_index(
        "message_claimed",
        "message",
        ["session_id", "claimed_until"],
        sqlite_where=CLAIMED,
        postgresql_where=CLAIMED,
    )
    op.create_index("message_whatsapp_id", "message", ["session_id", "wa_message_id"])
    op.create_table(
        "metadata",
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "session",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("company_id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("desired_state", sa.String(10), nullable=False),
        sa.Column("pn_jid", sa.String(100), nullable=False),
        sa.Column("lid_jid", sa.String(100), nullable=False),
        sa.Column("push_name", sa.String(200), nullable=False),
        sa.Column("close_code", sa.Integer(), nullable=True),
        sa.Column("close_reason", sa.String(60), nullable=False),
        sa.Column("close_permanent", sa.Boolean(), nullable=False),
        sa.Column("close_advice", sa.String(300), nullable=False),
        sa.Column("closed_at", TIME, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("connected_at", TIME, nullable=True),
        sa.Column("deleted_at", TIME, nullable=True),
        sa.Column("qr_data", sa.String(1000), nullable=False),
        sa.Column("qr_expires_at", TIME, nullable=True),
        sa.Column("lease_owner", sa.String(80), nullable=False),
        sa.Column("lease_address", sa.String(200), nullable=False),
        sa.Column("lease_until", TIME, nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("reconnect_failures", sa.Integer(), nullable=False),
        sa.Column("reconnect_at", TIME, nullable=True),
        sa.Column("dispatch_owner", sa.String(80), nullable=False),
        sa.Column("dispatch_until", TIME, nullable=True),
        sa.Column("breaker_state", sa.String(10), nullable=False),
        sa.Column("breaker_failures", sa.Integer(), nullable=False),
        sa.Column("breaker_pauses", sa.Integer(), nullable=False),
        sa.Column("breaker_until", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("session_company", "session", ["company_id", "id"])
    op.create_index("session_desired", "session", ["desired_state", "state"])
    op.create_table(
        "webhook",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("company_id", sa.String(36), nullable=False),
        sa.Column("url", sa.String(2000), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("secret_key_id", sa.String(16), nullable=False),
        sa.Column("secret_ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("disabled_reason", sa.String(200), nullable=False),
        sa.Column("cursor", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("paused_until", TIME, nullable=True),
        sa.Column("claimed_until", TIME, nullable=True),
        sa.Column("claim_owner", sa.String(80), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("deleted_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("webhook_company", "webhook", ["company_id", "id"])
    op.create_table(
        "webhook_delivery",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("company_id", sa.String(36), nullable=False),
        sa.Column("webhook_id", sa.String(36), nullable=False),
        sa.Column("event_id", sa.String(36), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("event_type", sa.String(40), nullable=False),
        sa.Column("chat_jid", sa.String(100), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", TIME, nullable=True),
        sa.Column("last_status_code", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(300), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("delivered_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("webhook_id", "sequence", name="webhook_delivery_once"),
    )
    op.create_index(
        "webhook_delivery_due",
        "webhook_delivery",
        ["webhook_id", "next_attempt_at", "sequence"],
        sqlite_where=PENDING,
        postgresql_where=PENDING,
    )

    if op.get_bind().dialect.name == "postgresql":
        for table, owner in OWNED.items():
            _secure(table, owner)


def downgrade() -> None:
    """Remove everything."""
    for table in (*OWNED, "metadata"):
        op.drop_table(table)


def _secure(table: str, owner: str) -> None:
    """Hold every role, the table's owner too, to the company that its transaction names; `*` is for all."""
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    # Outside of a transaction that names one the setting is NULL or empty, and no row is seen.
    company = "NULLIF(current_setting('ponte.company_id', true), '')"
    op.execute(f"CREATE POLICY company_isolation ON {table} USING ({company} IN ({owner}, '*'))")
