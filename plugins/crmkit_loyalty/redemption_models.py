"""Redemptions of points, from the request to what became of it."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, text
from sqlmodel import Field, SQLModel

from crmkit import Instant, new_id


class RedemptionState(StrEnum):
    """What has become of points that were to be redeemed."""

    HELD = "held"
    REDEEMED = "redeemed"
    RELEASED = "released"
    CANCELLED = "cancelled"


def _partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    return Index(
        name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where)
    )


class Redemption(SQLModel, table=True):
    """A request to redeem points; the entries are the facts, this says how they belong together.

    Attributes:
        points: held at first, then redeemed.
        value_minor: what these points pay, in minor units of `currency`.
        source: system of the receipt that they pay for; null if none was named.
        external_id: the receipt's number there; it may be recorded before or after.
        state: held points are on no lot; they are redeemed or released once. What was redeemed may
            be cancelled; what returns of goods gave back stays redeemed.
        held_until: first instant at which a hold is over; null if points were never held.
        hold_entry_id: the entry that held them.
        entry_id: the entry that redeemed them.
        idempotency_key: unique for the customer.
        fingerprint: digest of the request, to tell a repeat from a contradiction.
        settle_key: idempotency key of what ended a hold; null if its time was over.
        settle_fingerprint: digest of that request.
        reward: what the points were exchanged for; null if they paid for a purchase.
        code: of a coupon; unique.
    """

    __tablename__ = "loyalty_redemption"
    __table_args__ = (
        CheckConstraint("points > 0 AND value_minor >= 0", name="ck_loyalty_redemption_points"),
        CheckConstraint(
            "(state IN ('redeemed', 'cancelled')) = (entry_id IS NOT NULL)",
            name="ck_loyalty_redemption_entry",
        ),
        Index("uq_loyalty_redemption_key", "customer_id", "idempotency_key", unique=True),
        _partial(
            "ix_loyalty_redemption_receipt",
            "source",
            "external_id",
            where="external_id IS NOT NULL",
        ),
        _partial("ix_loyalty_redemption_held", "held_until", where="state = 'held'"),
        _partial("uq_loyalty_redemption_code", "code", where="code IS NOT NULL", unique=True),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    customer_id: UUID = Field(foreign_key="customer.id")
    point_kind: str
    points: int = Field(sa_type=BigInteger)
    value_minor: int = Field(sa_type=BigInteger)
    currency: str
    source: str | None = None
    external_id: str | None = None
    state: str
    requested_at: datetime = Field(sa_type=Instant)
    held_until: datetime | None = Field(default=None, sa_type=Instant)
    settled_at: datetime | None = Field(default=None, sa_type=Instant)
    hold_entry_id: UUID | None = Field(default=None, foreign_key="loyalty_ledger_entry.id")
    entry_id: UUID | None = Field(default=None, foreign_key="loyalty_ledger_entry.id")
    actor: str
    idempotency_key: str
    fingerprint: str
    settle_key: str | None = None
    settle_fingerprint: str | None = None
    reward: str | None = None
    code: str | None = None


class RewardStock(SQLModel, table=True):
    """How many of a reward were had; derived from the redemptions that were not cancelled.

    Attributes:
        stock: how many there were in all when one was last had; the database keeps it.
    """

    __tablename__ = "loyalty_reward_stock"
    __table_args__ = (
        CheckConstraint("taken >= 0 AND taken <= stock", name="ck_loyalty_reward_stock"),
        {"sqlite_with_rowid": False},
    )

    reward: str = Field(primary_key=True)
    taken: int = Field(sa_type=BigInteger)
    stock: int = Field(sa_type=BigInteger)
