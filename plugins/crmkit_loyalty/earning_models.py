"""What earning rules leave besides entries: the rules, what limits count, marked birthdays."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index
from sqlmodel import Field, SQLModel

from crmkit import Instant, Json, new_id


class EarningRuleSet(SQLModel, table=True):
    """Earning rules as they once were; written with the first entry they led to.

    Attributes:
        version: short digest of the rules, as the explanations of entries have it.
        rules: in the form of the settings.
    """

    __tablename__ = "loyalty_earning_rules"

    version: str = Field(primary_key=True)
    rules: list[dict[str, Any]] = Field(sa_type=Json)
    recorded_at: datetime = Field(sa_type=Instant)


class EarningRulesVersion(SQLModel, table=True):
    """Earning rules that were set to be valid from some time on, instead of the settings'.

    Valid is the version that begins last; of those that begin at once, the one set last.

    Attributes:
        version: short digest of the rules, as the explanations of entries have it.
        rules: in the form of the settings.
        valid_from: sales count from this instant on, by their own time.
        idempotency_key: unique; setting rules again with it gives this version.
        fingerprint: digest of the request, to tell a repeat from a contradiction.
    """

    __tablename__ = "loyalty_earning_rules_version"
    __table_args__ = (
        Index("ix_loyalty_rules_valid", "valid_from", "id"),
        Index("uq_loyalty_rules_key", "idempotency_key", unique=True),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    version: str
    rules: list[dict[str, Any]] = Field(sa_type=Json)
    valid_from: datetime = Field(sa_type=Instant)
    recorded_at: datetime = Field(sa_type=Instant)
    actor: str
    idempotency_key: str
    fingerprint: str


class EarnedPoints(SQLModel, table=True):
    """What a limited rule has given; derived from the explanations of entries.

    Attributes:
        owner: the customer's id as text; empty for the rule's budget.
        period: the business day, month or year as text; empty for the budget.
        points_max: the limit when points were last given; the database keeps it.
    """

    __tablename__ = "loyalty_earned_points"
    __table_args__ = (
        CheckConstraint("points >= 0 AND points <= points_max", name="ck_loyalty_earned_limit"),
        {"sqlite_with_rowid": False},
    )

    rule: str = Field(primary_key=True)
    owner: str = Field(primary_key=True)
    period: str = Field(primary_key=True)
    points: int = Field(sa_type=BigInteger)
    points_max: int = Field(sa_type=BigInteger)


class Birthday(SQLModel, table=True):
    """A birthday that the job has dealt with, whether rules gave something or not."""

    __tablename__ = "loyalty_birthday"
    __table_args__ = ({"sqlite_with_rowid": False},)

    customer_id: UUID = Field(foreign_key="customer.id", primary_key=True)
    year: int = Field(primary_key=True)
