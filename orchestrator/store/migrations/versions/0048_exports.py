"""Imports of exported chats: which file, of which chat, and how it is to be read.

Revision ID: 0048
Revises: 0037
"""

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0037"
branch_labels = None
depends_on = None

LENGTHS = {"media_id": 36, "chat_jid": 100, "own_name": 100, "time_zone": 60, "date_order": 12}


def upgrade() -> None:
    """Add them; the table's own policy keeps companies apart."""
    for name, length in LENGTHS.items():
        op.add_column(
            "conversation_import", sa.Column(name, sa.String(length), nullable=False, server_default="")
        )


def downgrade() -> None:
    """Remove them, and the imports that cannot be without."""
    op.execute("DELETE FROM conversation_import WHERE kind = 'EXPORT'")
    for name in reversed(LENGTHS):
        op.drop_column("conversation_import", name)
