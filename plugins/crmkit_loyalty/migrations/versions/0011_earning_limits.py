"""What limited rules have given, for each customer and period, and in all."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "loyalty_earned_points",
        sa.Column("rule", sa.String(), primary_key=True),
        sa.Column("owner", sa.String(), primary_key=True),
        sa.Column("period", sa.String(), primary_key=True),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("points_max", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("points >= 0 AND points <= points_max", name="ck_loyalty_earned_limit"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("loyalty_earned_points")
