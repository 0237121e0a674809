"""A plugin in place of tiers, segments and warnings until their own plugins exist.

The benchmark puts this file into the plugins folder of a data directory, where crmkit finds it.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import strawberry
from sqlalchemy import FromClause, Index, select
from sqlmodel import Field, SQLModel

from crmkit import (
    Instant,
    Migration,
    Permission,
    Plugin,
    SchemaContribution,
    hookimpl,
    new_id,
    table_of,
)
from crmkit_schema import mapped, object_type, related

SEE = "stand_ins.read"


class Tier(SQLModel, table=True):
    """The tier a customer is in now."""

    __tablename__ = "stand_ins_tier"

    customer_id: UUID = Field(foreign_key="customer.id", primary_key=True)
    code: str
    since: datetime = Field(sa_type=Instant)


class Segment(SQLModel, table=True):
    """A group of customers."""

    __tablename__ = "stand_ins_segment"

    id: int = Field(primary_key=True)
    name: str


class Membership(SQLModel, table=True):
    """That a customer is in a segment."""

    __tablename__ = "stand_ins_membership"
    __table_args__ = ({"sqlite_with_rowid": False},)

    customer_id: UUID = Field(foreign_key="customer.id", primary_key=True)
    segment_id: int = Field(foreign_key="stand_ins_segment.id", primary_key=True)


class Severity(StrEnum):
    """How bad it is."""

    LOW = "low"
    HIGH = "high"


class Warning(SQLModel, table=True):
    """Something about a customer that staff should look at."""

    __tablename__ = "stand_ins_warning"
    __table_args__ = (Index("ix_stand_ins_warning", "customer_id", "raised_at", "id", "is_open"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    customer_id: UUID = Field(foreign_key="customer.id")
    rule: str
    severity: str
    raised_at: datetime = Field(sa_type=Instant)
    is_open: bool = True


MODELS = (Tier, Segment, Membership, Warning)
strawberry.enum(Severity, name="StandInsSeverity", description="How bad it is.")


def _segments() -> FromClause:
    """The segments of each customer by name."""
    segment, member = table_of(Segment), table_of(Membership)
    joined = member.join(segment, segment.c.id == member.c.segment_id)
    columns = (member.c.customer_id, member.c.segment_id, segment.c.name)
    return select(*columns).select_from(joined).subquery("segments")


def _open(warnings: FromClause) -> Any:
    return warnings.c.is_open


@object_type(Tier, permission=SEE, name="StandInsTier", sorted_by=("customer_id",))
class CustomerTier:
    """The tier a customer is in now."""

    code: str = mapped("Its name.")
    since: datetime = mapped("Since when.")


@object_type(
    _segments(), permission=SEE, name="StandInsSegment", sorted_by=("segment_id", "customer_id")
)
class CustomerSegment:
    """A group the customer is in."""

    name: str = mapped("Its name.")


@object_type(Warning, permission=SEE, name="StandInsWarning")
class CustomerWarning:
    """Something that staff should look at."""

    rule: str = mapped("What raised it.")
    severity: Severity = mapped("How bad it is.")
    raised_at: datetime = mapped("Since when.")


@strawberry.type
class CustomerFields:
    """What customers get."""

    tier: CustomerTier | None = related("The current tier.", child="customer_id")
    segments: list[CustomerSegment] = related(
        "The segments the customer is in.", child="customer_id", order=("segment_id",)
    )
    warnings: list[CustomerWarning] = related(
        "Open warnings.", child="customer_id", where=_open, order=("-raised_at", "id"), limit=20
    )


def _create(op: Any) -> None:
    for model in MODELS:
        table_of(model).create(op.get_bind())


def _drop(op: Any) -> None:
    for model in reversed(MODELS):
        table_of(model).drop(op.get_bind())


plugin = Plugin(
    name="stand_ins",
    version="1",
    summary="In place of tiers, segments and warnings.",
    permissions=(Permission(SEE, "See them.", ("clerk",)),),
)
parts = SchemaContribution(extends={"Customer": CustomerFields})
register_models = hookimpl(lambda: list(MODELS))
register_migrations = hookimpl(lambda: [Migration("1", _create, _drop)])
register_graphql = hookimpl(lambda: parts)
