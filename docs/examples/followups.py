"""Follow-ups: whom to call, after a complaint and after the first contact."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import strawberry
from pydantic import BaseModel, Field
from sqlmodel import Field as Column
from sqlmodel import Session, SQLModel, col, update

import crmkit
import crmkit_schema as schema
from crmkit import CustomerBatch, InteractionBatch, hookimpl


class Options(BaseModel):
    """How soon to call."""

    complaint_days: int = Field(default=2, ge=0)
    welcome_days: int = Field(default=14, ge=0)


plugin = crmkit.Plugin(
    name="followups",
    version="1.0",
    summary="Whom to call, and by when.",
    permissions=[crmkit.Permission("followups.read", "See follow-ups.", ["manager", "clerk"])],
    settings=Options,
)


CALL_ASKED_FOR = crmkit.Event("followups.call_asked_for")


class Followup(SQLModel, table=True):
    """One call to make.

    Attributes:
        due_on: UTC day by which to call.
        is_done: whether an apology followed the complaint.
    """

    __tablename__ = "followups_call"
    __table_args__ = (sa.Index("ix_followups_customer", "customer_id"),)

    id: UUID = Column(default_factory=crmkit.new_id, primary_key=True)
    customer_id: UUID = Column(foreign_key="customer.id")
    reason: str
    due_on: date
    is_done: bool = False


@schema.object_type(Followup, permission="followups.read", sorted_by=["due_on", "id"], node="fol")
class FollowupCall:
    """A call to make."""

    reason: str = schema.mapped("Either complaint or welcome.", filter=True)
    due_on: date = schema.mapped("By when.", filter=True, sort=True)
    is_done: bool = schema.mapped("Whether it was made.", filter=True)
    customer: schema.Customer | None = schema.related("Whom to call.", parent="customer_id")


@strawberry.type
class Queries:
    """What the plugin adds to `Query`."""

    followups: schema.Connection[FollowupCall] = schema.connection("Calls, most urgent first.")


@strawberry.type
class Subscriptions:
    """What the plugin adds to `Subscription`."""

    call_asked_for: FollowupCall = schema.subscription(
        "A call that a complaint asks for, as soon as it is known.", event=CALL_ASKED_FOR
    )


def create(op: Any) -> None:
    """Make the table, column by column: later steps build on what this one says."""
    op.create_table(
        "followups_call",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("customer_id", sa.Uuid(), sa.ForeignKey("customer.id"), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("is_done", sa.Boolean(), nullable=False),
    )
    op.create_index("ix_followups_customer", "followups_call", ["customer_id"])


@hookimpl
def register_models() -> Sequence[type[SQLModel]]:
    """One table."""
    return [Followup]


@hookimpl
def register_migrations() -> Sequence[crmkit.Migration]:
    """One step so far."""
    return [crmkit.Migration("0001", create, lambda op: op.drop_table("followups_call"))]


@hookimpl
def register_graphql() -> crmkit.SchemaContribution:
    """Two root fields."""
    return crmkit.SchemaContribution(queries=[Queries], subscriptions=[Subscriptions])


@hookimpl
def register_interaction_kinds() -> Sequence[crmkit.InteractionKind]:
    """Staff record an apology when they have called."""
    return [crmkit.InteractionKind("apology", "Staff apologised to the customer.")]


@hookimpl
def interactions_recorded(session: Session, batch: InteractionBatch, settings: Options) -> None:
    """A complaint asks for a call; an apology settles what the customer complained of before."""
    due_on = batch.recorded_at.date() + timedelta(days=settings.complaint_days)
    for contact in batch.interactions:
        if contact.customer_id is None:
            continue
        if contact.kind == "complaint":
            call = Followup(customer_id=contact.customer_id, reason="complaint", due_on=due_on)
            session.add(call)
            crmkit.announce(session, CALL_ASKED_FOR, {call.id: call.customer_id})
        elif contact.kind == "apology":
            session.flush()
            session.exec(
                update(Followup)
                .where(
                    col(Followup.customer_id) == contact.customer_id,
                    col(Followup.reason) == "complaint",
                )
                .values(is_done=True)
            )


@hookimpl
def customers_upserted(session: Session, batch: CustomerBatch, settings: Options) -> None:
    """Every new customer gets a call; `insert_rows` writes thousands of rows at once."""
    due_on = batch.recorded_at.date() + timedelta(days=settings.welcome_days)
    rows = [
        (crmkit.new_id().hex, customer.hex, "welcome", due_on.isoformat(), False)
        for customer in batch.created
    ]
    columns = ("id", "customer_id", "reason", "due_on", "is_done")
    crmkit.insert_rows(session, Followup, columns, rows)
