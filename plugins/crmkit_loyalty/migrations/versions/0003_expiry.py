"""Lots say whether they were dealt with after they expired, so that due ones are found at once."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

LOT = "loyalty_lot"
_OPEN = sa.text("NOT is_expired AND expires_at IS NOT NULL")


def upgrade() -> None:
    """Add the column and the index of what is due next."""
    op.add_column(
        LOT, sa.Column("is_expired", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.create_index(
        "ix_loyalty_lot_due", LOT, ["expires_at", "id"], sqlite_where=_OPEN, postgresql_where=_OPEN
    )


def downgrade() -> None:
    """Drop both."""
    op.drop_index("ix_loyalty_lot_due", LOT)
    op.drop_column(LOT, "is_expired")
