"""Customers, how to reach them, and what is known about them."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

# Spelt out instead of imported: what this step once made must not change with the code.
INSTANT = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")


def upgrade() -> None:
    """Make the tables."""
    _customer()
    _contact_point()
    _address()
    _external_id()
    _tag()


def downgrade() -> None:
    """Drop the tables, those that refer to others first."""
    for table in (
        "customer_tag",
        "customer_external_id",
        "customer_address",
        "customer_contact_point",
        "customer",
    ):
        op.drop_table(table)


def _customer() -> None:
    op.create_table(
        "customer",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("display_name", sa.String(), nullable=False),
        sa.Column("given_name", sa.String()),
        sa.Column("family_name", sa.String()),
        sa.Column("gender", sa.String()),
        sa.Column("birth_on", sa.Date()),
        sa.Column("occupation", sa.String()),
        sa.Column("language", sa.String()),
        sa.Column("lifecycle", sa.String(), nullable=False),
        sa.Column("lifecycle_since", INSTANT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "lifecycle IN ('prospect', 'target', 'customer', 'dormant', 'archived')",
            name="ck_lifecycle_known",
        ),
    )
    op.create_index("ix_customer_created", "customer", ["created_at", "id"])
    op.create_index("ix_customer_display_name", "customer", ["display_name", "id"])


def _contact_point() -> None:
    table = "customer_contact_point"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("customer_id", sa.Uuid(), sa.ForeignKey("customer.id"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("raw_value", sa.String(), nullable=False),
        sa.Column("is_primary", sa.Boolean(), nullable=False),
        sa.Column("verified_at", INSTANT),
        sa.CheckConstraint("kind IN ('phone', 'email', 'social')", name="ck_kind_known"),
    )
    op.create_index("ix_contact_value", table, ["kind", "value", "customer_id"])
    op.create_index(
        "uq_contact_customer_value", table, ["customer_id", "kind", "value"], unique=True
    )


def _address() -> None:
    op.create_table(
        "customer_address",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("customer_id", sa.Uuid(), sa.ForeignKey("customer.id"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("country", sa.String()),
        sa.Column("region", sa.String()),
        sa.Column("city", sa.String()),
        sa.Column("street", sa.String()),
        sa.Column("postal_code", sa.String()),
    )
    op.create_index("ix_address_customer", "customer_address", ["customer_id", "kind"])


def _external_id() -> None:
    op.create_table(
        "customer_external_id",
        sa.Column("source", sa.String(), primary_key=True),
        sa.Column("external_id", sa.String(), primary_key=True),
        sa.Column("customer_id", sa.Uuid(), sa.ForeignKey("customer.id"), nullable=False),
    )
    op.create_index("ix_external_id_customer", "customer_external_id", ["customer_id"])


def _tag() -> None:
    op.create_table(
        "customer_tag",
        sa.Column("customer_id", sa.Uuid(), sa.ForeignKey("customer.id"), primary_key=True),
        sa.Column("tag", sa.String(), primary_key=True),
    )
    op.create_index("ix_tag", "customer_tag", ["tag", "customer_id"])
