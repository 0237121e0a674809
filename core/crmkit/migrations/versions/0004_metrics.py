"""Key figures per customer."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

INSTANT = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")


def upgrade() -> None:
    """Make the tables."""
    _customer_metrics()
    _customer_day()
    _shares()


def downgrade() -> None:
    """Drop the tables."""
    for table in (
        "customer_store_metrics",
        "customer_category_metrics",
        "customer_day",
        "customer_metrics",
    ):
        op.drop_table(table)


def _key(*more: sa.Column[object]) -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("customer_id", sa.Uuid(), sa.ForeignKey("customer.id"), primary_key=True),
        sa.Column("currency", sa.String(), primary_key=True),
        *more,
    )


def _customer_metrics() -> None:
    op.create_table(
        "customer_metrics",
        *_key(),
        sa.Column("first_sale_at", INSTANT),
        sa.Column("last_sale_at", INSTANT),
        sa.Column("sale_count", sa.Integer(), nullable=False),
        sa.Column("return_count", sa.Integer(), nullable=False),
        sa.Column("net_minor", sa.BigInteger(), nullable=False),
        sa.Column("returned_minor", sa.BigInteger(), nullable=False),
        sa.Column("quantity_milli", sa.BigInteger(), nullable=False),
        sa.Column("purchase_day_count", sa.Integer(), nullable=False),
    )


def _customer_day() -> None:
    op.create_table(
        "customer_day",
        *_key(sa.Column("business_on", sa.Date(), primary_key=True)),
        sa.Column("sale_count", sa.Integer(), nullable=False),
        sa.Column("return_count", sa.Integer(), nullable=False),
        sa.Column("net_minor", sa.BigInteger(), nullable=False),
        sa.Column("quantity_milli", sa.BigInteger(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_customer_day_on", "customer_day", ["business_on", "customer_id"])


def _shares() -> None:
    op.create_table(
        "customer_category_metrics",
        *_key(sa.Column("category", sa.String(), primary_key=True)),
        sa.Column("net_minor", sa.BigInteger(), nullable=False),
        sa.Column("quantity_milli", sa.BigInteger(), nullable=False),
        sa.Column("line_count", sa.Integer(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "customer_store_metrics",
        *_key(sa.Column("store", sa.String(), primary_key=True)),
        sa.Column("net_minor", sa.BigInteger(), nullable=False),
        sa.Column("sale_count", sa.Integer(), nullable=False),
        sqlite_with_rowid=False,
    )
