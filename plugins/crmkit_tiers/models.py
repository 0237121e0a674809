"""Who holds which tier, and how it came to be.

Changes are the facts. A membership is the last change of a customer in a tier set, kept so that
one row says what holds now, and when it is reviewed.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from crmkit import Instant, Json, new_id


class TierRules(SQLModel, table=True):
    """The rules of a tier set as they once were; written with the first change they led to.

    Attributes:
        version: short digest of the rules.
        rules: the set's section of the settings.
    """

    __tablename__ = "tiers_rules"

    version: str = Field(primary_key=True)
    tier_set: str
    rules: dict[str, Any] = Field(sa_type=Json)
    recorded_at: datetime = Field(sa_type=Instant)


class TierChange(SQLModel, table=True):
    """One change of what a customer holds; the database refuses to change or delete it.

    The names from `since_on` to `frozen_reason` are those of `states.State`, after the change.

    Attributes:
        number: counts a customer's changes in a set from 1; no two writers can use one twice.
        cause: why; a review that let the tier be, or put it at risk, is a change, too.
        from_tier: null at the first.
        as_of_on: last day whose figures counted.
        explanation: the moment, the state before, and every figure with its days: enough to
            decide again by the rules of `rule_version`.
        effective_at: when it happened, in the order in which tiers were held.
    """

    __tablename__ = "tiers_change"
    __table_args__ = (
        Index("uq_tiers_change_number", "customer_id", "tier_set", "number", unique=True),
        Index(
            "uq_tiers_change_key",
            "customer_id",
            "idempotency_key",
            unique=True,
            sqlite_where=text("idempotency_key IS NOT NULL"),
            postgresql_where=text("idempotency_key IS NOT NULL"),
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    customer_id: UUID = Field(foreign_key="customer.id")
    tier_set: str
    number: int
    cause: str
    from_tier: str | None = None
    to_tier: str
    since_on: date
    joined_on: date
    valid_until_on: date | None = None
    source: str
    at_risk_on: date | None = None
    at_risk_until_on: date | None = None
    locked_until_on: date | None = None
    frozen_reason: str | None = None
    as_of_on: date
    explanation: dict[str, Any] = Field(sa_type=Json)
    rule_version: str = Field(foreign_key="tiers_rules.version")
    reason: str | None = None
    actor: str | None = None
    idempotency_key: str | None = None
    fingerprint: str | None = None
    effective_at: datetime = Field(sa_type=Instant)
    recorded_at: datetime = Field(sa_type=Instant)


class TierMembership(SQLModel, table=True):
    """The last change of a customer in a tier set; derived.

    Attributes:
        number: of the last change.
        effective_at: of the last change.
        review_on: day at whose end staying is looked at; null if no day is set.
    """

    __tablename__ = "tiers_membership"
    __table_args__ = (
        Index("ix_tiers_membership_review", "tier_set", "review_on"),
        Index("ix_tiers_membership_tier", "tier_set", "tier", "customer_id"),
        {"sqlite_with_rowid": False},
    )

    customer_id: UUID = Field(foreign_key="customer.id", primary_key=True)
    tier_set: str = Field(primary_key=True)
    tier: str
    since_on: date
    joined_on: date
    valid_until_on: date | None = None
    source: str
    at_risk_on: date | None = None
    at_risk_until_on: date | None = None
    locked_until_on: date | None = None
    frozen_reason: str | None = None
    number: int
    effective_at: datetime = Field(sa_type=Instant)
    review_on: date | None = None


class TierSweep(SQLModel, table=True):
    """How far the last look at all customers of a tier set is.

    Attributes:
        rule_version: rules by which they are looked at.
        swept_on: business day whose figures count.
        after_id: the last customer who was passed; null before the first page.
    """

    __tablename__ = "tiers_sweep"

    tier_set: str = Field(primary_key=True)
    rule_version: str
    swept_on: date
    after_id: UUID | None = None
    is_done: bool = False
