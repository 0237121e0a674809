"""Accounts know their latest entry: the ids of entries then say the order, whatever clocks do."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ACCOUNT = "loyalty_account"
_LATEST = (
    "SELECT id FROM loyalty_ledger_entry e WHERE e.customer_id = loyalty_account.customer_id "
    "ORDER BY id DESC LIMIT 1"
)


def upgrade() -> None:
    """Add the column and fill it."""
    op.add_column(ACCOUNT, sa.Column("last_entry_id", sa.Uuid()))
    op.execute(f"UPDATE {ACCOUNT} SET last_entry_id = ({_LATEST})")  # noqa: S608 names are ours


def downgrade() -> None:
    """Drop the column."""
    op.drop_column(ACCOUNT, "last_entry_id")
