"""Contacts with customers. Kinds are data: plugins register more."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from crmkit.columns import Instant, Json
from crmkit.ids import new_id
from crmkit.models.customers import one_of


class Direction(StrEnum):
    """Who spoke first."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class Interaction(SQLModel, table=True):
    """One contact: an inquiry, a complaint, a review, a view, a note.

    Attributes:
        kind: one of the registered kinds.
        rating: 1 (worst) to 5 (best), where the kind has one.
        payload: what the kind adds, as a JSON object.
    """

    __table_args__ = (
        one_of("direction", Direction),
        CheckConstraint("rating BETWEEN 1 AND 5", name="ck_interaction_rating"),
        Index("uq_interaction_external", "source", "external_id", unique=True),
        Index("ix_interaction_customer", "customer_id", "occurred_at", "id"),
        Index("ix_interaction_occurred", "occurred_at", "id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    kind: str
    source: str
    external_id: str
    customer_id: UUID | None = Field(default=None, foreign_key="customer.id")
    occurred_at: datetime = Field(sa_type=Instant)
    recorded_at: datetime = Field(sa_type=Instant)
    channel: str | None = None
    direction: str = Direction.INBOUND
    subject: str | None = None
    content: str | None = None
    rating: int | None = None
    sku: str | None = None
    transaction_id: UUID | None = Field(default=None, foreign_key="transaction.id")
    staff: str | None = None
    payload: dict[str, Any] | None = Field(default=None, sa_type=Json)
    fingerprint: str
