"""Interactions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"

INSTANT = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")
PAYLOAD = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "interaction",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), sa.ForeignKey("customer.id")),
        sa.Column("occurred_at", INSTANT, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("channel", sa.String()),
        sa.Column("direction", sa.String(), nullable=False),
        sa.Column("subject", sa.String()),
        sa.Column("content", sa.String()),
        sa.Column("rating", sa.Integer()),
        sa.Column("sku", sa.String()),
        sa.Column("transaction_id", sa.Uuid(), sa.ForeignKey("transaction.id")),
        sa.Column("staff", sa.String()),
        sa.Column("payload", PAYLOAD),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.CheckConstraint("direction IN ('inbound', 'outbound')", name="ck_direction_known"),
        sa.CheckConstraint("rating BETWEEN 1 AND 5", name="ck_interaction_rating"),
    )
    table = "interaction"
    op.create_index("uq_interaction_external", table, ["source", "external_id"], unique=True)
    op.create_index("ix_interaction_customer", table, ["customer_id", "occurred_at", "id"])
    op.create_index("ix_interaction_occurred", table, ["occurred_at", "id"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("interaction")
