"""What a session's closed connections leave: how often, when a ban lets it start, and the breaker's stale devices.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
TIMES = sa.String(200)


def upgrade() -> None:
    """Add columns to sessions."""
    op.add_column("session", sa.Column("start_not_before", TIME, nullable=True))
    op.add_column("session", sa.Column("network_closes", TIMES, nullable=False, server_default=""))
    op.add_column("session", sa.Column("drops", TIMES, nullable=False, server_default=""))
    op.add_column("session", sa.Column("looping", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("session", sa.Column("breaker_stale_devices", TIMES, nullable=False, server_default=""))
