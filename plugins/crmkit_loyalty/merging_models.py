"""Merges of two customers' points."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from crmkit import Instant, new_id


class PointsMerge(SQLModel, table=True):
    """The points of a customer were merged into another's, or a merge was undone; a fact.

    Attributes:
        undoes_merge_id: the merge that this undoes; null if it is a merge itself.
        reason: why, in words.
        actor: who did it.
        idempotency_key: unique for the customer whose points went.
        fingerprint: digest of the request, to tell a repeat from a contradiction.
    """

    __tablename__ = "loyalty_points_merge"
    __table_args__ = (
        Index("uq_loyalty_merge_key", "from_customer_id", "idempotency_key", unique=True),
        Index("uq_loyalty_merge_undone", "undoes_merge_id", unique=True),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    from_customer_id: UUID = Field(foreign_key="customer.id")
    into_customer_id: UUID = Field(foreign_key="customer.id")
    undoes_merge_id: UUID | None = Field(default=None, foreign_key="loyalty_points_merge.id")
    reason: str
    actor: str
    idempotency_key: str
    fingerprint: str
    recorded_at: datetime = Field(sa_type=Instant)
