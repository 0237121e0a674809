"""Earning rules as they were when entries were posted by them."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0003"

INSTANT = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")
JSON = sa.JSON().with_variant(sa.dialects.postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "loyalty_earning_rules",
        sa.Column("version", sa.String(), primary_key=True),
        sa.Column("rules", JSON, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("loyalty_earning_rules")
