"""Rewards that points were exchanged for, and how many of each were had."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"

REDEMPTION = "loyalty_redemption"
_HAS_CODE = sa.text("code IS NOT NULL")


def upgrade() -> None:
    """Add the columns and the table."""
    op.add_column(REDEMPTION, sa.Column("reward", sa.String()))
    op.add_column(REDEMPTION, sa.Column("code", sa.String()))
    op.create_index(
        "uq_loyalty_redemption_code",
        REDEMPTION,
        ["code"],
        unique=True,
        sqlite_where=_HAS_CODE,
        postgresql_where=_HAS_CODE,
    )
    op.create_table(
        "loyalty_reward_stock",
        sa.Column("reward", sa.String(), primary_key=True),
        sa.Column("taken", sa.BigInteger(), nullable=False),
        sa.Column("stock", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("taken >= 0 AND taken <= stock", name="ck_loyalty_reward_stock"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("loyalty_reward_stock")
    op.drop_index("uq_loyalty_redemption_code", REDEMPTION)
    for column in ("code", "reward"):
        op.drop_column(REDEMPTION, column)
