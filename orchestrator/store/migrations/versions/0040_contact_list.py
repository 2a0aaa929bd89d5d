"""Contacts in the order in which they are listed.

Revision ID: 0040
Revises: 0039
"""

from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    op.create_index("contact_company", "contact", ["company_id", "id"])


def downgrade() -> None:
    """Remove the index."""
    op.drop_index("contact_company", "contact")
