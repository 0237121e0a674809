"""Key figures kept per customer and currency; derived, so always rebuildable from transactions."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index
from sqlmodel import Field, SQLModel

from crmkit.columns import Instant


class CustomerMetrics(SQLModel, table=True):
    """One row per customer and currency.

    Attributes:
        sale_count: sales and exchanges; returns are counted apart.
        net_minor: all amounts, returns taken off.
        quantity_milli: product pieces, returns taken off.
        purchase_day_count: distinct business days with a sale.
    """

    __tablename__ = "customer_metrics"

    customer_id: UUID = Field(foreign_key="customer.id", primary_key=True)
    currency: str = Field(primary_key=True)
    first_sale_at: datetime | None = Field(default=None, sa_type=Instant)
    last_sale_at: datetime | None = Field(default=None, sa_type=Instant)
    sale_count: int = 0
    return_count: int = 0
    net_minor: int = Field(default=0, sa_type=BigInteger)
    returned_minor: int = Field(default=0, sa_type=BigInteger)
    quantity_milli: int = Field(default=0, sa_type=BigInteger)
    purchase_day_count: int = 0


class CustomerDay(SQLModel, table=True):
    """What a customer did on one business day: the grain of purchase clocks and as-of figures."""

    __tablename__ = "customer_day"
    __table_args__ = (
        Index("ix_customer_day_on", "business_on", "customer_id"),
        {"sqlite_with_rowid": False},
    )

    customer_id: UUID = Field(foreign_key="customer.id", primary_key=True)
    currency: str = Field(primary_key=True)
    business_on: date = Field(primary_key=True)
    sale_count: int = 0
    return_count: int = 0
    net_minor: int = Field(default=0, sa_type=BigInteger)
    quantity_milli: int = Field(default=0, sa_type=BigInteger)


class CustomerCategoryMetrics(SQLModel, table=True):
    """What a customer bought of one category."""

    __tablename__ = "customer_category_metrics"
    __table_args__ = ({"sqlite_with_rowid": False},)

    customer_id: UUID = Field(foreign_key="customer.id", primary_key=True)
    currency: str = Field(primary_key=True)
    category: str = Field(primary_key=True)
    net_minor: int = Field(default=0, sa_type=BigInteger)
    quantity_milli: int = Field(default=0, sa_type=BigInteger)
    line_count: int = 0


class CustomerStoreMetrics(SQLModel, table=True):
    """What a customer bought in one store."""

    __tablename__ = "customer_store_metrics"
    __table_args__ = ({"sqlite_with_rowid": False},)

    customer_id: UUID = Field(foreign_key="customer.id", primary_key=True)
    currency: str = Field(primary_key=True)
    store: str = Field(primary_key=True)
    net_minor: int = Field(default=0, sa_type=BigInteger)
    sale_count: int = 0
