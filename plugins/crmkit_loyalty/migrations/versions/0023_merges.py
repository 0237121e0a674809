"""Points of two customers can be merged."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"

INSTANT = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")
ACCOUNT, TABLE = "loyalty_account", "loyalty_points_merge"


def upgrade() -> None:
    """Make the table, and let accounts say it."""
    op.create_table(
        TABLE,
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("from_customer_id", sa.Uuid(), sa.ForeignKey("customer.id"), nullable=False),
        sa.Column("into_customer_id", sa.Uuid(), sa.ForeignKey("customer.id"), nullable=False),
        sa.Column("undoes_merge_id", sa.Uuid(), sa.ForeignKey(f"{TABLE}.id")),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
    )
    columns = ["from_customer_id", "idempotency_key"]
    op.create_index("uq_loyalty_merge_key", TABLE, columns, unique=True)
    op.create_index("uq_loyalty_merge_undone", TABLE, ["undoes_merge_id"], unique=True)
    op.add_column(ACCOUNT, sa.Column("merged_into", sa.Uuid()))


def downgrade() -> None:
    """Drop both."""
    op.drop_column(ACCOUNT, "merged_into")
    op.drop_table(TABLE)
