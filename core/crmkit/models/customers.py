"""Who the retailer knows, and how to reach and recognise them."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, String, Uuid
from sqlmodel import Field, SQLModel

from crmkit.columns import Instant
from crmkit.ids import new_id


class Lifecycle(StrEnum):
    """Where a customer stands; a first purchase turns prospects and targets into customers."""

    PROSPECT = "prospect"
    TARGET = "target"
    CUSTOMER = "customer"
    DORMANT = "dormant"
    ARCHIVED = "archived"


class Gender(StrEnum):
    """Gender as the customer states it."""

    FEMALE = "female"
    MALE = "male"
    OTHER = "other"


class ContactKind(StrEnum):
    """What kind of address a contact point is."""

    PHONE = "phone"
    EMAIL = "email"
    SOCIAL = "social"


def one_of(column: str, values: type[StrEnum]) -> CheckConstraint:
    """Return a CHECK that `column` holds one of the enum's values."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"ck_{column}_known")


class Customer(SQLModel, table=True):
    """A person or firm the retailer sells to, or wants to.

    Attributes:
        id: stable for ever; survives merges as a redirect.
        display_name: the whole name as the customer writes it.
        birth_on: date of birth; age is computed when read.
        language: BCP 47 tag, such as `zh-CN`.
        lifecycle_since: when the lifecycle state was entered.
    """

    __table_args__ = (
        one_of("lifecycle", Lifecycle),
        Index("ix_customer_created", "created_at", "id"),
        Index("ix_customer_display_name", "display_name", "id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    display_name: str = ""
    given_name: str | None = None
    family_name: str | None = None
    gender: str | None = None
    birth_on: date | None = None
    occupation: str | None = None
    language: str | None = None
    lifecycle: str = Lifecycle.PROSPECT
    lifecycle_since: datetime = Field(sa_type=Instant)
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)


class ContactPoint(SQLModel, table=True):
    """One way to reach a customer; `raw_value` keeps what was typed.

    Attributes:
        value: normalised: E.164 for phones, lower-case domain for e-mails.
        is_primary: at most one per customer and kind.
        verified_at: when the customer last proved to own it; null if never.
    """

    __tablename__ = "customer_contact_point"
    __table_args__ = (
        one_of("kind", ContactKind),
        Index("ix_contact_value", "kind", "value", "customer_id"),
        Index("uq_contact_customer_value", "customer_id", "kind", "value", unique=True),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    customer_id: UUID = Field(foreign_key="customer.id")
    kind: str
    value: str
    raw_value: str
    is_primary: bool = False
    verified_at: datetime | None = Field(default=None, sa_type=Instant)


class CustomerAddress(SQLModel, table=True):
    """A postal address; `region` is normalised, the other parts are as given."""

    __tablename__ = "customer_address"
    __table_args__ = (Index("ix_address_customer", "customer_id", "kind"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    customer_id: UUID = Field(foreign_key="customer.id")
    kind: str = "home"
    country: str | None = None
    region: str | None = None
    city: str | None = None
    street: str | None = None
    postal_code: str | None = None


class CustomerExternalId(SQLModel, table=True):
    """The name another system gives a customer; unique inside that system."""

    __tablename__ = "customer_external_id"
    __table_args__ = (Index("ix_external_id_customer", "customer_id"),)

    source: str = Field(sa_column=Column(String, primary_key=True))
    external_id: str = Field(sa_column=Column(String, primary_key=True))
    customer_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("customer.id"), nullable=False))


class CustomerTag(SQLModel, table=True):
    """A word a member of staff put on a customer."""

    __tablename__ = "customer_tag"
    __table_args__ = (Index("ix_tag", "tag", "customer_id"),)

    customer_id: UUID = Field(foreign_key="customer.id", primary_key=True)
    tag: str = Field(primary_key=True)
