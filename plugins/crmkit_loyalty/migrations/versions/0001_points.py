"""The points book: entries that never change, accounts, lots and allocations."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

INSTANT = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")
JSON = sa.JSON().with_variant(sa.dialects.postgresql.JSONB(), "postgresql")
ENTRY = "loyalty_ledger_entry"
SIGN = (
    "(kind IN ('accrual', 'release', 'transfer_in', 'merge_in') AND points_delta > 0) OR "
    "(kind IN ('redemption', 'expiry', 'hold', 'transfer_out', 'merge_out') "
    "AND points_delta < 0) OR "
    "(kind IN ('reversal', 'adjustment') AND points_delta <> 0)"
)


def upgrade() -> None:
    """Make the tables and guard the entries."""
    _entries()
    _entry_indexes()
    _account()
    _lots()
    if op.get_bind().dialect.name == "sqlite":
        _guard_sqlite()
    else:
        _guard_postgres()


def downgrade() -> None:
    """Drop everything, those that refer to others first."""
    for table in ("loyalty_allocation", "loyalty_lot", "loyalty_account", ENTRY):
        op.drop_table(table)
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION loyalty_refuse_change()")


def _entries() -> None:
    op.create_table(
        ENTRY,
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("customer_id", sa.Uuid(), sa.ForeignKey("customer.id"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("points_delta", sa.BigInteger(), nullable=False),
        sa.Column("balance_after", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("source_id", sa.Uuid()),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("explanation", JSON, nullable=False),
        sa.Column("reason", sa.String()),
        sa.Column("actor", sa.String()),
        sa.Column("idempotency_key", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String()),
        sa.Column("occurred_at", INSTANT, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("reverses_entry_id", sa.Uuid(), sa.ForeignKey(f"{ENTRY}.id")),
        sa.CheckConstraint(SIGN, name="ck_loyalty_entry_sign"),
        sa.CheckConstraint(
            "(kind = 'reversal') = (reverses_entry_id IS NOT NULL)",
            name="ck_loyalty_reversal_names_entry",
        ),
        sa.CheckConstraint("balance_after >= 0", name="ck_loyalty_entry_balance"),
    )


def _entry_indexes() -> None:
    op.create_index("uq_loyalty_entry_key", ENTRY, ["customer_id", "idempotency_key"], unique=True)
    op.create_index("ix_loyalty_entry_customer", ENTRY, ["customer_id", "occurred_at", "id"])
    _partial_index(
        "uq_loyalty_accrual", ["source_id", "rule", "line"], "kind = 'accrual'", unique=True
    )
    _partial_index("ix_loyalty_entry_source", ["source_id"], "kind <> 'accrual'", unique=False)
    _partial_index(
        "uq_loyalty_reversal",
        ["reverses_entry_id", "source_id"],
        "reverses_entry_id IS NOT NULL",
        unique=True,
    )


def _partial_index(name: str, columns: list[str], where: str, *, unique: bool) -> None:
    condition = sa.text(where)
    op.create_index(
        name, ENTRY, columns, unique=unique, sqlite_where=condition, postgresql_where=condition
    )


def _account() -> None:
    op.create_table(
        "loyalty_account",
        sa.Column("customer_id", sa.Uuid(), sa.ForeignKey("customer.id"), primary_key=True),
        sa.Column("balance", sa.BigInteger(), nullable=False),
        sa.Column("debt", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("balance >= 0", name="ck_loyalty_balance"),
        sa.CheckConstraint("debt >= 0", name="ck_loyalty_debt"),
        sa.CheckConstraint("balance = 0 OR debt = 0", name="ck_loyalty_balance_or_debt"),
    )


def _lots() -> None:
    op.create_table(
        "loyalty_lot",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), sa.ForeignKey(f"{ENTRY}.id"), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("active_from", INSTANT),
        sa.Column("expires_at", INSTANT),
        sa.CheckConstraint("points > 0", name="ck_loyalty_lot_points"),
    )
    op.create_index("ix_loyalty_lot_customer", "loyalty_lot", ["customer_id", "entry_id"])
    op.create_table(
        "loyalty_allocation",
        sa.Column("lot_id", sa.Uuid(), sa.ForeignKey("loyalty_lot.id"), primary_key=True),
        sa.Column("entry_id", sa.Uuid(), sa.ForeignKey(f"{ENTRY}.id"), primary_key=True),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("points <> 0", name="ck_loyalty_allocation_points"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_loyalty_allocation_entry", "loyalty_allocation", ["entry_id"])


def _guard_sqlite() -> None:
    for event in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER loyalty_entry_no_{event.lower()} BEFORE {event} ON {ENTRY} "
            "BEGIN SELECT RAISE(ABORT, 'entries of the points book never change'); END"
        )


def _guard_postgres() -> None:
    op.execute(
        "CREATE FUNCTION loyalty_refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'entries of the points book never change' "
        "USING ERRCODE = 'restrict_violation'; END $$"
    )
    for event, each in (("UPDATE OR DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
        op.execute(
            f"CREATE TRIGGER loyalty_entry_no_{event.split()[0].lower()} BEFORE {event} ON {ENTRY} "
            f"FOR EACH {each} EXECUTE FUNCTION loyalty_refuse_change()"
        )
