"""Transactions and their lines."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

INSTANT = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")
LINE_KINDS = (
    "'product', 'shipping', 'fee', 'discount', 'voucher', 'sample', "
    "'stock_correction', 'bad_debt', 'other'"
)


def upgrade() -> None:
    """Make the tables."""
    _transaction()
    _transaction_indexes()
    _line()


def downgrade() -> None:
    """Drop the tables, those that refer to others first."""
    op.drop_table("transaction_line")
    op.drop_table("transaction")


def _transaction() -> None:
    op.create_table(
        "transaction",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), sa.ForeignKey("customer.id")),
        sa.Column("occurred_at", INSTANT, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("business_on", sa.Date(), nullable=False),
        sa.Column("channel", sa.String()),
        sa.Column("store", sa.String()),
        sa.Column("staff", sa.String()),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("paid_minor", sa.BigInteger(), nullable=False),
        sa.Column("due_minor", sa.BigInteger(), nullable=False),
        sa.Column("original_id", sa.Uuid(), sa.ForeignKey("transaction.id")),
        sa.Column("attached_at", INSTANT),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('sale', 'return', 'exchange', 'void', 'adjustment')", name="ck_kind_known"
        ),
        sa.CheckConstraint("total_minor = paid_minor + due_minor", name="ck_transaction_sums"),
        sa.CheckConstraint(
            "kind <> 'void' OR original_id IS NOT NULL", name="ck_void_names_original"
        ),
    )


def _transaction_indexes() -> None:
    table = "transaction"
    op.create_index("uq_transaction_external", table, ["source", "external_id"], unique=True)
    op.create_index("ix_transaction_customer", table, ["customer_id", "occurred_at", "id"])
    op.create_index("ix_transaction_occurred", table, ["occurred_at", "id"])
    corrects = sa.text("original_id IS NOT NULL")
    op.create_index(
        "ix_transaction_original",
        table,
        ["original_id"],
        sqlite_where=corrects,
        postgresql_where=corrects,
    )
    voids = sa.text("kind = 'void'")
    op.create_index(
        "uq_transaction_voided",
        table,
        ["original_id"],
        unique=True,
        sqlite_where=voids,
        postgresql_where=voids,
    )


def _line() -> None:
    op.create_table(
        "transaction_line",
        sa.Column("transaction_id", sa.Uuid(), sa.ForeignKey("transaction.id"), primary_key=True),
        sa.Column("position", sa.Integer(), primary_key=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("description", sa.String()),
        sa.Column("category", sa.String()),
        sa.Column("brand", sa.String()),
        sa.Column("quantity_milli", sa.BigInteger(), nullable=False),
        sa.Column("unit_price_micros", sa.BigInteger(), nullable=False),
        sa.Column("discount_minor", sa.BigInteger(), nullable=False),
        sa.Column("tax_minor", sa.BigInteger(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("original_position", sa.Integer()),
        sa.CheckConstraint(f"kind IN ({LINE_KINDS})", name="ck_kind_known"),
        sa.CheckConstraint("discount_minor >= 0", name="ck_line_discount"),
        sqlite_with_rowid=False,
    )
