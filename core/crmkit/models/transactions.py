"""What was sold and what came back. Rows are facts: written once, corrected by new ones."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, text
from sqlmodel import Field, SQLModel

from crmkit.columns import Instant
from crmkit.ids import new_id
from crmkit.models.customers import one_of


class TransactionKind(StrEnum):
    """What happened at the till.

    An adjustment is a bookkeeping record (stock correction, bad debt): kept and summed, but no
    customer bought or returned anything, so it never counts in metrics.
    """

    SALE = "sale"
    RETURN = "return"
    EXCHANGE = "exchange"
    VOID = "void"
    ADJUSTMENT = "adjustment"


class LineKind(StrEnum):
    """What a line stands for; only products count in quantities and categories."""

    PRODUCT = "product"
    SHIPPING = "shipping"
    FEE = "fee"
    DISCOUNT = "discount"
    VOUCHER = "voucher"
    SAMPLE = "sample"
    STOCK_CORRECTION = "stock_correction"
    BAD_DEBT = "bad_debt"
    OTHER = "other"


class Transaction(SQLModel, table=True):
    """One document of the till or the shop.

    The sign is the same everywhere: positive when goods go out and money comes in.

    Attributes:
        customer_id: null while anonymous; may be filled once, by attaching.
        occurred_at: business time; `recorded_at` is when crmkit learned of it.
        business_on: the shop's calendar day of `occurred_at`.
        total_minor: sum of the lines; equals `paid_minor + due_minor`.
        original_id: the sale that a return, exchange or void refers to.
        fingerprint: digest of what was sent, to tell a repeat from a contradiction.
    """

    __table_args__ = (
        one_of("kind", TransactionKind),
        CheckConstraint("total_minor = paid_minor + due_minor", name="ck_transaction_sums"),
        CheckConstraint("kind <> 'void' OR original_id IS NOT NULL", name="ck_void_names_original"),
        Index("uq_transaction_external", "source", "external_id", unique=True),
        Index("ix_transaction_customer", "customer_id", "occurred_at", "id"),
        Index("ix_transaction_occurred", "occurred_at", "id"),
        Index(
            "ix_transaction_original",
            "original_id",
            sqlite_where=text("original_id IS NOT NULL"),
            postgresql_where=text("original_id IS NOT NULL"),
        ),
        Index(
            "uq_transaction_voided",
            "original_id",
            unique=True,
            sqlite_where=text("kind = 'void'"),
            postgresql_where=text("kind = 'void'"),
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    kind: str
    source: str
    external_id: str
    customer_id: UUID | None = Field(default=None, foreign_key="customer.id")
    occurred_at: datetime = Field(sa_type=Instant)
    recorded_at: datetime = Field(sa_type=Instant)
    business_on: date
    channel: str | None = None
    store: str | None = None
    staff: str | None = None
    currency: str
    total_minor: int = Field(sa_type=BigInteger)
    paid_minor: int = Field(sa_type=BigInteger)
    due_minor: int = Field(sa_type=BigInteger)
    original_id: UUID | None = Field(default=None, foreign_key="transaction.id")
    attached_at: datetime | None = Field(default=None, sa_type=Instant)
    fingerprint: str


class TransactionLine(SQLModel, table=True):
    """One line of a transaction, identified by its transaction and position.

    Attributes:
        position: from 1, in the order received.
        quantity_milli: thousandths of the unit; negative when goods come back.
        unit_price_micros: millionths of the major unit.
        discount_minor: taken off what the goods cost, as a positive number whichever way they go.
        tax_minor: tax contained in `amount_minor`; information only.
        amount_minor: quantity x price, rounded half away from zero, and the discount taken off:
            subtracted when goods go out, added when they come back.
        original_position: the line of the original sale that this one brings back.
    """

    __tablename__ = "transaction_line"
    __table_args__ = (
        one_of("kind", LineKind),
        CheckConstraint("discount_minor >= 0", name="ck_line_discount"),
        {"sqlite_with_rowid": False},
    )

    transaction_id: UUID = Field(foreign_key="transaction.id", primary_key=True)
    position: int = Field(primary_key=True)
    kind: str = LineKind.PRODUCT
    sku: str
    description: str | None = None
    category: str | None = None
    brand: str | None = None
    quantity_milli: int = Field(sa_type=BigInteger)
    unit_price_micros: int = Field(sa_type=BigInteger)
    discount_minor: int = Field(default=0, sa_type=BigInteger)
    tax_minor: int = Field(default=0, sa_type=BigInteger)
    amount_minor: int = Field(sa_type=BigInteger)
    original_position: int | None = None
