"""Entries, accounts and lots say which kind of points they are about; entries, their day."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

ENTRY, ACCOUNT, LOT = "loyalty_ledger_entry", "loyalty_account", "loyalty_lot"
_REVERSES = sa.text("reverses_entry_id IS NOT NULL")
_KEPT = "customer_id, balance, debt, last_entry_id"
_OLD = f"{ACCOUNT}_old"
_NO_UPDATE = (
    f"CREATE TRIGGER loyalty_entry_no_update BEFORE UPDATE ON {ENTRY} "
    "BEGIN SELECT RAISE(ABORT, 'entries of the points book never change'); END"
)


def upgrade() -> None:
    """Add the columns; everything there is becomes the kind `points`."""
    for table in (ENTRY, LOT):
        op.add_column(table, _kind())
    op.add_column(ENTRY, sa.Column("business_on", sa.Date()))
    _fill_days()
    _renew_reversals(["reverses_entry_id", "source_id", "rule"])
    _renew_accounts(_kind(primary_key=True))


def downgrade() -> None:
    """Drop the columns.

    Raises:
        ValueError: there are other kinds than `points`.
    """
    of_others = sa.text(f"SELECT count(*) FROM {ENTRY} WHERE point_kind <> 'points'")  # noqa: S608
    if op.get_bind().scalar(of_others):
        raise ValueError("there are entries of other kinds of points; nothing was changed")
    _renew_accounts()
    _renew_reversals(["reverses_entry_id", "source_id"])
    op.drop_column(ENTRY, "business_on")
    for table in (ENTRY, LOT):
        op.drop_column(table, "point_kind")


def _kind(*, primary_key: bool = False) -> sa.Column[str]:
    return sa.Column(
        "point_kind",
        sa.String(),
        nullable=False,
        server_default="points",
        primary_key=primary_key,
    )


def _fill_days() -> None:
    """Take the day of the transaction, or the day in UTC, with the guard of the entries open."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    day = "date(occurred_at)" if is_sqlite else "(occurred_at AT TIME ZONE 'UTC')::date"
    op.execute(
        "DROP TRIGGER loyalty_entry_no_update"
        if is_sqlite
        else f"ALTER TABLE {ENTRY} DISABLE TRIGGER loyalty_entry_no_update"
    )
    op.execute(
        f"UPDATE {ENTRY} SET business_on = coalesce((SELECT t.business_on "  # noqa: S608 ours
        f'FROM "transaction" t WHERE t.id = {ENTRY}.source_id), {day})'
    )
    op.execute(
        _NO_UPDATE if is_sqlite else f"ALTER TABLE {ENTRY} ENABLE TRIGGER loyalty_entry_no_update"
    )


def _renew_reversals(columns: list[str]) -> None:
    op.drop_index("uq_loyalty_reversal", ENTRY)
    op.create_index(
        "uq_loyalty_reversal",
        ENTRY,
        columns,
        unique=True,
        sqlite_where=_REVERSES,
        postgresql_where=_REVERSES,
    )


def _renew_accounts(*kind: sa.Column[str]) -> None:
    """Make the accounts' table again with another primary key."""
    op.execute(f"CREATE TABLE {_OLD} AS SELECT {_KEPT} FROM {ACCOUNT}")  # noqa: S608 names are ours
    op.drop_table(ACCOUNT)
    op.create_table(
        ACCOUNT,
        sa.Column("customer_id", sa.Uuid(), sa.ForeignKey("customer.id"), primary_key=True),
        *kind,
        sa.Column("balance", sa.BigInteger(), nullable=False),
        sa.Column("debt", sa.BigInteger(), nullable=False),
        sa.Column("last_entry_id", sa.Uuid()),
        sa.CheckConstraint("balance >= 0", name="ck_loyalty_balance"),
        sa.CheckConstraint("debt >= 0", name="ck_loyalty_debt"),
        sa.CheckConstraint("balance = 0 OR debt = 0", name="ck_loyalty_balance_or_debt"),
    )
    op.execute(f"INSERT INTO {ACCOUNT} ({_KEPT}) SELECT {_KEPT} FROM {_OLD}")  # noqa: S608 ours
    op.drop_table(_OLD)
