"""What earning rules leave besides entries: the rules, what limits count, marked birthdays."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint
from sqlmodel import Field, SQLModel

from crmkit import Instant, Json


class EarningRuleSet(SQLModel, table=True):
    """Earning rules as they once were; written with the first entry they led to.

    Attributes:
        version: short digest of the rules, as the explanations of entries have it.
        rules: the list in the settings.
    """

    __tablename__ = "loyalty_earning_rules"

    version: str = Field(primary_key=True)
    rules: list[dict[str, Any]] = Field(sa_type=Json)
    recorded_at: datetime = Field(sa_type=Instant)


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
