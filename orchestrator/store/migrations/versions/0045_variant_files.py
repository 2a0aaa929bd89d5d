"""Files of campaigns' variants.

Revision ID: 0045
Revises: 0023
"""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column: the content that carries the file, as JSON; NULL for a plain text."""
    op.add_column("campaign_variant", sa.Column("file", sa.String(), nullable=True))


def downgrade() -> None:
    """Remove the column."""
    op.drop_column("campaign_variant", "file")
