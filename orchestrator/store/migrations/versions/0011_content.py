"""What messages say beyond text, and what happens to them later.

Revision ID: 0011
Revises: 0020
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0020"
branch_labels = None
depends_on = None

MENU = sa.text("kind IN ('buttons', 'list')")


def upgrade() -> None:
    """Add the columns, and the way to a chat's newest menu, which answers by number or words are looked up in."""
    op.add_column("message", sa.Column("content", sa.Text(), nullable=True))
    op.add_column("message", sa.Column("marks", sa.Text(), nullable=True))
    op.create_index(
        "message_menu",
        "message",
        ["session_id", "chat_jid", "sequence"],
        sqlite_where=MENU,
        postgresql_where=MENU,
    )


def downgrade() -> None:
    """Remove them."""
    op.drop_index("message_menu", "message")
    op.drop_column("message", "marks")
    op.drop_column("message", "content")
