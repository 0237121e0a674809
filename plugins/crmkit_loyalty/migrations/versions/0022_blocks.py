"""Points of a customer can be blocked."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

INSTANT = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")
ACCOUNT, TABLE = "loyalty_account", "loyalty_points_block"


def upgrade() -> None:
    """Make the table, and let accounts say it."""
    op.create_table(
        TABLE,
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("customer_id", sa.Uuid(), sa.ForeignKey("customer.id"), nullable=False),
        sa.Column("lifts_block_id", sa.Uuid(), sa.ForeignKey(f"{TABLE}.id")),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
    )
    op.create_index("uq_loyalty_block_key", TABLE, ["customer_id", "idempotency_key"], unique=True)
    op.create_index("uq_loyalty_block_lifted", TABLE, ["lifts_block_id"], unique=True)
    op.add_column(
        ACCOUNT, sa.Column("is_blocked", sa.Boolean(), nullable=False, server_default=sa.false())
    )


def downgrade() -> None:
    """Drop both."""
    op.drop_column(ACCOUNT, "is_blocked")
    op.drop_table(TABLE)
