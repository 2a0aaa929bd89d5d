"""Messages of a campaign by their chat: news of its contacts bring a campaign's next round forward.

Revision ID: 0046
Revises: 0040
"""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0040"
branch_labels = None
depends_on = None

OF_A_CAMPAIGN = sa.text("campaign_id <> ''")


def upgrade() -> None:
    """Add the index."""
    op.create_index(
        "message_campaign",
        "message",
        ["campaign_id", "chat_jid"],
        sqlite_where=OF_A_CAMPAIGN,
        postgresql_where=OF_A_CAMPAIGN,
    )


def downgrade() -> None:
    """Remove the index."""
    op.drop_index("message_campaign", "message")
