"""The points book.

Entries are the facts. A customer has one account for each kind of points. It is the sum of its
entries: `balance - debt`, of which one is always 0, so that the balance is never negative. Each
entry that adds points opens a lot, each entry that takes points is allocated to lots; what is not
covered by lots is the debt, and the next lot pays it.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, false, text
from sqlmodel import Field, SQLModel

from crmkit import Instant, Json, new_id
from crmkit_loyalty.point_kinds import POINTS


class EntryKind(StrEnum):
    """Why points moved. Reversals and adjustments go either way, the others one way only."""

    ACCRUAL = "accrual"
    REDEMPTION = "redemption"
    EXPIRY = "expiry"
    REVERSAL = "reversal"
    ADJUSTMENT = "adjustment"
    HOLD = "hold"
    RELEASE = "release"
    TRANSFER_IN = "transfer_in"
    TRANSFER_OUT = "transfer_out"
    MERGE_IN = "merge_in"
    MERGE_OUT = "merge_out"


SPENDING = frozenset({EntryKind.REDEMPTION, EntryKind.HOLD, EntryKind.TRANSFER_OUT})
"""Entries that take only points which can be spent at their time; others take pending ones, too."""


def _index(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    return Index(
        name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where)
    )


class LedgerEntry(SQLModel, table=True):
    """One movement of points; the database refuses to change or delete it.

    Attributes:
        point_kind: which of the customer's accounts it belongs to.
        points_delta: what it adds to the sum; negative when points go.
        balance_after: points on the account right after it, in the order recorded.
        source: what caused it: `transaction`, `customer` for a sign-up or a birthday,
            `interaction`, `adjustment`, or `entry` if points expired.
        source_id: the transaction, customer or interaction that caused it; of an expiry, the
            entry whose points expired.
        line: the line of it that did; 0 is the whole transaction. Of a birthday, the year.
        rule: name of the rule that gave the figure.
        explanation: the rule's inputs and formula version; enough to compute the figure again.
        reason_code: of an adjustment by hand, which of the reasons in the settings it had.
        actor: who did it; null for a rule.
        idempotency_key: unique for the customer; the same key never moves points twice.
        fingerprint: digest of the request, to tell a repeat from a contradiction.
        business_on: the shops' calendar day of `occurred_at`; null only if that was not kept.
        reverses_entry_id: the entry it undoes, wholly or in part.
    """

    __tablename__ = "loyalty_ledger_entry"
    __table_args__ = (
        CheckConstraint(
            "(kind IN ('accrual', 'release', 'transfer_in', 'merge_in') AND points_delta > 0) OR "
            "(kind IN ('redemption', 'expiry', 'hold', 'transfer_out', 'merge_out') "
            "AND points_delta < 0) OR "
            "(kind IN ('reversal', 'adjustment') AND points_delta <> 0)",
            name="ck_loyalty_entry_sign",
        ),
        CheckConstraint(
            "(kind = 'reversal') = (reverses_entry_id IS NOT NULL)",
            name="ck_loyalty_reversal_names_entry",
        ),
        CheckConstraint("balance_after >= 0", name="ck_loyalty_entry_balance"),
        Index("uq_loyalty_entry_key", "customer_id", "idempotency_key", unique=True),
        Index("ix_loyalty_entry_customer", "customer_id", "occurred_at", "id"),
        _index(
            "uq_loyalty_accrual", "source_id", "rule", "line", where="kind = 'accrual'", unique=True
        ),
        _index("ix_loyalty_entry_source", "source_id", where="kind <> 'accrual'"),
        _index(
            "uq_loyalty_reversal",
            "reverses_entry_id",
            "source_id",
            "rule",
            where="reverses_entry_id IS NOT NULL",
            unique=True,
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    customer_id: UUID = Field(foreign_key="customer.id")
    kind: str
    point_kind: str = Field(default=POINTS, sa_column_kwargs={"server_default": POINTS})
    points_delta: int = Field(sa_type=BigInteger)
    balance_after: int = Field(sa_type=BigInteger)
    source: str
    source_id: UUID | None = None
    line: int = 0
    rule: str
    explanation: dict[str, Any] = Field(sa_type=Json)
    reason_code: str | None = None
    reason: str | None = None
    actor: str | None = None
    idempotency_key: str
    fingerprint: str | None = None
    occurred_at: datetime = Field(sa_type=Instant)
    recorded_at: datetime = Field(sa_type=Instant)
    business_on: date | None = None
    reverses_entry_id: UUID | None = Field(default=None, foreign_key="loyalty_ledger_entry.id")


class LoyaltyAccount(SQLModel, table=True):
    """The sum of a customer's entries of one kind of points, kept so that a statement can guard it.

    Attributes:
        balance: points there are, also those that cannot be spent yet.
        debt: points taken back after they were spent; what is earned next pays them.
        merged_into: on the account of the kind `points`: the customer to whom all points of this
            one go, as they were merged.
        is_blocked: on the account of the kind `points`: whether nobody may spend the customer's
            points, of any kind.
        last_entry_id: the latest of the entries; null until there is one. The next entry's id is
            greater, so that the ids of an account say the order, whatever clocks do.
    """

    __tablename__ = "loyalty_account"
    __table_args__ = (
        CheckConstraint("balance >= 0", name="ck_loyalty_balance"),
        CheckConstraint("debt >= 0", name="ck_loyalty_debt"),
        CheckConstraint("balance = 0 OR debt = 0", name="ck_loyalty_balance_or_debt"),
    )

    customer_id: UUID = Field(foreign_key="customer.id", primary_key=True)
    point_kind: str = Field(
        default=POINTS, primary_key=True, sa_column_kwargs={"server_default": POINTS}
    )
    balance: int = Field(default=0, sa_type=BigInteger)
    debt: int = Field(default=0, sa_type=BigInteger)
    last_entry_id: UUID | None = None
    merged_into: UUID | None = None
    is_blocked: bool = Field(default=False, sa_column_kwargs={"server_default": false()})


class Lot(SQLModel, table=True):
    """The points of one entry that added some; what is left is `points` minus allocations.

    Attributes:
        active_from: first instant at which they can be spent.
        expires_at: first instant at which they are worth nothing; null means never.
        is_expired: whether the job has dealt with it after it expired; nothing is left of it then.
    """

    __tablename__ = "loyalty_lot"
    __table_args__ = (
        CheckConstraint("points > 0", name="ck_loyalty_lot_points"),
        Index("ix_loyalty_lot_customer", "customer_id", "entry_id"),
        _index(
            "ix_loyalty_lot_due",
            "expires_at",
            "id",
            where="NOT is_expired AND expires_at IS NOT NULL",
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    customer_id: UUID
    point_kind: str = Field(default=POINTS, sa_column_kwargs={"server_default": POINTS})
    entry_id: UUID = Field(foreign_key="loyalty_ledger_entry.id")
    points: int = Field(sa_type=BigInteger)
    active_from: datetime | None = Field(default=None, sa_type=Instant)
    expires_at: datetime | None = Field(default=None, sa_type=Instant)
    is_expired: bool = Field(default=False, sa_column_kwargs={"server_default": false()})


class Allocation(SQLModel, table=True):
    """Points of a lot that an entry took."""

    __tablename__ = "loyalty_allocation"
    __table_args__ = (
        CheckConstraint("points <> 0", name="ck_loyalty_allocation_points"),
        Index("ix_loyalty_allocation_entry", "entry_id"),
        {"sqlite_with_rowid": False},
    )

    lot_id: UUID = Field(foreign_key="loyalty_lot.id", primary_key=True)
    entry_id: UUID = Field(foreign_key="loyalty_ledger_entry.id", primary_key=True)
    customer_id: UUID
    points: int = Field(sa_type=BigInteger)
