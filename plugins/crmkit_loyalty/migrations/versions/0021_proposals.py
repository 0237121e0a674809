"""Adjustments that wait for a second person."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"

INSTANT = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")
TABLE = "loyalty_proposed_adjustment"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        TABLE,
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("customer_id", sa.Uuid(), sa.ForeignKey("customer.id"), nullable=False),
        sa.Column("point_kind", sa.String(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("reason_code", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("proposed_by", sa.String(), nullable=False),
        sa.Column("proposed_at", INSTANT, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("decided_by", sa.String()),
        sa.Column("decided_at", INSTANT),
        sa.Column("decision_note", sa.String()),
        sa.CheckConstraint("points <> 0", name="ck_loyalty_proposal_points"),
        sa.CheckConstraint(
            "(state = 'proposed') = (decided_by IS NULL)", name="ck_loyalty_proposal_decided"
        ),
        sa.CheckConstraint(
            "state <> 'approved' OR decided_by <> proposed_by", name="ck_loyalty_proposal_persons"
        ),
    )
    op.create_index(
        "uq_loyalty_proposal_key", TABLE, ["customer_id", "idempotency_key"], unique=True
    )
    op.create_index("ix_loyalty_proposal_state", TABLE, ["state", "proposed_at", "id"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table(TABLE)
