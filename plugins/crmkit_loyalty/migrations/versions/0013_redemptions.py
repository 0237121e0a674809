"""Redemptions, from the request to what became of it."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

INSTANT = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")
ENTRY, REDEMPTION = "loyalty_ledger_entry", "loyalty_redemption"
_NAMED, _HELD = sa.text("external_id IS NOT NULL"), sa.text("state = 'held'")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        REDEMPTION,
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("customer_id", sa.Uuid(), sa.ForeignKey("customer.id"), nullable=False),
        sa.Column("point_kind", sa.String(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("value_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("source", sa.String()),
        sa.Column("external_id", sa.String()),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("requested_at", INSTANT, nullable=False),
        sa.Column("held_until", INSTANT),
        sa.Column("settled_at", INSTANT),
        sa.Column("hold_entry_id", sa.Uuid(), sa.ForeignKey(f"{ENTRY}.id")),
        sa.Column("entry_id", sa.Uuid(), sa.ForeignKey(f"{ENTRY}.id")),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("settle_key", sa.String()),
        sa.Column("settle_fingerprint", sa.String()),
        sa.CheckConstraint("points > 0 AND value_minor >= 0", name="ck_loyalty_redemption_points"),
        sa.CheckConstraint(
            "(state IN ('redeemed', 'cancelled')) = (entry_id IS NOT NULL)",
            name="ck_loyalty_redemption_entry",
        ),
    )
    op.create_index(
        "uq_loyalty_redemption_key", REDEMPTION, ["customer_id", "idempotency_key"], unique=True
    )
    _partial("ix_loyalty_redemption_receipt", ["source", "external_id"], _NAMED)
    _partial("ix_loyalty_redemption_held", ["held_until"], _HELD)


def downgrade() -> None:
    """Drop the table."""
    op.drop_table(REDEMPTION)


def _partial(name: str, columns: list[str], where: sa.TextClause) -> None:
    op.create_index(name, REDEMPTION, columns, sqlite_where=where, postgresql_where=where)
