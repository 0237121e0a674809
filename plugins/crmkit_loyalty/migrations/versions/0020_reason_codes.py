"""Adjustments by hand name one of the reasons in the settings."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0015"

ENTRY = "loyalty_ledger_entry"


def upgrade() -> None:
    """Add the column; entries from before have no code."""
    op.add_column(ENTRY, sa.Column("reason_code", sa.String()))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column(ENTRY, "reason_code")
