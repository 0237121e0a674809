"""Rules, changes that never change, memberships and sweeps."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

INSTANT = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")
JSON = sa.JSON().with_variant(sa.dialects.postgresql.JSONB(), "postgresql")
CHANGE, MEMBERSHIP = "tiers_change", "tiers_membership"


def upgrade() -> None:
    """Make the tables and guard the changes."""
    op.create_table(
        "tiers_rules",
        sa.Column("version", sa.String(), primary_key=True),
        sa.Column("tier_set", sa.String(), nullable=False),
        sa.Column("rules", JSON, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
    )
    _changes()
    _memberships()
    _sweeps()
    if op.get_bind().dialect.name == "sqlite":
        _guard_sqlite()
    else:
        _guard_postgres()


def downgrade() -> None:
    """Drop everything, those that refer to others first."""
    for table in ("tiers_sweep", MEMBERSHIP, CHANGE, "tiers_rules"):
        op.drop_table(table)
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION tiers_refuse_change()")


def _state() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("since_on", sa.Date(), nullable=False),
        sa.Column("joined_on", sa.Date(), nullable=False),
        sa.Column("valid_until_on", sa.Date()),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("at_risk_on", sa.Date()),
        sa.Column("at_risk_until_on", sa.Date()),
        sa.Column("locked_until_on", sa.Date()),
        sa.Column("frozen_reason", sa.String()),
    )


def _changes() -> None:
    op.create_table(
        CHANGE,
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("customer_id", sa.Uuid(), sa.ForeignKey("customer.id"), nullable=False),
        sa.Column("tier_set", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("from_tier", sa.String()),
        sa.Column("to_tier", sa.String(), nullable=False),
        *_state(),
        sa.Column("as_of_on", sa.Date(), nullable=False),
        sa.Column("explanation", JSON, nullable=False),
        sa.Column(
            "rule_version", sa.String(), sa.ForeignKey("tiers_rules.version"), nullable=False
        ),
        sa.Column("reason", sa.String()),
        sa.Column("actor", sa.String()),
        sa.Column("idempotency_key", sa.String()),
        sa.Column("fingerprint", sa.String()),
        sa.Column("effective_at", INSTANT, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
    )
    op.create_index(
        "uq_tiers_change_number", CHANGE, ["customer_id", "tier_set", "number"], unique=True
    )
    has_key = sa.text("idempotency_key IS NOT NULL")
    op.create_index(
        "uq_tiers_change_key", CHANGE, ["customer_id", "idempotency_key"], unique=True,
        sqlite_where=has_key, postgresql_where=has_key,
    )  # fmt: skip


def _memberships() -> None:
    op.create_table(
        MEMBERSHIP,
        sa.Column("customer_id", sa.Uuid(), sa.ForeignKey("customer.id"), primary_key=True),
        sa.Column("tier_set", sa.String(), primary_key=True),
        sa.Column("tier", sa.String(), nullable=False),
        *_state(),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("effective_at", INSTANT, nullable=False),
        sa.Column("review_on", sa.Date()),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_tiers_membership_review", MEMBERSHIP, ["tier_set", "review_on"])
    op.create_index("ix_tiers_membership_tier", MEMBERSHIP, ["tier_set", "tier", "customer_id"])


def _sweeps() -> None:
    op.create_table(
        "tiers_sweep",
        sa.Column("tier_set", sa.String(), primary_key=True),
        sa.Column("rule_version", sa.String(), nullable=False),
        sa.Column("swept_on", sa.Date(), nullable=False),
        sa.Column("after_id", sa.Uuid()),
        sa.Column("is_done", sa.Boolean(), nullable=False),
    )


def _guard_sqlite() -> None:
    for event in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER tiers_change_no_{event.lower()} BEFORE {event} ON {CHANGE} "
            "BEGIN SELECT RAISE(ABORT, 'changes of tiers never change'); END"
        )


def _guard_postgres() -> None:
    op.execute(
        "CREATE FUNCTION tiers_refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'changes of tiers never change' "
        "USING ERRCODE = 'restrict_violation'; END $$"
    )
    for event, each in (("UPDATE OR DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
        op.execute(
            f"CREATE TRIGGER tiers_change_no_{event.split()[0].lower()} BEFORE {event} ON {CHANGE} "
            f"FOR EACH {each} EXECUTE FUNCTION tiers_refuse_change()"
        )
