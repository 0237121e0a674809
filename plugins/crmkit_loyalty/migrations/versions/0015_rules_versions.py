"""Earning rules that were set to be valid from some time on."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

INSTANT = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")
JSON = sa.JSON().with_variant(sa.dialects.postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "loyalty_earning_rules_version",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("rules", JSON, nullable=False),
        sa.Column("valid_from", INSTANT, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
    )
    table = "loyalty_earning_rules_version"
    op.create_index("ix_loyalty_rules_valid", table, ["valid_from", "id"])
    op.create_index("uq_loyalty_rules_key", table, ["idempotency_key"], unique=True)


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("loyalty_earning_rules_version")
